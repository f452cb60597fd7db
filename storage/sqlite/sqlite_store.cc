#include "storage/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/sqlite/backup.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/engine.h"
#include "storage/sqlite/log_check.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/readers.h"
#include "storage/sqlite/summing_vfs.h"
#include "storage/sqlite/writer.h"

namespace ostiary::storage::sqlite {
namespace {

constexpr char kReserveSuffix[] = "-reserve";

// Rewritten by Ping.
constexpr char kProbe[] = "store.probe";

// FULL: a commit is on the disk before it is answered. The log is cut back to
// its limit (16 MiB) whenever it starts anew after a peak. Temporary things
// (savepoints) stay in memory.
constexpr char kWriterPragmas[] =
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA journal_size_limit = 16777216;";

constexpr char kReaderPragmas[] =
    "PRAGMA query_only = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA mmap_size = 268435456;";  // 256 MiB of address space

// Not mapped: what is read once must not push out what is read always.
constexpr char kBackupPragmas[] =
    "PRAGMA query_only = ON;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA cache_size = -2048;";

class SqliteStore : public Store {
 public:
  SqliteStore(std::string path, std::unique_ptr<SummingVfs> vfs,
              std::unique_ptr<Connection> writer,
              std::unique_ptr<Reserve> reserve,
              std::vector<std::unique_ptr<Connection>> readers,
              StoreListener listener)
      : path_(std::move(path)),
        vfs_(std::move(vfs)),
        readers_(std::move(readers), commits_),
        writer_(std::move(writer), std::move(reserve), readers_, commits_,
                std::move(listener)) {}

  absl::Status Read(ReadFn fn) override { return readers_.Read(fn); }
  absl::Status ReadRecent(ReadFn fn) override {
    return readers_.ReadRecent(fn);
  }
  absl::Status Write(WriteFn fn) override { return writer_.Write(fn); }
  absl::Status Ping() override {
    // A real write: a full disk is noticed by nothing less. Each time another
    // value: SQLite leaves a page alone that would not change.
    const std::string value = absl::StrCat(absl::GetCurrentTimeNanos());
    return Write([&](WriteTx& tx) { return tx.facts().Put(kProbe, value); });
  }
  absl::StatusOr<Backup> BackUp(const BackupOrder& order) override {
    // A connection of its own: the others are for those who wait.
    absl::StatusOr<std::unique_ptr<Connection>> source =
        Connection::Open(path_, Connection::Access::kReadWrite, vfs_->name());
    if (!source.ok()) return source.status();
    if (auto set = (*source)->Execute(kBackupPragmas); !set.ok()) return set;
    const Readers::LongRead long_read(readers_);
    return WriteBackup(**source, order);
  }
  DiskRoom disk_room() const override { return writer_.disk_room(); }

 private:
  const std::string path_;
  const std::unique_ptr<SummingVfs> vfs_;  // goes last: it has the files
  CommitNumber commits_{0};
  Readers readers_;
  Writer writer_;  // goes first: its last checkpoint needs the readers
};

// Creates the file before SQLite would, with our mode; SQLite gives -wal and
// -shm the same. A file that exists is not opened here: closing it would drop
// the locks that this process may hold on it.
absl::Status CreateIfMissing(const std::string& path) {
  const int file =
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) {
    close(file);
    return absl::OkStatus();
  }
  if (errno == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
}

// What SQLite would not see, or would see too late.
absl::Status CheckBeforeSqlite(const std::string& path) {
  sqlite3_vfs* const vfs = SystemVfs();
  {
    absl::StatusOr<std::unique_ptr<VfsFile>> opened =
        VfsFile::Open(vfs, path, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB);
    if (!opened.ok()) return opened.status();
    sqlite3_file* const file = (*opened)->get();
    std::string header(kFileHeaderBytes, '\0');
    // A file that is shorter leaves zeroes, and is new.
    file->pMethods->xRead(file, header.data(), kFileHeaderBytes, 0);
    const absl::Status known =
        RefuseNewerFile(header, path, EmbeddedMigrations());
    if (!known.ok()) return known;
  }
  return CheckLog(vfs, path);
}

absl::StatusOr<std::unique_ptr<Connection>> OpenConnection(
    const std::string& path, const SummingVfs& vfs, const char* pragmas) {
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      Connection::Open(path, Connection::Access::kReadWrite, vfs.name());
  if (!connection.ok()) return connection.status();
  const absl::Status set = (*connection)->Execute(pragmas);
  if (!set.ok()) return set;
  return connection;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(SqliteOptions options) {
  // Absolute, so that SQLite takes no name for ":memory:" or a URI.
  const std::string path =
      std::filesystem::absolute(options.path).lexically_normal().string();
  const absl::Status created = CreateIfMissing(path);
  if (!created.ok()) return created;
  if (const absl::Status known = CheckBeforeSqlite(path); !known.ok())
    return known;
  // Before anything is written: on a full disk it makes the room that opening
  // the store takes.
  absl::StatusOr<std::unique_ptr<Reserve>> reserve =
      Reserve::Open(absl::StrCat(path, kReserveSuffix));
  if (!reserve.ok()) return reserve.status();
  absl::StatusOr<std::unique_ptr<SummingVfs>> vfs =
      SummingVfs::Create(path, options.trust);
  if (!vfs.ok()) return vfs.status();
  absl::StatusOr<std::unique_ptr<Connection>> writer =
      Connection::Open(path, Connection::Access::kReadWrite, (*vfs)->name());
  if (!writer.ok()) return writer.status();
  const absl::Status migrated = Migrate(**writer, path, EmbeddedMigrations());
  if (!migrated.ok()) return migrated;
  const absl::Status set = (*writer)->Execute(kWriterPragmas);
  if (!set.ok()) return set;
  std::vector<std::unique_ptr<Connection>> readers;
  for (int i = 0; i < options.readers; ++i) {
    absl::StatusOr<std::unique_ptr<Connection>> reader =
        OpenConnection(path, **vfs, kReaderPragmas);
    if (!reader.ok()) return reader.status();
    readers.push_back(*std::move(reader));
  }
  return std::make_unique<SqliteStore>(
      path, *std::move(vfs), *std::move(writer), *std::move(reserve),
      std::move(readers), std::move(options.listener));
}

}  // namespace ostiary::storage::sqlite
