#include "storage/sqlite/connection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/sqlite/engine.h"
#include "storage/sqlite/reserve.h"

namespace ostiary::storage::sqlite {
namespace {

absl::StatusCode CodeFrom(int extended_code) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return absl::StatusCode::kAlreadyExists;
    case SQLITE_IOERR_DATA:
      return absl::StatusCode::kDataLoss;
    default:
      break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_PERM:
      return absl::StatusCode::kUnavailable;
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
      return absl::StatusCode::kDataLoss;
    case SQLITE_NOTADB:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_TOOBIG:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status StatusFrom(int extended_code, absl::string_view detail) {
  if (extended_code == SQLITE_IOERR_DATA) {
    detail =
        "the file is damaged, or another program changed it: a page is not "
        "what was last written there. If it was sqlite3 (which writes, when it "
        "closes, the log that a crash left, although it only read), remove the "
        "file that ends in -sums";
  }
  return absl::Status(
      CodeFrom(extended_code),
      absl::StrCat("sqlite: ", detail, " (", sqlite3_errstr(extended_code),
                   ", ", extended_code, ")"));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(
    const std::string& path, Access access, const char* vfs) {
  if (vfs == nullptr) vfs = SystemVfs()->zName;
  sqlite3* raw = nullptr;
  // NOMUTEX: a connection belongs to one thread at a time.
  const int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      (access == Access::kReadOnly ? SQLITE_OPEN_READONLY
                                                   : SQLITE_OPEN_READWRITE) |
                          SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      vfs);
  Handle handle(raw);
  if (code != SQLITE_OK) {
    return StatusFrom(code, absl::StrCat("cannot open ", path));
  }
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  // The file may have been written by someone else: its schema gets no
  // functions with effects, and nothing may corrupt it through SQL.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return std::unique_ptr<Connection>(new Connection(std::move(handle)));
}

Connection::~Connection() = default;

absl::Status Connection::Execute(const std::string& script) {
  const int code =
      sqlite3_exec(handle(), script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return ErrorFor(code);
  return absl::OkStatus();
}

absl::StatusOr<sqlite3_stmt*> Connection::Prepared(const char* sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return known->second.get();
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle(), sql, -1,
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return ErrorFor(code);
  statements_.emplace(sql, Statement(raw));
  return raw;
}

absl::Status Connection::Fail(absl::Status failure) {
  if (failure_.ok()) failure_ = failure;
  return failure;
}

void Connection::ClearFailure() {
  if (absl::IsDataLoss(failure_)) sqlite3_db_release_memory(handle());
  failure_ = absl::OkStatus();
}

absl::Status Connection::ErrorFor(int code) const {
  if (!FoundNoRoom(code)) return StatusFrom(code, sqlite3_errmsg(handle()));
  return absl::ResourceExhaustedError(absl::StrCat(
      "sqlite: ", sqlite3_errmsg(handle()), " (no room, ", code, ")"));
}

// SQLITE_FULL is what a disk without room makes of a write. Of a quota, or of
// a limit on the size of files, only the system's error number tells.
bool Connection::FoundNoRoom(int code) const {
  if (code == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) return true;
  return code == SQLITE_IOERR_WRITE &&
         (MeansNoRoom(LastErrorOf(SQLITE_FCNTL_FILE_POINTER)) ||
          MeansNoRoom(LastErrorOf(SQLITE_FCNTL_JOURNAL_POINTER)));
}

int Connection::LastErrorOf(int which_file) const {
  sqlite3_file* const file = File(which_file);
  int error = 0;
  if (file != nullptr)
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
  return error;
}

sqlite3_file* Connection::File(int which_file) const {
  sqlite3_file* file = nullptr;
  const int code = sqlite3_file_control(handle(), "main", which_file, &file);
  const bool open =
      code == SQLITE_OK && file != nullptr && file->pMethods != nullptr;
  return open ? file : nullptr;
}

int Connection::last_code() const { return sqlite3_extended_errcode(handle()); }

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle()) == 0;
}

std::int64_t Connection::changes() const { return sqlite3_changes64(handle()); }

std::int64_t Connection::total_changes() const {
  return sqlite3_total_changes64(handle());
}

}  // namespace ostiary::storage::sqlite
