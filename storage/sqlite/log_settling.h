#ifndef OSTIARY_STORAGE_SQLITE_LOG_SETTLING_H_
#define OSTIARY_STORAGE_SQLITE_LOG_SETTLING_H_

#include "absl/status/status.h"
#include "storage/sqlite/connection.h"

namespace ostiary::storage::sqlite {

// Makes what a process before us left in the log as durable as it looks, by
// writing the log over itself, byte for byte, and syncing it. To be called once
// when the store is opened, before anything is built upon what the log says.
//
// A process that was killed, or whose last sync failed, may have left commits
// in the log that the system shows to us and has not on the disk; after a
// failed sync it does not even mean to write them any more, and the next sync
// says that all is well. What we commit comes behind them: if power then fails,
// the log ends where they should be, and with them goes all that was
// acknowledged since. Bytes that are written anew are synced anew.
//
// After a clean end there is no log, and nothing to do.
absl::Status SettleLog(Connection& connection);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_LOG_SETTLING_H_
