#ifndef OSTIARY_STORAGE_SQLITE_STRICT_FILES_H_
#define OSTIARY_STORAGE_SQLITE_STRICT_FILES_H_

namespace ostiary::storage::sqlite {

// The name of a file system for SQLite (a VFS): its default one, but that a
// database file which ends too early is an I/O error.
//
// SQLite itself takes zeroes for what is missing. A page of which one half is
// there then holds rows that compare with nothing: an account, or a session,
// "is not found", and that answer stays in the cache.
//
// Registers it at the first call. Thread-safe.
const char* StrictFiles();

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_STRICT_FILES_H_
