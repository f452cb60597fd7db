#include "storage/sqlite/backup.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/fail_point.h"
#include "storage/sqlite/file_check.h"
#include "storage/sqlite/file_header.h"
#include "storage/sqlite/ledger.h"
#include "storage/sqlite/new_file.h"
#include "storage/sqlite/query.h"

namespace ostiary::storage::sqlite {
namespace {

// 1 MiB: between two steps it can be stopped.
constexpr int kPagesAtATime = 256;
// 8 MiB: how much others' syncs may have to wait for.
constexpr int kStepsBetweenFlushes = 8;

// Nothing of the journal on disk, no syncs but ours, all pages soon in the
// file.
constexpr char kTargetPragmas[] =
    "PRAGMA journal_mode = MEMORY;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA cache_size = -2048;";

bool Stopped(const BackupOrder& order) { return order.stop && order.stop(); }

absl::Status Cancelled() {
  return absl::CancelledError("the backup was given up; nothing is left of it");
}

// The disk of the copy, not that of the store.
absl::Status WriteError(int code, const std::string& path) {
  const absl::Status status = StatusFrom(code, absl::StrCat("writing ", path));
  if ((code & 0xff) != SQLITE_FULL && code != SQLITE_IOERR_WRITE) return status;
  return absl::ResourceExhaustedError(absl::StrCat(
      "no room for the backup; nothing is left of it: ", status.message()));
}

absl::StatusOr<std::int64_t> Number(Connection& connection, const char* sql) {
  Query query(connection, sql);
  const absl::StatusOr<bool> found = query.Next();
  if (!found.ok()) return found.status();
  return query.Int();
}

// One moment of the store, kept until this goes.
class Snapshot {
 public:
  explicit Snapshot(Connection& source) : source_(source) {}
  ~Snapshot() {
    source_.ClearFailure();
    Query(source_, "ROLLBACK").Run().IgnoreError();
    source_.ClearFailure();
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Takes the snapshot and says what is in it.
  absl::Status Take(Backup& backup, std::int64_t& bytes) {
    if (auto begun = Query(source_, "BEGIN").Run(); !begun.ok()) return begun;
    const auto head = SqliteLedger(source_).Head();
    if (!head.ok()) return head.status();
    const auto version = Number(source_, "PRAGMA user_version");
    if (!version.ok()) return version.status();
    const auto pages = Number(source_, "PRAGMA page_count");
    if (!pages.ok()) return pages.status();
    const auto page_size = Number(source_, "PRAGMA page_size");
    if (!page_size.ok()) return page_size.status();
    backup.head = *head;
    backup.schema_version = static_cast<int>(*version);
    bytes = *pages * *page_size;
    return absl::OkStatus();
  }

 private:
  Connection& source_;
};

// SQLite's own copier. It begins anew whenever the source has changed, unless,
// as here, a transaction is open there.
class Copier {
 public:
  Copier(Connection& source, Connection& target)
      : copier_(sqlite3_backup_init(target.handle(), "main", source.handle(),
                                    "main")) {}
  ~Copier() {
    if (copier_ != nullptr) sqlite3_backup_finish(copier_);
  }
  Copier(const Copier&) = delete;
  Copier& operator=(const Copier&) = delete;

  bool ok() const { return copier_ != nullptr; }
  int Step() { return sqlite3_backup_step(copier_, kPagesAtATime); }
  std::int64_t total() const { return sqlite3_backup_pagecount(copier_); }
  std::int64_t copied() const {
    return total() - sqlite3_backup_remaining(copier_);
  }

 private:
  sqlite3_backup* const copier_;
};

absl::Status CopyPages(Connection& source, const NewFile& file,
                       const BackupOrder& order) {
  auto target = Connection::Open(file.part());
  if (!target.ok()) return target.status();
  if (auto set = (*target)->Execute(kTargetPragmas); !set.ok()) return set;
  Copier copier(source, **target);
  if (!copier.ok()) return (*target)->ErrorFor((*target)->last_code());
  for (int step = 1;; ++step) {
    if (Stopped(order)) return Cancelled();
    const int code = copier.Step();
    if (code != SQLITE_OK && code != SQLITE_DONE)
      return WriteError(code, file.part());
    if (order.on_progress) order.on_progress(copier.copied(), copier.total());
    if (code == SQLITE_DONE) return absl::OkStatus();
    if (step % kStepsBetweenFlushes != 0) continue;
    if (auto flushed = file.FlushSoFar(); !flushed.ok()) return flushed;
  }
}

absl::Status CheckCopy(const NewFile& file, const BackupOrder& order) {
  auto copy = Connection::Open(file.part(), Connection::Access::kReadOnly);
  if (!copy.ok()) return copy.status();
  absl::Status status = CheckWhole(**copy, order.stop);
  if (absl::IsCancelled(status)) return Cancelled();
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(absl::StrCat(
      "the copy is not sound, and so the store is not; nothing is left of "
      "the copy: ",
      status.message()));
}

}  // namespace

absl::StatusOr<Backup> WriteBackup(Connection& source,
                                   const BackupOrder& order) {
  absl::StatusOr<NewFile> file = NewFile::Create(order.path);
  if (!file.ok()) return file.status();
  Backup backup;
  backup.path = order.path;
  {
    Snapshot snapshot(source);
    std::int64_t bytes = 0;
    if (auto taken = snapshot.Take(backup, bytes); !taken.ok()) return taken;
    if (auto room = file->CheckRoom(bytes); !room.ok()) return room;
    if (auto copied = CopyPages(source, *file, order); !copied.ok())
      return copied;
  }
  if (auto sealed = SealHeader(file->descriptor()); !sealed.ok()) return sealed;
  if (auto sound = CheckCopy(*file, order); !sound.ok()) return sound;
  const absl::StatusOr<NewFile::Digest> digest = file->Describe();
  if (!digest.ok()) return digest.status();
  backup.size_bytes = digest->size_bytes;
  backup.sha256 = digest->sha256;
  if (Stopped(order)) return Cancelled();
  Pass(FailPoint::kBackupBefore);
  if (auto published = file->Publish(); !published.ok()) return published;
  Pass(FailPoint::kBackupAfter);
  return backup;
}

}  // namespace ostiary::storage::sqlite
