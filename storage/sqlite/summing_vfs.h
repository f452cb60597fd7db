#ifndef OSTIARY_STORAGE_SQLITE_SUMMING_VFS_H_
#define OSTIARY_STORAGE_SQLITE_SUMMING_VFS_H_

#include <sqlite3.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/sqlite/page_sums.h"

namespace ostiary::storage::sqlite {

// A file that is read and written through SQLite's interface to files.
class VfsFile {
 public:
  // As sqlite3_vfs.xOpen. `path` is kept: SQLite wants it to stay.
  static absl::StatusOr<std::unique_ptr<VfsFile>> Open(sqlite3_vfs* vfs,
                                                       std::string path,
                                                       int flags);
  ~VfsFile();
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  sqlite3_file* get() { return reinterpret_cast<sqlite3_file*>(file_.data()); }

 private:
  VfsFile(std::string path, std::size_t size)
      : path_(std::move(path)), file_(size / sizeof(void*) + 1) {}

  const std::string path_;
  std::vector<void*> file_;
};

// What to make of STORE-sums.
enum class FileTrust {
  kAsWritten,  // the file must be as this program left it
  kAsFound,    // it was put there by other means: begin anew with what it is
};

// SQLite's interface to the operating system (the default one, or what a test
// put in its place), with a check of every page of the store's main file that
// is read, by file and by memory map, and a note of every page written. A page
// that is not what was last written there fails with SQLITE_IOERR_DATA, before
// SQLite makes anything of it.
//
// One object for one store; registered under a name of its own while it lives.
// The log is checked by log_check.h and by SQLite.
class SummingVfs {
 public:
  // Reads the sums. kDataLoss: they are damaged themselves.
  static absl::StatusOr<std::unique_ptr<SummingVfs>> Create(std::string path,
                                                            FileTrust trust);
  // No connection may be open.
  ~SummingVfs();
  SummingVfs(const SummingVfs&) = delete;
  SummingVfs& operator=(const SummingVfs&) = delete;

  const char* name() const { return vfs_.zName; }

 private:
  friend struct SummingFile;  // the C interface, in the .cc

  explicit SummingVfs(std::string path);
  absl::Status Load(FileTrust trust);
  absl::Status Adopt();

  int OpenFile(const char* name, sqlite3_file* file, int flags, int* out_flags);
  bool Verify(sqlite3_int64 offset, const void* bytes, int size) const;
  int NoteWritten(sqlite3_int64 offset, const void* bytes, int size);
  int Flush(int sync_flags);

  const std::string path_;
  const std::string name_;
  sqlite3_vfs* const base_;
  sqlite3_vfs vfs_{};
  PageSums sums_;
  std::mutex mutex_;
  std::unique_ptr<VfsFile> file_;  // of the sums; guarded by mutex_
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_SUMMING_VFS_H_
