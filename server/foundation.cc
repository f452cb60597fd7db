#include "server/foundation.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "storage/fail_point.h"

namespace ostiary {
namespace {

std::string StorePath(const Config& config) {
  return std::string(absl::StripPrefix(config.store, "sqlite:"));
}

key::MissingFile MissingKekOf(const Config& config) {
  std::error_code ignored;
  return std::filesystem::exists(StorePath(config), ignored)
             ? key::MissingFile::kRefuse
             : key::MissingFile::kCreate;
}

absl::StatusOr<key::KeyEncryptionKey> OpenKek(const Config& config,
                                              key::MissingFile missing) {
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
                   "\nIf it stays so, put a backup in its place: `ostiaryd "
                   "restore --from=FILE --sessions=end|keep`."));
}

Foundation::Foundation(DataDir dir, key::KeyEncryptionKey key, MarkFile file,
                       std::optional<Mark> last)
    : data_dir(std::move(dir)),
      kek(std::move(key)),
      mark_file(std::move(file)),
      mark(last),
      clock(last.has_value() ? last->time : absl::InfinitePast()) {}

absl::StatusOr<std::unique_ptr<Foundation>> Foundation::Lay(
    const Config& config, storage::StoreListener listener) {
  auto foundation = Prepare(config, MissingKekOf(config), DamagedMark::kRefuse);
  if (!foundation.ok()) return foundation.status();
  const auto kind = storage::KindOfStoreFile(config.store);
  if (kind.ok() && *kind == storage::StoreFileKind::kBackup) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the store '", StorePath(config),
        "' is a backup that was copied into place: what was revoked since it "
        "was made would be accepted again; run ostiaryd restore "
        "--sessions=end|keep to take it over safely"));
  }
  auto opened = (*foundation)->Open(config, config.store, std::move(listener));
  if (!opened.ok()) return opened;
  return foundation;
}

absl::StatusOr<std::unique_ptr<Foundation>> Foundation::Prepare(
    const Config& config, key::MissingFile missing_kek, DamagedMark damaged) {
  absl::StatusOr<DataDir> data_dir = DataDir::Open(config.data_dir);
  if (!data_dir.ok()) return data_dir.status();
  absl::StatusOr<key::KeyEncryptionKey> kek = OpenKek(config, missing_kek);
  if (!kek.ok()) return kek.status();
  Pass(storage::FailPoint::kStartKek);
  MarkFile mark_file(MarkPath(config.key_encryption_key_file));
  absl::StatusOr<std::optional<Mark>> mark = mark_file.Read();
  if (absl::IsDataLoss(mark.status()) && damaged == DamagedMark::kAsNone)
    mark = std::optional<Mark>();
  if (!mark.ok()) return mark.status();
  return std::make_unique<Foundation>(*std::move(data_dir), *std::move(kek),
                                      std::move(mark_file), *mark);
}

absl::Status Foundation::Open(const Config& config,
                              const std::string& store_url,
                              storage::StoreListener listener,
                              storage::StoreFile file) {
  storage::OpenOptions options;
  options.url = store_url;
  options.readers = ReadersFor(config);
  options.listener = std::move(listener);
  options.file = file;
  absl::StatusOr<std::unique_ptr<storage::Store>> opened =
      storage::OpenStore(options);
  if (!opened.ok()) return NameStore(config, opened.status());
  store = *std::move(opened);
  Pass(storage::FailPoint::kStartStore);
  absl::StatusOr<storage::LedgerHead> found =
      storage::ReadValue<storage::LedgerHead>(
          *store, [](storage::ReadTx& tx) { return tx.ledger().Head(); });
  if (!found.ok()) return NameStore(config, found.status());
  head = *found;
  return absl::OkStatus();
}

}  // namespace ostiary
