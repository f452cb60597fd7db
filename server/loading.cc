#include "server/loading.h"

#include <algorithm>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "server/revocation/access_ceiling.h"
#include "server/settings.h"
#include "storage/fail_point.h"

namespace ostiary {
namespace {

// A commit that takes longer has kept clients waiting: their retry window does
// not run meanwhile.
constexpr absl::Duration kStalledCommit = absl::Seconds(1);

using Rows = std::vector<storage::LedgerRow>;

// Few enough to be in the cache still when they are applied.
constexpr std::size_t kRowsAtATime = 1000;

// Gives `take` the rows with a sequence > `after` and <= `last`, in order.
absl::Status ReadLedger(storage::Store& store, std::int64_t after,
                        std::int64_t last,
                        absl::FunctionRef<void(const Rows& rows)> take) {
  Rows rows;
  for (;;) {
    const absl::Status read = store.Read([&](storage::ReadTx& tx) {
      return tx.ledger().ReadAfter(after, kRowsAtATime, rows);
    });
    if (!read.ok()) return read;
    bool done = rows.size() < kRowsAtATime;
    while (!rows.empty() && rows.back().sequence > last) {
      rows.pop_back();
      done = true;
    }
    take(rows);
    if (done) return absl::OkStatus();
    after = rows.back().sequence;
  }
}

// The sequence of the first row.
absl::StatusOr<std::int64_t> FirstOf(storage::Store& store) {
  const auto first = storage::ReadValue<Rows>(
      store, [](storage::ReadTx& tx) { return tx.ledger().After(0, 1); });
  if (!first.ok()) return first.status();
  return first->empty() ? 0 : first->front().sequence;
}

// A ledger that is worth it is loaded in two halves side by side: which row
// about a thing comes first makes no difference to what is in force. Only the
// feed must have its rows in order: it gets the newest, and knows from where.
absl::Status LoadLedger(storage::Store& store, const storage::LedgerHead& head,
                        Aftermath& aftermath) {
  const auto first = FirstOf(store);
  if (!first.ok()) return first.status();
  const auto feed_rows = static_cast<std::int64_t>(kFeedRows);
  const std::int64_t rows_at_most =
      *first == 0 ? 0 : head.sequence - *first + 1;
  const std::int64_t fed_after =
      rows_at_most > feed_rows ? head.sequence - feed_rows : 0;
  const std::int64_t middle = rows_at_most > 2 * feed_rows
                                  ? head.sequence - rows_at_most / 2
                                  : fed_after;
  if (fed_after > 0) aftermath.feed_log.BeginAfter(fed_after);
  const auto in_force = [&](const Rows& rows) {
    aftermath.revocations.Apply(head, rows);
    aftermath.sweep.Announce(rows);
  };
  absl::Status oldest;
  std::thread oldest_rows;
  if (middle > 0) {
    oldest_rows =
        std::thread([&] { oldest = ReadLedger(store, 0, middle, in_force); });
  }
  absl::Status newer = ReadLedger(store, middle, fed_after, in_force);
  if (newer.ok()) {
    newer = ReadLedger(store, fed_after, head.sequence, [&](const Rows& rows) {
      in_force(rows);
      aftermath.feed_log.Append(head, rows);
    });
  }
  if (oldest_rows.joinable()) oldest_rows.join();
  return newer.ok() ? oldest : newer;
}

}  // namespace

storage::StoreListener Aftermath::Listener() {
  storage::StoreListener listener;
  listener.on_ledger = [this](const storage::LedgerHead& head,
                              const std::vector<storage::LedgerRow>& rows) {
    revocations.Apply(head, rows);
    feed_log.Append(head, rows);
    sweep.Announce(rows);
  };
  listener.on_status_flips =
      [this](const std::vector<storage::StatusSlot>& flipped) {
        status_lists.Apply(flipped);
      };
  listener.on_commit = [this](absl::Time began, absl::Duration took,
                              std::size_t count) {
    commit_seconds.Observe(took);
    operations.Increment(static_cast<double>(count));
    if (took > kStalledCommit) serving_time.AddPause(began, began + took);
  };
  return listener;
}

absl::StatusOr<Loaded> Load(const Config& config, Foundation& foundation,
                            Aftermath& aftermath, Random& random) {
  storage::Store& store = *foundation.store;
  const absl::Time now = foundation.clock.Now();
  if (auto status = aftermath.status_lists.Load(store); !status.ok())
    return status;
  if (auto status = aftermath.sweep.Load(store); !status.ok()) return status;
  if (auto status = LoadLedger(store, foundation.head, aftermath);
      !status.ok()) {
    return status;
  }
  auto keys = key::KeyRing::Load(store, foundation.kek, foundation.clock,
                                 KeyRingOptionsOf(config));
  if (!keys.ok()) return keys.status();
  Pass(storage::FailPoint::kStartKeys);
  const auto symmetric = [&](absl::string_view purpose) {
    return key::SymmetricKeys::LoadOrCreate(store, foundation.kek, purpose,
                                            random, now);
  };
  auto refresh = symmetric(key::kRefreshPurpose);
  if (!refresh.ok()) return refresh.status();
  auto identifier = symmetric(key::kIdentifierHashPurpose);
  if (!identifier.ok()) return identifier.status();
  auto decoy = symmetric(key::kDecoyPurpose);
  if (!decoy.ok()) return decoy.status();
  auto ceiling = revocation::AgreeOnAccessCeiling(
      store, config.access_token_lifetime, now);
  if (!ceiling.ok()) return ceiling.status();
  auto past_epochs = revocation::LoadPastEpochs(store);
  if (!past_epochs.ok()) return past_epochs.status();
  std::unique_ptr<CertificateStore> certificates;
  if (config.UsesTls()) {
    auto opened = CertificateStore::Open(
        {config.tls_cert, config.tls_key, config.tls_client_ca});
    if (!opened.ok()) return opened.status();
    certificates = *std::move(opened);
  }
  auto minter = token::AccessTokenMinter::Create(
      {config.issuer, config.access_token_lifetime});
  if (!minter.ok()) return minter.status();
  auto verifier = jwt::Verifier::Create(VerifierOptionsOf(config));
  if (!verifier.ok()) return verifier.status();
  return Loaded{*std::move(keys),
                *std::move(refresh),
                *std::move(identifier),
                *std::move(decoy),
                *ceiling,
                *std::move(past_epochs),
                std::move(certificates),
                *std::move(minter),
                *std::move(verifier)};
}

}  // namespace ostiary
