#include "server/restore.h"

#include <algorithm>
#include <vector>

#include "server/account/events.h"
#include "server/audit/event.h"
#include "server/foundation.h"
#include "server/revocation/access_ceiling.h"
#include "server/revocation/entries.h"
#include "server/revocation/past_epochs.h"
#include "server/status_list/sweep.h"

namespace ostiary {
namespace {

constexpr std::size_t kAccountsAtATime = 500;

absl::Status EndSessionsOfPage(storage::WriteTx& tx, absl::Time now,
                               storage::Key16& after, std::size_t& count) {
  auto rows = tx.accounts().List(after, kAccountsAtATime);
  if (!rows.ok()) return rows.status();
  count = rows->size();
  for (storage::AccountRow& row : *rows) {
    account::Apply(account::Event::kSignedOutEverywhere, now, row);
    if (auto updated = tx.accounts().Update(row); !updated.ok()) return updated;
    after = row.account_id;
  }
  return absl::OkStatus();
}

// In pages, so that no single transaction is huge. Interrupted and run again it
// signs some out twice, which changes nothing.
absl::StatusOr<std::int64_t> EndAllSessions(storage::Store& store,
                                            absl::Time now) {
  std::int64_t total = 0;
  storage::Key16 after{};
  for (;;) {
    storage::Key16 reached = after;
    std::size_t count = 0;
    const absl::Status status = store.Write([&](storage::WriteTx& tx) {
      reached = after;
      return EndSessionsOfPage(tx, now, reached, count);
    });
    if (!status.ok()) return status;
    if (count == 0) return total;
    total += static_cast<std::int64_t>(count);
    after = reached;
  }
}

absl::Status BeginEpoch(storage::WriteTx& tx, std::uint32_t epoch,
                        std::int64_t at_least, absl::Time now) {
  auto survived = tx.ledger().Head();
  if (!survived.ok()) return survived.status();
  if (auto recorded = revocation::RecordPastEpoch(tx, *survived);
      !recorded.ok())
    return recorded;
  if (auto begun = tx.ledger().BeginEpoch(epoch, at_least); !begun.ok())
    return begun;
  auto row = tx.ledger().Append(revocation::AllEntry(
      now, revocation::kLongestAccessLifetime, "restored"));
  if (!row.ok()) return row.status();
  // Which slots were flipped after the backup is lost: all of them are, and
  // what the row above hits needs no sweep.
  if (auto ended = tx.status_lists().InvalidateAll(); !ended.ok()) return ended;
  if (auto swept = status_list::Sweep::RememberSwept(tx, row->sequence);
      !swept.ok()) {
    return swept;
  }
  return tx.audit().Append(audit::Event("store.restore", audit::kOk, now)
                               .By("operator", "")
                               .With("epoch", std::to_string(epoch))
                               .Row());
}

}  // namespace

absl::StatusOr<RestoreReport> Restore(const Config& config, Logger& logger) {
  // The sums that lie beside it may be those of the file it replaces.
  auto foundation = Foundation::Lay(config, {}, storage::StoreFile::kAsFound);
  if (!foundation.ok()) return foundation.status();
  Foundation& house = **foundation;
  const absl::Time now = house.clock.Now();
  const Mark mark = house.mark.value_or(Mark{});
  RestoreReport report;
  report.epoch = std::max(mark.epoch, house.head.epoch) + 1;
  const std::int64_t at_least =
      std::max(static_cast<std::int64_t>(mark.sequence), house.head.sequence);

  // Sessions first: if this is interrupted, the store still refuses to start.
  if (config.restored_sessions == RestoredSessions::kEnd) {
    auto ended = EndAllSessions(*house.store, now);
    if (!ended.ok()) return ended.status();
    report.accounts_signed_out = *ended;
  }
  const absl::Status begun = house.store->Write([&](storage::WriteTx& tx) {
    return BeginEpoch(tx, report.epoch, at_least, now);
  });
  if (!begun.ok()) return begun;
  auto head = storage::ReadValue<storage::LedgerHead>(
      *house.store, [](storage::ReadTx& tx) { return tx.ledger().Head(); });
  if (!head.ok()) return head.status();
  report.sequence = head->sequence;
  logger.Warning("a restored store was taken over",
                 {{"epoch", std::to_string(report.epoch)}});
  auto written = house.mark_file.Write(
      {head->epoch, static_cast<std::uint64_t>(head->sequence), now});
  if (!written.ok()) return written;
  return report;
}

}  // namespace ostiary
