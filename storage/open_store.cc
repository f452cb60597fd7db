#include "storage/open_store.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/sqlite/put_back.h"
#include "storage/sqlite/sqlite_store.h"

namespace ostiary::storage {
namespace {

absl::StatusOr<std::string> PathOf(const std::string& url) {
  absl::string_view path = url;
  if (absl::ConsumePrefix(&path, "sqlite:") && !path.empty())
    return std::string(path.data(), path.size());
  // The address of another kind of store may hold a password: not repeated.
  return absl::InvalidArgumentError(
      "the store's address must be of the form sqlite:PATH");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const OpenOptions& options) {
  const absl::StatusOr<std::string> path = PathOf(options.url);
  if (!path.ok()) return path.status();
  if (options.readers < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a store needs at least one reader, not ", options.readers));
  }
  return sqlite::OpenSqliteStore(
      {.path = *path,
       .readers = options.readers,
       .listener = options.listener,
       .trust = options.file == StoreFile::kAsFound
                    ? sqlite::FileTrust::kAsFound
                    : sqlite::FileTrust::kAsWritten});
}

absl::StatusOr<StoreFileKind> KindOfStoreFile(const std::string& url) {
  const absl::StatusOr<std::string> path = PathOf(url);
  if (!path.ok()) return path.status();
  return sqlite::KindOf(*path);
}

absl::StatusOr<ImportedFile> ImportStore(const std::string& from,
                                         const std::string& url) {
  const absl::StatusOr<std::string> path = PathOf(url);
  if (!path.ok()) return path.status();
  return sqlite::Import(from, *path);
}

absl::Status CheckStoreFile(const std::string& url) {
  const absl::StatusOr<std::string> path = PathOf(url);
  if (!path.ok()) return path.status();
  return sqlite::CheckFile(*path);
}

absl::Status ExchangeStore(const std::string& fresh, const std::string& url,
                           const std::string& aside) {
  const absl::StatusOr<std::string> fresh_path = PathOf(fresh);
  if (!fresh_path.ok()) return fresh_path.status();
  const absl::StatusOr<std::string> path = PathOf(url);
  if (!path.ok()) return path.status();
  return sqlite::Exchange(*fresh_path, *path, aside);
}

absl::Status AdoptBackup(const std::string& url, const std::string& aside) {
  const absl::StatusOr<std::string> path = PathOf(url);
  if (!path.ok()) return path.status();
  return sqlite::Adopt(*path, aside);
}

absl::Status RemoveStore(const std::string& url) {
  const absl::StatusOr<std::string> path = PathOf(url);
  if (!path.ok()) return path.status();
  return sqlite::Remove(*path);
}

absl::StatusOr<std::unique_ptr<Store>> OpenStoreForReading(
    const std::string& url) {
  const absl::StatusOr<std::string> path = PathOf(url);
  if (!path.ok()) return path.status();
  return sqlite::OpenForReading(*path);
}

}  // namespace ostiary::storage
