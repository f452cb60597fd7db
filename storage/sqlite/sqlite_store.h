#ifndef OSTIARY_STORAGE_SQLITE_SQLITE_STORE_H_
#define OSTIARY_STORAGE_SQLITE_SQLITE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/sqlite/summing_vfs.h"
#include "storage/store.h"

namespace ostiary::storage::sqlite {

struct SqliteOptions {
  std::string path;
  int readers = 4;  // at least 1
  StoreListener listener = {};
  FileTrust trust = FileTrust::kAsWritten;
};

// A store in one file, for one process. Creates the file (mode 0600, and with
// it -wal, -shm and -sums) and brings its schema forward. Errors as OpenStore.
//
// Reads run on the caller's thread, at most `readers` at once; the others wait.
// Do not call Read from within a Read: with all readers so occupied nobody
// would go on. Writes run on the writer's thread.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(SqliteOptions options);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_SQLITE_STORE_H_
