#include "storage/open_store.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/sqlite/sqlite_store.h"

namespace ostiary::storage {

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const OpenOptions& options) {
  absl::string_view path = options.url;
  if (!absl::ConsumePrefix(&path, "sqlite:") || path.empty()) {
    // The address of another kind of store may hold a password: not repeated.
    return absl::InvalidArgumentError(
        "the store's address must be of the form sqlite:PATH");
  }
  if (options.readers < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a store needs at least one reader, not ", options.readers));
  }
  return sqlite::OpenSqliteStore(
      {.path = std::string(path.data(), path.size()),
       .readers = options.readers,
       .listener = options.listener,
       .trust = options.file == StoreFile::kAsFound
                    ? sqlite::FileTrust::kAsFound
                    : sqlite::FileTrust::kAsWritten});
}

}  // namespace ostiary::storage
