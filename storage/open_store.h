#ifndef OSTIARY_STORAGE_OPEN_STORE_H_
#define OSTIARY_STORAGE_OPEN_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace ostiary::storage {

// What to make of the file that is found.
enum class StoreFile {
  kAsWritten,  // it must be as this program left it: damage is refused
  // It has been put there by other means, as from a backup, and who says so has
  // seen to it (CheckStoreFile).
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

// What a restore does with the files of stores that nobody has open. A `url` is
// one as above.

enum class StoreFileKind {
  kNone,
  kStore,
  kBackup,  // made by Store::BackUp and not yet put back
  kOther,
};
absl::StatusOr<StoreFileKind> KindOfStoreFile(const std::string& url);

struct ImportedFile {
  std::int64_t size_bytes = 0;
  std::string sha256;  // of the file as it was, in hex
  int schema_version = 0;
};
// Makes a store at `url`, where nothing must be, from the file `from`: a
// backup, or the database of a stopped server. Everything in it is read and
// checked. kFailedPrecondition: it is none of ours, or of a newer release.
// kDataLoss: damaged. kNotFound, kResourceExhausted, kUnavailable as they say.
// `from` stays as it is, and of a failure nothing remains.
absl::StatusOr<ImportedFile> ImportStore(const std::string& from,
                                         const std::string& url);

// Reads everything, as ImportStore does.
absl::Status CheckStoreFile(const std::string& url);

// Puts the store `fresh` in the place of the one at `url`, if there is one, in
// one step. That one is found as the file `aside` then, with its log.
absl::Status ExchangeStore(const std::string& fresh, const std::string& url,
                           const std::string& aside);

// Makes the backup that somebody copied to `url` a store. A log left there by
// the store before it is set aside.
absl::Status AdoptBackup(const std::string& url, const std::string& aside);

// Removes a store with all that belongs to it; none is fine.
absl::Status RemoveStore(const std::string& url);

// A store of this program's schema, changing nothing in it.
absl::StatusOr<std::unique_ptr<Store>> OpenStoreForReading(
    const std::string& url);

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_OPEN_STORE_H_
