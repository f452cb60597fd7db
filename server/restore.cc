#include "server/restore.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "server/audit/event.h"
#include "server/foundation.h"
#include "server/key/openable.h"
#include "server/key/revoke_all.h"
#include "server/key/revoked_key_file.h"
#include "server/revocation/access_ceiling.h"
#include "server/revocation/entries.h"
#include "server/revocation/past_epochs.h"
#include "server/status_list/sweep.h"
#include "storage/fail_point.h"

namespace ostiary {
namespace {

// Without the mark nobody knows how many epochs there have been since the
// backup. One that came twice would let a verifier take two histories for one.
constexpr std::uint32_t kEpochsThatMayBeLost = 1000;
constexpr absl::Duration kTolerableClock = absl::Seconds(60);

// One restore, step by step.
class Restoring {
 public:
  Restoring(const Config& config, Foundation& house)
      : config_(config), house_(house), now_(house.clock.Now()) {
    report_.choice = *config.restored_sessions;
    report_.from = config.restore_from;
    // The mark holds the clock at its own time. If that had been wrong, the
    // machine's word is taken again: this is how it is set right.
    if (house.mark.has_value() &&
        absl::Now() < house.mark->time - kTolerableClock) {
      report_.clock_was_at = house.mark->time;
      now_ = absl::Now();
    }
    aside_ = absl::StrCat(
        absl::StripPrefix(config.store, "sqlite:"), ".before-restore-",
        absl::FormatTime("%Y%m%dT%H%M%E3S", now_, absl::UTCTimeZone()), "Z");
  }

  // The database is where it belongs already.
  absl::Status InPlace() {
    const auto kind = storage::KindOfStoreFile(config_.store);
    if (!kind.ok()) return kind.status();
    if (*kind == storage::StoreFileKind::kNone) {
      return absl::NotFoundError(
          "there is no store to take over; --from=FILE names a backup");
    }
    if (*kind == storage::StoreFileKind::kBackup) {
      auto adopted = storage::AdoptBackup(config_.store, aside_);
      if (!adopted.ok()) return adopted;
    }
    if (auto sound = storage::CheckStoreFile(config_.store); !sound.ok())
      return NameStore(config_, sound);
    if (auto taken = TakeOver(config_.store); !taken.ok()) return taken;
    return WriteMark();
  }

  // A backup takes its place.
  absl::Status FromFile() {
    const std::string fresh = absl::StrCat(config_.store, ".restoring");
    if (auto removed = storage::RemoveStore(fresh); !removed.ok())
      return removed;
    absl::Status status = MakeFresh(fresh);
    // The mark first: whatever happens from now on, no server starts on the
    // store that was there.
    if (status.ok()) status = WriteMark();
    if (status.ok()) return PutInPlace(fresh);
    house_.store.reset();
    storage::RemoveStore(fresh).IgnoreError();
    return status;
  }

  RestoreReport TakeReport() { return std::move(report_); }

 private:
  absl::Status MakeFresh(const std::string& fresh) {
    const auto imported = storage::ImportStore(config_.restore_from, fresh);
    if (!imported.ok()) return imported.status();
    report_.imported = *imported;
    if (auto taken = TakeOver(fresh); !taken.ok()) return taken;
    house_.store.reset();  // closed: all of it is in its file
    return absl::OkStatus();
  }

  absl::Status PutInPlace(const std::string& fresh) {
    const auto kind = storage::KindOfStoreFile(config_.store);
    if (kind.ok() && *kind != storage::StoreFileKind::kNone)
      report_.set_aside = aside_;
    auto exchanged = storage::ExchangeStore(fresh, config_.store, aside_);
    if (exchanged.ok()) return exchanged;
    return absl::Status(
        exchanged.code(),
        absl::StrCat("the restored store could not be put in place, and no "
                     "server starts on the one that is there; run the same "
                     "command again: ",
                     exchanged.message()));
  }

  absl::Status TakeOver(const std::string& url) {
    // It has been read whole. The sums of pages that lie beside it may be those
    // of the file it replaced.
    if (auto opened =
            house_.Open(config_, url, {}, storage::StoreFile::kAsFound);
        !opened.ok())
      return opened;
    storage::Store& store = *house_.store;
    if (auto opens = key::CheckOpenable(store, house_.kek); !opens.ok()) {
      return absl::Status(
          opens.code(),
          absl::StrCat("the keys in the backup do not open with the "
                       "key-encryption key that is here "
                       "(--key-encryption-key-file): ",
                       opens.message()));
    }
    if (!config_.restore_from.empty()) AskTheOneBefore(store);
    auto settled = SettleSessions(store);
    if (!settled.ok()) return settled;
    if (auto begun = BeginEpoch(store); !begun.ok()) return begun;
    return clock_was_ahead() ? RevokeKeys(store) : absl::OkStatus();
  }

  bool clock_was_ahead() const {
    return report_.clock_was_at != absl::InfinitePast();
  }

  // Before the mark is set back: if this is interrupted, the mark still tells
  // the next restore that the clock was ahead.
  absl::Status RevokeKeys(storage::Store& store) {
    const auto revoked = key::RevokeAllAtNextLoad(
        store,
        key::RevokedKeyFile(RevokedKeysPath(config_.key_encryption_key_file)));
    if (!revoked.ok()) return revoked.status();
    report_.revoked_keys = *revoked;
    return absl::OkStatus();
  }

  // It may be damaged: that is why there is a restore.
  void AskTheOneBefore(storage::Store& restored) {
    const auto kind = storage::KindOfStoreFile(config_.store);
    if (kind.ok() && *kind == storage::StoreFileKind::kNone) return;
    const absl::Status asked = AskStoreBefore(restored);
    report_.asked_the_one_before = asked.ok();
    if (!asked.ok()) report_.why_not_asked = std::string(asked.message());
  }

  absl::Status AskStoreBefore(storage::Store& restored) {
    auto before = storage::OpenStoreForReading(config_.store);
    if (!before.ok()) return before.status();
    const auto head = HeadOf(**before);
    if (!head.ok()) return head.status();
    epoch_before_ = head->epoch;
    sequence_before_ = head->sequence;
    return EndWhatHadEnded(**before, restored, now_, report_.sessions);
  }

  // Before the epoch: if this is interrupted, the store still refuses to start.
  absl::Status SettleSessions(storage::Store& store) {
    const bool end = report_.choice == RestoredSessions::kEnd;
    auto listed = ListLivingSessions(
        store, now_, end ? Fate::kEnded : Fate::kKept, report_.sessions);
    if (!listed.ok() || !end) return listed;
    return EndAllSessions(store, now_);
  }

  absl::Status BeginEpoch(storage::Store& store) {
    const Mark mark = house_.mark.value_or(Mark{});
    report_.epoch =
        std::max({mark.epoch, house_.head.epoch, epoch_before_}) + 1;
    if (!house_.mark.has_value()) report_.epoch += kEpochsThatMayBeLost;
    const std::int64_t at_least =
        std::max({static_cast<std::int64_t>(mark.sequence),
                  house_.head.sequence, sequence_before_});
    const absl::Status begun = store.Write([&](storage::WriteTx& tx) {
      return WriteEpoch(tx, report_.epoch, at_least);
    });
    if (!begun.ok()) return begun;
    Pass(storage::FailPoint::kRestoreEpoch);
    const auto head = HeadOf(store);
    if (!head.ok()) return head.status();
    report_.sequence = head->sequence;
    return absl::OkStatus();
  }

  absl::Status WriteEpoch(storage::WriteTx& tx, std::uint32_t epoch,
                          std::int64_t at_least) const {
    auto survived = tx.ledger().Head();
    if (!survived.ok()) return survived.status();
    if (auto recorded = revocation::RecordPastEpoch(tx, *survived);
        !recorded.ok())
      return recorded;
    if (auto begun = tx.ledger().BeginEpoch(epoch, at_least); !begun.ok())
      return begun;
    auto row = tx.ledger().Append(revocation::AllEntry(
        now_, revocation::kLongestAccessLifetime, "restored"));
    if (!row.ok()) return row.status();
    // Which slots were flipped after the backup is lost: all of them are, and
    // what the row above hits needs no sweep.
    if (auto ended = tx.status_lists().InvalidateAll(); !ended.ok())
      return ended;
    if (auto swept = status_list::Sweep::RememberSwept(tx, row->sequence);
        !swept.ok()) {
      return swept;
    }
    return tx.audit().Append(
        audit::Event(audit::action::kRestore, audit::kOk, now_)
            .By("operator", "")
            .With("epoch", std::to_string(epoch))
            .With("from", report_.from)
            .Row());
  }

  absl::Status WriteMark() const {
    return house_.mark_file.Write(
        {report_.epoch, static_cast<std::uint64_t>(report_.sequence), now_});
  }

  static absl::StatusOr<storage::LedgerHead> HeadOf(storage::Store& store) {
    return storage::ReadValue<storage::LedgerHead>(
        store, [](storage::ReadTx& tx) { return tx.ledger().Head(); });
  }

  const Config& config_;
  Foundation& house_;
  absl::Time now_;
  std::string aside_;
  RestoreReport report_;
  std::uint32_t epoch_before_ = 0;
  std::int64_t sequence_before_ = 0;
};

}  // namespace

absl::StatusOr<RestoreReport> Restore(const Config& config, Logger& logger) {
  auto house = Foundation::Prepare(config, key::MissingFile::kRefuse,
                                   Foundation::DamagedMark::kAsNone);
  if (!house.ok()) return house.status();
  Restoring restoring(config, **house);
  const absl::Status done =
      config.restore_from.empty() ? restoring.InPlace() : restoring.FromFile();
  if (!done.ok()) return done;
  RestoreReport report = restoring.TakeReport();
  logger.Warning("a restored store was taken over",
                 {{"epoch", std::to_string(report.epoch)}});
  return report;
}

}  // namespace ostiary
