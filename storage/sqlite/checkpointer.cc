#include "storage/sqlite/checkpointer.h"

#include "storage/fail_point.h"

namespace ostiary::storage::sqlite {
namespace {

// Called by SQLite after each commit with the length of the log.
int NotePages(void* pages_in_log, sqlite3*, const char*, int pages) {
  *static_cast<int*>(pages_in_log) = pages;
  return SQLITE_OK;
}

}  // namespace

Checkpointer::Checkpointer(Connection& connection, Readers& readers)
    : connection_(connection), readers_(readers) {
  sqlite3_wal_hook(connection_.handle(), NotePages, &pages_in_log_);
}

Checkpointer::~Checkpointer() {
  sqlite3_wal_hook(connection_.handle(), nullptr, nullptr);
}

absl::Status Checkpointer::AfterCommit() {
  // The log has started anew.
  if (pages_in_log_ < kPages) next_at_ = kPages;
  if (pages_in_log_ < next_at_) return absl::OkStatus();
  next_at_ = pages_in_log_ + kPages;
  const bool patient =
      pages_in_log_ >= kTooManyPages && !readers_.has_long_read();
  return Checkpoint(patient ? SQLITE_CHECKPOINT_RESTART
                            : SQLITE_CHECKPOINT_PASSIVE);
}

absl::Status Checkpointer::CopyNow() {
  return Checkpoint(SQLITE_CHECKPOINT_PASSIVE);
}

void Checkpointer::Finish() {
  Checkpoint(SQLITE_CHECKPOINT_TRUNCATE).IgnoreError();
}

absl::Status Checkpointer::Checkpoint(int mode) {
  // Also those taken while we copy would keep the next commit from starting
  // the log anew.
  const Readers::NoSnapshotsKept pause(readers_);
  sqlite3_busy_timeout(connection_.handle(), kPatienceMilliseconds);
  Pass(FailPoint::kCheckpointBefore);
  const int code = sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr,
                                             mode, nullptr, nullptr);
  const absl::Status copied =
      code == SQLITE_OK ? absl::OkStatus() : connection_.ErrorFor(code);
  Pass(FailPoint::kCheckpointAfter);
  sqlite3_busy_timeout(connection_.handle(), Connection::kBusyMilliseconds);
  return copied;
}

}  // namespace ostiary::storage::sqlite
