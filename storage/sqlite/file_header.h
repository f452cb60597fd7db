#ifndef OSTIARY_STORAGE_SQLITE_FILE_HEADER_H_
#define OSTIARY_STORAGE_SQLITE_FILE_HEADER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// The first 100 bytes of a database, read and written without SQLite
// (https://www.sqlite.org/fileformat.html, 1.3). For a file that nobody has
// open: closing a descriptor drops the locks that this process holds on the
// file.
namespace ostiary::storage::sqlite {

// A store's ("Osty").
inline constexpr std::int32_t kApplicationId = 0x4f737479;
// A backup's ("Ostb"). No server starts on one that was merely copied into
// place: it would not know that time went back if the mark was lost too, and a
// log left behind by the database before would be laid over it.
inline constexpr std::int32_t kBackupId = 0x4f737462;

struct FileHeader {
  std::int32_t application_id = 0;
  std::int32_t schema_version = 0;
};

// nullopt: not a database of SQLite's (an empty file neither). kNotFound: no
// such file. kUnavailable: it cannot be read.
absl::StatusOr<std::optional<FileHeader>> ReadHeader(const std::string& path);
absl::StatusOr<std::optional<FileHeader>> ReadHeader(int file);

// Makes the database a backup: another application id, and no write-ahead log,
// so that it can be read where nothing can be written.
absl::Status SealHeader(int file);
// Makes a backup a store again; durable when it returns.
absl::Status UnsealHeader(const std::string& path);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_FILE_HEADER_H_
