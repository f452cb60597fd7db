#ifndef OSTIARY_STORAGE_SQLITE_FILE_CHECK_H_
#define OSTIARY_STORAGE_SQLITE_FILE_CHECK_H_

#include <functional>

#include "absl/status/status.h"
#include "storage/sqlite/connection.h"

namespace ostiary::storage::sqlite {

// Reads the whole file: every page, every index against its table, every rule
// of the schema, and the running hash of the ledger. kDataLoss says what was
// found first. kCancelled once `stop`, which may be empty, says so. Takes
// seconds for a million accounts.
absl::Status CheckWhole(Connection& connection,
                        const std::function<bool()>& stop);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_FILE_CHECK_H_
