#include "server/upkeep.h"

#include <string>

#include "server/base/secret_arena.h"

namespace ostiary {
namespace {

constexpr std::size_t kRowsAtATime = 500;
// Small rows, of which every refresh across an hour leaves one.
constexpr std::size_t kSlotsAtATime = 10'000;
// For people who ask what happened.
constexpr absl::Duration kAuditKept = absl::Hours(24 * 400);
// A client that comes late with an old token is told apart from a forger, and
// an operator can see what ended.
constexpr absl::Duration kEndedSessionsKept = absl::Hours(24 * 7);
constexpr absl::Duration kRenewalDue = absl::Hours(24 * 14);
// In one turn, between two marks: a second or less.
constexpr int kSweepBatches = 100;
constexpr absl::Duration kTolerableLeap = absl::Seconds(60);

}  // namespace

Upkeep::Upkeep(const Rooms& rooms) : rooms_(rooms) {}

absl::Status Upkeep::WriteMark() {
  // The head that is in force in memory is committed: the mark never runs ahead
  // of the store.
  const revocation::Revision applied = rooms_.revocations.applied();
  return rooms_.mark_file.Write({applied.epoch,
                                 static_cast<std::uint64_t>(applied.sequence),
                                 rooms_.clock.Now()});
}

void Upkeep::RefreshMark() {
  if (auto status = WriteMark(); !status.ok()) {
    rooms_.logger.Error("the mark could not be written",
                        {{"status", status.ToString()}});
  }
}

void Upkeep::WatchDisk() {
  const bool full = rooms_.store.disk_room().full;
  if (full == disk_was_full_) return;
  disk_was_full_ = full;
  if (full) {
    rooms_.logger.Error(
        "the disk is full: only what ends access is done until there is room");
  } else {
    rooms_.logger.Info("there is room on the disk again");
  }
}

void Upkeep::ApplyKeySchedule() {
  auto changed = rooms_.keys.ApplySchedule();
  if (!changed.ok()) {
    rooms_.logger.Error("the key schedule could not be applied",
                        {{"status", changed.status().ToString()}});
  } else if (*changed > 0) {
    rooms_.logger.Info(
        "signing keys moved along",
        {{"changes", std::to_string(*changed)},
         {"active_key_id", rooms_.keys.Snapshot()->active().key_id()}});
  }
}

bool Upkeep::ClockIsInDoubt() {
  const absl::Duration leap = absl::AbsDuration(rooms_.clock.Leapt());
  if (leap > kTolerableLeap && !clock_in_doubt_) {
    clock_in_doubt_ = true;
    rooms_.logger.Error(
        "the clock leapt: nothing is forgotten any more until the server is "
        "restarted",
        {{"leap", absl::FormatDuration(leap)}});
  }
  return clock_in_doubt_;
}

void Upkeep::ForgetWhatHasEnded() {
  if (ClockIsInDoubt()) return;
  const absl::Time now = rooms_.clock.Now();
  rooms_.revocations.Forget(now);
  rooms_.status_lists.Forget(now);
  const absl::Status status =
      rooms_.store.Write([&](storage::WriteTx& tx) -> absl::Status {
        auto ledger = tx.ledger().DeleteExpired(now, kRowsAtATime);
        if (!ledger.ok()) return ledger.status();
        auto sessions =
            tx.sessions().DeleteEnded(now - kEndedSessionsKept, kRowsAtATime);
        if (!sessions.ok()) return sessions.status();
        auto slots = tx.status_lists().DeleteExpired(now, kSlotsAtATime);
        if (!slots.ok()) return slots.status();
        return tx.audit().DeleteBefore(now - kAuditKept, kRowsAtATime).status();
      });
  if (!status.ok()) {
    rooms_.logger.Warning("what has ended could not be deleted",
                          {{"status", status.ToString()}});
  }
}

void Upkeep::SweepStatusLists() {
  const absl::Status status =
      rooms_.sweep.Continue(rooms_.store, rooms_.clock.Now(), kSweepBatches);
  if (!status.ok()) {
    rooms_.logger.Warning("the status lists could not be swept",
                          {{"status", status.ToString()}});
  }
}

void Upkeep::WarnOfFullArena() {
  if (!SecretArenaOverflowed() || arena_was_full_) return;
  arena_was_full_ = true;
  rooms_.logger.Warning(
      "the memory for secrets is full: some lie in ordinary memory, where a "
      "core dump would show them",
      {{"bytes", std::to_string(kSecretArenaBytes)}});
}

void Upkeep::ReloadCertificates() {
  if (rooms_.certificates == nullptr) return;
  const std::uint64_t before = rooms_.certificates->Current()->serial;
  if (auto status = rooms_.certificates->Reload(); !status.ok()) {
    rooms_.logger.Error(
        "new certificates were not taken into use; the old pair stays",
        {{"status", status.ToString()}});
  } else if (rooms_.certificates->Current()->serial != before) {
    rooms_.logger.Info("new certificates are in use");
  }
}

void Upkeep::WarnOfExpiry() {
  if (rooms_.certificates == nullptr) return;
  const absl::Time not_after = rooms_.certificates->NotAfter();
  if (not_after - rooms_.clock.Now() > kRenewalDue) return;
  rooms_.logger.Warning(
      "the TLS certificate ends soon or has ended",
      {{"not_after", absl::FormatTime(not_after, absl::UTCTimeZone())}});
}

}  // namespace ostiary
