#ifndef OSTIARY_STORAGE_SQLITE_LOG_CHECK_H_
#define OSTIARY_STORAGE_SQLITE_LOG_CHECK_H_

#include <sqlite3.h>

#include <string>

#include "absl/status/status.h"

namespace ostiary::storage::sqlite {

// Looks at the write-ahead log of the store at `path` before SQLite does.
//
// SQLite takes the first frame that is not whole for the end of the log: right
// after a power cut, which can spoil only the transaction that was not yet
// acknowledged, and wrong when the disk has damaged an older one. Then all that
// was acknowledged since, revocations among it, would be undone in silence.
//
// kDataLoss: the log is damaged, which is known from one of
//   - a header that is neither whole nor empty: it is written and synced before
//     the first frame,
//   - a frame that is not whole although a later transaction goes on from the
//     end of its own: that one began only after the sync,
//   - STORE-shm, if it is there (it is after a crash of the process, and often
//     after a power cut), which says how far the log had been synced.
// Damage to no more than the last transaction, with STORE-shm gone, cannot be
// told from a power cut; the server's mark file tells, a second later.
absl::Status CheckLog(sqlite3_vfs* vfs, const std::string& path);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_LOG_CHECK_H_
