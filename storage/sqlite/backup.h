#ifndef OSTIARY_STORAGE_SQLITE_BACKUP_H_
#define OSTIARY_STORAGE_SQLITE_BACKUP_H_

#include <string>

#include "absl/status/statusor.h"
#include "storage/backup.h"
#include "storage/sqlite/connection.h"

namespace ostiary::storage::sqlite {

// Copies the database page by page from one snapshot of `source`, a connection
// of its own with no transaction open; commits go on meanwhile, into the log.
// The copy is a backup (file_header.h). Errors as Store::BackUp.
absl::StatusOr<Backup> WriteBackup(Connection& source,
                                   const BackupOrder& order);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_BACKUP_H_
