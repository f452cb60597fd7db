#ifndef OSTIARY_STORAGE_SQLITE_ENGINE_H_
#define OSTIARY_STORAGE_SQLITE_ENGINE_H_

#include <sqlite3.h>

namespace ostiary::storage::sqlite {

// SQLite's way to the system. Whatever uses SQLite begins here: the first call
// switches off its count of the memory it uses, for the whole process. That is
// a lock around every allocation, shared by all threads, and nobody asks.
// SQLite refuses, and counts, if anything else of it was called before.
sqlite3_vfs* SystemVfs();

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_ENGINE_H_
