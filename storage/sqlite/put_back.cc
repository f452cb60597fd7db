#include "storage/sqlite/put_back.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/fail_point.h"
#include "storage/sqlite/file_check.h"
#include "storage/sqlite/file_header.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/new_file.h"
#include "storage/sqlite/query.h"
#include "storage/sqlite/summing_vfs.h"
#include "storage/sqlite/transaction.h"

namespace ostiary::storage::sqlite {
namespace {

constexpr std::size_t kCopyAtATime = std::size_t{1} << 20;

// Files that SQLite keeps beside a database in use.
std::string LogOf(const std::string& path) { return path + "-wal"; }
std::string LogIndexOf(const std::string& path) { return path + "-shm"; }
// And that page_sums.h keeps there.
std::string SumsOf(const std::string& path) { return path + "-sums"; }
std::string ReserveOf(const std::string& path) { return path + "-reserve"; }

absl::Status SystemError(absl::string_view what, const std::string& path) {
  const std::string message =
      absl::StrCat("cannot ", what, " '", path, "': ", std::strerror(errno));
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
    return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

class Input {
 public:
  explicit Input(const std::string& path)
      : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Input() {
    if (file_ >= 0) close(file_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  int get() const { return file_; }

 private:
  const int file_;
};

std::int64_t SizeOf(const std::string& path) {
  struct stat entry {};
  return stat(path.c_str(), &entry) == 0
             ? static_cast<std::int64_t>(entry.st_size)
             : 0;
}

absl::Status WriteAll(int to, const char* bytes, std::size_t count,
                      const std::string& path) {
  while (count > 0) {
    const ssize_t written = write(to, bytes, count);
    if (written < 0) return SystemError("write", path);
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
  return absl::OkStatus();
}

absl::Status CopyInto(const std::string& from, const NewFile& to) {
  const Input input(from);
  if (input.get() < 0) return SystemError("read", from);
  std::vector<char> buffer(kCopyAtATime);
  for (;;) {
    const ssize_t count = read(input.get(), buffer.data(), buffer.size());
    if (count < 0) return SystemError("read", from);
    if (count == 0) return absl::OkStatus();
    auto written = WriteAll(to.descriptor(), buffer.data(),
                            static_cast<std::size_t>(count), to.part());
    if (!written.ok()) return written;
  }
}

// Returns what was copied.
absl::StatusOr<NewFile::Digest> CopyFile(const std::string& from,
                                         const std::string& to) {
  absl::StatusOr<NewFile> file = NewFile::Create(to);
  if (!file.ok()) return file.status();
  if (auto room = file->CheckRoom(SizeOf(from)); !room.ok()) return room;
  if (auto copied = CopyInto(from, *file); !copied.ok()) return copied;
  absl::StatusOr<NewFile::Digest> digest = file->Describe();
  if (!digest.ok()) return digest;
  if (auto published = file->Publish(); !published.ok()) return published;
  return digest;
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return SystemError("remove", path);
}

absl::Status RemoveLog(const std::string& path) {
  if (auto removed = RemoveFile(LogOf(path)); !removed.ok()) return removed;
  return RemoveFile(LogIndexOf(path));
}

// The log belongs to the database that is set aside: laid over another it would
// tear that to pieces.
absl::Status SetLogAside(const std::string& path, const std::string& aside) {
  if (SizeOf(LogOf(path)) > 0 &&
      std::rename(LogOf(path).c_str(), LogOf(aside).c_str()) != 0) {
    return SystemError("rename", LogOf(path));
  }
  absl::Status removed = RemoveLog(path);
  Pass(FailPoint::kRestoreLogAside);
  return removed;
}

// Copies the log into the database that it belongs to, so that the database
// alone tells its newest revocations: dies this process once it has taken the
// log away, the next restore asks the database again. One that cannot be opened
// stays as it is.
void FoldLog(const std::string& path) {
  // They would call what is folded in damage, and nobody could ask it again.
  if (!RemoveFile(SumsOf(path)).ok()) return;
  auto connection = Connection::Open(path);
  if (!connection.ok()) return;
  (*connection)->Execute("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
}

// A second name for the database, so that there is no moment without it.
absl::Status SetAside(const std::string& path, const std::string& aside) {
  if (link(path.c_str(), aside.c_str()) == 0) return absl::OkStatus();
  if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK) {
    if (std::rename(path.c_str(), aside.c_str()) == 0) return absl::OkStatus();
  }
  return SystemError("set aside", path);
}

// As ReadHeader; of a store that has not yet been copied out of its log, what
// will be in its header.
absl::StatusOr<std::optional<FileHeader>> HeaderIn(const std::string& path) {
  absl::StatusOr<std::optional<FileHeader>> header = ReadHeader(path);
  if (!header.ok() || SizeOf(LogOf(path)) == 0) return header;
  const bool all_in_log =
      header->has_value() ? (*header)->application_id == 0 : SizeOf(path) == 0;
  if (all_in_log) *header = FileHeader{kApplicationId, 0};
  return header;
}

absl::StatusOr<FileHeader> HeaderOf(const std::string& from) {
  absl::StatusOr<std::optional<FileHeader>> header = HeaderIn(from);
  if (!header.ok()) return header.status();
  const bool ours =
      header->has_value() && ((*header)->application_id == kBackupId ||
                              (*header)->application_id == kApplicationId);
  if (!ours) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", from, "' is no database of Ostiary"));
  }
  const auto newest = static_cast<std::int32_t>(EmbeddedMigrations().size());
  if ((*header)->schema_version > newest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "'", from, "' has schema version ", (*header)->schema_version,
        " and this program knows versions up to ", newest,
        "; restore it with the newer release that wrote it"));
  }
  return **header;
}

absl::Status ImportInto(const std::string& from, const std::string& path,
                        ImportedFile& imported) {
  const absl::StatusOr<FileHeader> header = HeaderOf(from);
  if (!header.ok()) return header.status();
  const auto copied = CopyFile(from, path);
  if (!copied.ok()) return copied.status();
  imported.size_bytes = copied->size_bytes;
  imported.sha256 = copied->sha256;
  imported.schema_version = header->schema_version;
  Pass(FailPoint::kRestoreCopied);
  // A backup is all in one file. A database that was merely copied may have
  // its newest part beside it.
  if (header->application_id == kApplicationId && SizeOf(LogOf(from)) > 0) {
    const auto log = CopyFile(LogOf(from), LogOf(path));
    if (!log.ok()) return log.status();
  }
  if (header->application_id == kBackupId) {
    if (auto unsealed = UnsealHeader(path); !unsealed.ok()) return unsealed;
  }
  absl::Status sound = CheckFile(path);
  if (!absl::IsDataLoss(sound)) return sound;
  return absl::DataLossError(absl::StrCat(
      "'", from, "' is damaged and cannot be put back: ", sound.message()));
}

// Reads alone, one at a time.
class ReadOnlyStore : public Store {
 public:
  ReadOnlyStore(std::unique_ptr<SummingVfs> vfs,
                std::unique_ptr<Connection> connection)
      : vfs_(std::move(vfs)),
        connection_(std::move(connection)),
        tx_(*connection_) {}

  absl::Status Read(ReadFn fn) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    connection_->ClearFailure();
    if (auto begun = Query(*connection_, "BEGIN").Run(); !begun.ok())
      return begun;
    absl::Status status = fn(tx_);
    connection_->ClearFailure();
    Query(*connection_, "ROLLBACK").Run().IgnoreError();
    return status;
  }
  absl::Status Write(WriteFn) override {
    return absl::UnavailableError("this store was opened to be read");
  }
  absl::Status Ping() override {
    return absl::UnavailableError("this store was opened to be read");
  }

 private:
  std::mutex mutex_;
  const std::unique_ptr<SummingVfs> vfs_;  // goes last: it has the files
  const std::unique_ptr<Connection> connection_;
  SqliteReadTx tx_;
};

}  // namespace

absl::StatusOr<StoreFileKind> KindOf(const std::string& path) {
  const absl::StatusOr<std::optional<FileHeader>> header = HeaderIn(path);
  if (absl::IsNotFound(header.status())) return StoreFileKind::kNone;
  if (!header.ok()) return header.status();
  if (!header->has_value()) return StoreFileKind::kOther;
  if ((*header)->application_id == kBackupId) return StoreFileKind::kBackup;
  return (*header)->application_id == kApplicationId ? StoreFileKind::kStore
                                                     : StoreFileKind::kOther;
}

absl::StatusOr<ImportedFile> Import(const std::string& from,
                                    const std::string& path) {
  ImportedFile imported;
  const absl::Status status = ImportInto(from, path, imported);
  if (status.ok()) return imported;
  Remove(path).IgnoreError();
  return status;
}

absl::Status CheckFile(const std::string& path) {
  auto connection = Connection::Open(path);
  if (!connection.ok()) return connection.status();
  // It leaves the file as it is, its log included: the sums say what is in it.
  sqlite3_db_config((*connection)->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                    1, nullptr);
  return CheckWhole(**connection, nullptr);
}

absl::Status Exchange(const std::string& fresh, const std::string& path,
                      const std::string& aside) {
  if (SizeOf(LogOf(fresh)) > 0) {
    return absl::InternalError(
        absl::StrCat("the store '", fresh, "' was not closed cleanly"));
  }
  if (auto removed = RemoveLog(fresh); !removed.ok()) return removed;
  if (access(path.c_str(), F_OK) == 0) {
    const auto kind = KindOf(path);
    if (kind.ok() && *kind == StoreFileKind::kStore) FoldLog(path);
    if (auto set = SetAside(path, aside); !set.ok()) return set;
  }
  Pass(FailPoint::kRestoreAside);
  if (auto set = SetLogAside(path, aside); !set.ok()) return set;
  // The log must be gone from the disk before another database is there, and so
  // must the sums: no crash leaves those of one store beside the other. The
  // next start makes them anew.
  for (const std::string& store : {path, fresh}) {
    if (auto removed = RemoveFile(SumsOf(store)); !removed.ok()) return removed;
  }
  // The one of the store that goes is the one of the store that comes.
  if (auto removed = RemoveFile(ReserveOf(fresh)); !removed.ok())
    return removed;
  if (auto synced = SyncFolderOf(path); !synced.ok()) return synced;
  if (std::rename(fresh.c_str(), path.c_str()) != 0)
    return SystemError("put in place", fresh);
  Pass(FailPoint::kRestorePlaced);
  return SyncFolderOf(path);
}

absl::Status Adopt(const std::string& path, const std::string& aside) {
  if (auto set = SetLogAside(path, aside); !set.ok()) return set;
  if (auto removed = RemoveFile(SumsOf(path)); !removed.ok()) return removed;
  if (auto synced = SyncFolderOf(path); !synced.ok()) return synced;
  return UnsealHeader(path);
}

absl::Status Remove(const std::string& path) {
  if (auto removed = RemoveLog(path); !removed.ok()) return removed;
  if (auto removed = RemoveFile(SumsOf(path)); !removed.ok()) return removed;
  if (auto removed = RemoveFile(ReserveOf(path)); !removed.ok()) return removed;
  if (auto removed = RemoveFile(path + ".part"); !removed.ok()) return removed;
  if (auto removed = RemoveFile(LogOf(path) + ".part"); !removed.ok())
    return removed;
  return RemoveFile(path);
}

absl::StatusOr<std::unique_ptr<Store>> OpenForReading(const std::string& path) {
  auto vfs = SummingVfs::Create(path, FileTrust::kAsWritten);
  if (!vfs.ok()) return vfs.status();
  auto connection =
      Connection::Open(path, Connection::Access::kReadOnly, (*vfs)->name());
  if (!connection.ok()) return connection.status();
  absl::Status known = CheckSchema(**connection, path, EmbeddedMigrations());
  if (!known.ok()) return known;
  return std::make_unique<ReadOnlyStore>(*std::move(vfs),
                                         *std::move(connection));
}

}  // namespace ostiary::storage::sqlite
