#ifndef OSTIARY_STORAGE_OPEN_STORE_H_
#define OSTIARY_STORAGE_OPEN_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace ostiary::storage {

// What to make of the file that is found.
enum class StoreFile {
  kAsWritten,  // it must be as this program left it: damage is refused
  // It has been put there by other means, from a backup: it must pass
  // SQLite's full check of its structure, which reads all of it.
  kAsFound,
};

struct OpenOptions {
  // "sqlite:PATH" (the file is created, mode 0600, if it is missing).
  std::string url;
  // Connections that read side by side. The writer has its own.
  int readers = 4;
  StoreListener listener = {};
  StoreFile file = StoreFile::kAsWritten;
};

// Opens the store, migrating its schema forward. The one place that knows the
// backends. kFailedPrecondition: the schema is newer than this program, or the
// file is no store of ours; the message names the file and what to do.
// kDataLoss: the file, its log or the sums of its pages are damaged.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(const OpenOptions& options);

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_OPEN_STORE_H_
