#include "server/key/key_encryption_key.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "server/key/key_encryption_key_file.h"

namespace ostiary::key {

struct KeyEncryptionKey::State {
  mutable absl::Mutex mutex;
  std::shared_ptr<const Keys> keys ABSL_GUARDED_BY(mutex);
};

KeyEncryptionKey::KeyEncryptionKey(Keys keys)
    : state_(std::make_unique<State>()) {
  Use(std::make_shared<const Keys>(std::move(keys)));
}
KeyEncryptionKey::KeyEncryptionKey(KeyEncryptionKey&&) noexcept = default;
KeyEncryptionKey& KeyEncryptionKey::operator=(KeyEncryptionKey&&) noexcept =
    default;
KeyEncryptionKey::~KeyEncryptionKey() = default;

absl::StatusOr<KeyEncryptionKey> KeyEncryptionKey::FromText(
    absl::string_view text) {
  absl::StatusOr<Keys> keys = ParseKeyLines(text);
  if (!keys.ok()) return keys.status();
  return KeyEncryptionKey(*std::move(keys));
}

absl::StatusOr<KeyEncryptionKey> KeyEncryptionKey::FromFile(
    const std::string& path, MissingFile missing) {
  const KeyEncryptionKeyFile file(path);
  absl::StatusOr<Keys> keys = file.Read();
  if (absl::IsNotFound(keys.status()) && missing == MissingFile::kCreate) {
    const absl::Status created = file.Create(SealingKey::Generate());
    if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
    keys = file.Read();
  }
  if (absl::IsNotFound(keys.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        path,
        ": the key-encryption key is missing; without it the keys in "
        "the store cannot be opened"));
  }
  if (!keys.ok()) return keys.status();
  return KeyEncryptionKey(*std::move(keys));
}

std::string KeyEncryptionKey::Seal(const SealLabel& label,
                                   absl::string_view plaintext) const {
  return keys()->front()->Seal(label, plaintext);
}

absl::StatusOr<SecretBytes> KeyEncryptionKey::Open(
    const SealLabel& label, absl::string_view sealed) const {
  const absl::StatusOr<std::string> sealer =
      SealingKey::SealerOf(label.key_id, sealed);
  if (!sealer.ok()) return sealer.status();
  const std::shared_ptr<const Keys> all = keys();
  for (const auto& key : *all) {
    if (key->id() == *sealer) return key->Open(label, sealed);
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "key ", label.key_id, ": sealed under another key-encryption key (",
      *sealer, ") than the one given (", IdsOf(*all), ")"));
}

void KeyEncryptionKey::Use(std::shared_ptr<const Keys> keys) {
  absl::MutexLock lock(&state_->mutex);
  state_->keys = std::move(keys);
}

std::shared_ptr<const KeyEncryptionKey::Keys> KeyEncryptionKey::keys() const {
  absl::ReaderMutexLock lock(&state_->mutex);
  return state_->keys;
}

std::string IdsOf(const KeyEncryptionKey::Keys& keys) {
  return absl::StrJoin(
      keys, ", ",
      [](std::string* out, const std::shared_ptr<const SealingKey>& key) {
        out->append(key->id());
      });
}

}  // namespace ostiary::key
