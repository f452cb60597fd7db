#include "server/foundation.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

namespace ostiary {
namespace {

std::string StorePath(const Config& config) {
  return std::string(absl::StripPrefix(config.store, "sqlite:"));
}

bool StoreExists(const Config& config) {
  std::error_code ignored;
  return std::filesystem::exists(StorePath(config), ignored);
}

absl::StatusOr<key::KeyEncryptionKey> OpenKek(const Config& config) {
  const key::MissingFile missing = StoreExists(config)
                                       ? key::MissingFile::kRefuse
                                       : key::MissingFile::kCreate;
  auto kek =
      key::KeyEncryptionKey::FromFile(config.key_encryption_key_file, missing);
  if (!kek.ok() && missing == key::MissingFile::kRefuse) {
    return absl::Status(
        kek.status().code(),
        absl::StrCat(
            kek.status().message(),
            "\nThe store is sealed under it: put the file back "
            "(--key-encryption-key-file), or start with an empty --data-dir."));
  }
  return kek;
}

int ReadersFor(const Config& config) {
  return std::clamp(config.store_threads / 8, 2, 8);
}

}  // namespace

absl::Status NameStore(const Config& config, const absl::Status& status) {
  if (status.ok() || absl::StrContains(status.message(), StorePath(config)))
    return status;
  return absl::Status(
      status.code(),
      absl::StrCat("the store '", StorePath(config), "': ", status.message(),
                   "\nIf it stays so, put a backup in its place and run "
                   "`ostiaryd restore --sessions=end|keep`."));
}

Foundation::Foundation(DataDir dir, key::KeyEncryptionKey key, MarkFile file,
                       std::optional<Mark> last)
    : data_dir(std::move(dir)),
      kek(std::move(key)),
      mark_file(std::move(file)),
      mark(last),
      clock(last.has_value() ? last->time : absl::InfinitePast()) {}

absl::StatusOr<std::unique_ptr<Foundation>> Foundation::Lay(
    const Config& config, storage::StoreListener listener,
    storage::StoreFile file) {
  absl::StatusOr<DataDir> data_dir = DataDir::Open(config.data_dir);
  if (!data_dir.ok()) return data_dir.status();
  absl::StatusOr<key::KeyEncryptionKey> kek = OpenKek(config);
  if (!kek.ok()) return kek.status();
  MarkFile mark_file(MarkPath(config.key_encryption_key_file));
  absl::StatusOr<std::optional<Mark>> mark = mark_file.Read();
  if (!mark.ok()) return mark.status();

  auto foundation = std::make_unique<Foundation>(
      *std::move(data_dir), *std::move(kek), std::move(mark_file), *mark);
  storage::OpenOptions options;
  options.url = config.store;
  options.readers = ReadersFor(config);
  options.listener = std::move(listener);
  options.file = file;
  absl::StatusOr<std::unique_ptr<storage::Store>> store =
      storage::OpenStore(options);
  if (!store.ok()) return NameStore(config, store.status());
  foundation->store = *std::move(store);
  absl::StatusOr<storage::LedgerHead> head =
      storage::ReadValue<storage::LedgerHead>(
          *foundation->store,
          [](storage::ReadTx& tx) { return tx.ledger().Head(); });
  if (!head.ok()) return NameStore(config, head.status());
  foundation->head = *head;
  return foundation;
}

}  // namespace ostiary
