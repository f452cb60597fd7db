#ifndef OSTIARY_STORAGE_SQLITE_MIGRATIONS_H_
#define OSTIARY_STORAGE_SQLITE_MIGRATIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/sqlite/connection.h"

namespace ostiary::storage::sqlite {

// One step from schema version `version - 1` to `version`.
struct Migration {
  int version;
  const char* sql;
};

// The steps in schema/NNNN_*.sql, embedded when this was built: versions 1, 2,
// 3, ... without a gap.
const std::vector<Migration>& EmbeddedMigrations();

inline constexpr int kFileHeaderBytes = 100;

// Looks at the first bytes of a file, as they are on the disk and before
// anybody checks its pages: who goes back to an older release is to hear of
// that, whatever else the newer one has changed. kFailedPrecondition as
// Migrate.
absl::Status RefuseNewerFile(const std::string& header, const std::string& path,
                             const std::vector<Migration>& migrations);

// Brings the file's schema to the newest version, one transaction a step;
// killed in between, the next call goes on. An empty file becomes a store.
//
// kFailedPrecondition, with the file untouched, if it belongs to another
// program, is a backup, or its schema is newer than `migrations`. `path` is for
// the message.
absl::Status Migrate(Connection& connection, const std::string& path,
                     const std::vector<Migration>& migrations);

// kFailedPrecondition unless the file is a store of the newest schema.
absl::Status CheckSchema(Connection& connection, const std::string& path,
                         const std::vector<Migration>& migrations);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_MIGRATIONS_H_
