#ifndef OSTIARY_STORAGE_SQLITE_CONNECTION_H_
#define OSTIARY_STORAGE_SQLITE_CONNECTION_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::storage::sqlite {

// What an SQLite result code means to a caller of the store:
//   kAlreadyExists  a unique key is taken
//   kUnavailable    disk, memory or a lock was not to be had; may pass
//   kResourceExhausted  the disk is full
//   kDataLoss       the file is damaged: SQLite says so, or summing_vfs.h
//   kFailedPrecondition  the file is none of SQLite's
//   kInvalidArgument     a value is larger than SQLite can hold
//   kInternal       a mistake of ours
// `detail` is for people; it must not hold values of rows.
absl::Status StatusFrom(int extended_code, absl::string_view detail);

// One connection to the file, with the statements prepared on it.
//
// Used by one thread at a time. Errors are sticky: after one, every further
// Query fails with it until ClearFailure, so that a transaction whose call
// failed cannot be committed by a caller that did not look.
class Connection {
 public:
  // How long it waits for another process (a backup, an operator's sqlite3) to
  // let go of a lock. Within one process nobody waits: there is one writer,
  // and readers never block.
  static constexpr int kBusyMilliseconds = 5000;

  enum class Access { kReadWrite, kReadOnly };

  // Opens an existing file through the VFS of that name (nullptr: the default).
  // Nothing has been read from it yet.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(
      const std::string& path, Access access = Access::kReadWrite,
      const char* vfs = nullptr);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs a script, ignoring what it returns: pragmas, migrations.
  absl::Status Execute(const std::string& script);

  // The statement for `sql`, prepared at its first use and kept. `sql` is a
  // string literal: it is known by its address.
  absl::StatusOr<sqlite3_stmt*> Prepared(const char* sql);

  // Makes `failure` stick, unless one does already, and returns it.
  absl::Status Fail(absl::Status failure);
  const absl::Status& failure() const { return failure_; }
  // After kDataLoss also forgets the pages that were read: if they were misread
  // and not damaged, they are read anew.
  void ClearFailure();

  // The status for what SQLite just answered on this connection.
  absl::Status ErrorFor(int code) const;
  // The extended result code of the call before.
  int last_code() const;
  bool in_transaction() const;
  // Rows changed by the statement that ran last.
  std::int64_t changes() const;
  // Rows changed by all statements so far, those of failed statements, which
  // undo themselves, left out.
  std::int64_t total_changes() const;
  sqlite3* handle() const { return handle_.get(); }
  // SQLITE_FCNTL_FILE_POINTER or SQLITE_FCNTL_JOURNAL_POINTER (the log). Null
  // if it is not open.
  sqlite3_file* File(int which_file) const;

 private:
  struct CloseHandle {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const {
      sqlite3_finalize(statement);
    }
  };
  using Handle = std::unique_ptr<sqlite3, CloseHandle>;
  using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

  bool FoundNoRoom(int code) const;
  // The system's error number of the last call that failed on the file.
  int LastErrorOf(int which_file) const;

  explicit Connection(Handle handle) : handle_(std::move(handle)) {}

  Handle handle_;
  absl::flat_hash_map<const char*, Statement> statements_;  // die before it
  absl::Status failure_;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_CONNECTION_H_
