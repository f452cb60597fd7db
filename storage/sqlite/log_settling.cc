#include "storage/sqlite/log_settling.h"

#include <algorithm>
#include <vector>

#include "storage/sqlite/query.h"

namespace ostiary::storage::sqlite {
namespace {

// SQLite itself never writes 128 KiB or more in one call.
constexpr sqlite3_int64 kChunkBytes = 64 << 10;

int RewriteAndSync(sqlite3_file* log) {
  sqlite3_int64 size = 0;
  int code = log->pMethods->xFileSize(log, &size);
  if (code != SQLITE_OK || size == 0) return code;
  std::vector<char> bytes(static_cast<std::size_t>(kChunkBytes));
  for (sqlite3_int64 at = 0; at < size; at += kChunkBytes) {
    const int count = static_cast<int>(std::min(kChunkBytes, size - at));
    code = log->pMethods->xRead(log, bytes.data(), count, at);
    if (code != SQLITE_OK) return code;
    code = log->pMethods->xWrite(log, bytes.data(), count, at);
    if (code != SQLITE_OK) return code;
  }
  return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

}  // namespace

absl::Status SettleLog(Connection& connection) {
  // Under the lock of writers: nobody else may add to the log meanwhile.
  const absl::Status locked = Query(connection, "BEGIN IMMEDIATE").Run();
  if (!locked.ok()) return locked;
  sqlite3_file* const log = connection.File(SQLITE_FCNTL_JOURNAL_POINTER);
  const int code = log == nullptr ? SQLITE_OK : RewriteAndSync(log);
  const absl::Status settled =
      code == SQLITE_OK ? absl::OkStatus() : connection.ErrorFor(code);
  const absl::Status unlocked = Query(connection, "ROLLBACK").Run();
  return settled.ok() ? unlocked : settled;
}

}  // namespace ostiary::storage::sqlite
