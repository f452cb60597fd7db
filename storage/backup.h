#ifndef OSTIARY_STORAGE_BACKUP_H_
#define OSTIARY_STORAGE_BACKUP_H_

#include <cstdint>
#include <functional>
#include <string>

#include "storage/rows.h"

namespace ostiary::storage {

// Where a copy of the store is to be written.
struct BackupOrder {
  // Absolute. The folder must be there and the file must not.
  std::string path;
  // Asked every few milliseconds; true: give up, leave nothing behind. May be
  // empty.
  std::function<bool()> stop;
  // How many pages of how many have been copied, from 0 to total. May be empty.
  std::function<void(std::int64_t copied, std::int64_t total)> on_progress;
};

// A copy that was made, checked and made durable. It holds everything that was
// committed when it began and nothing that came later.
struct Backup {
  std::string path;
  std::int64_t size_bytes = 0;
  LedgerHead head;  // where its ledger ends
  int schema_version = 0;
  std::string sha256;  // of the file, in 64 hex digits
};

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_BACKUP_H_
