#include "server/key/key_encryption_key_file.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/secret.h"
#include "server/base/wiping.h"
#include "server/key/private_file.h"

namespace ostiary::key {
namespace {

constexpr std::size_t kRawSize = 32;
// Of one line for each backup that is still kept, say.
constexpr std::size_t kMostKeys = 64;
constexpr std::size_t kFileLimit = kMostKeys * 68;

SecretBytes LinesOf(const KeyEncryptionKey::Keys& keys) {
  std::string lines;
  lines.reserve(kFileLimit);  // no copy is left behind
  for (const auto& key : keys) {
    const SecretBytes text = key->ToText();
    absl::StrAppend(&lines, text.Reveal(), "\n");
  }
  return SecretBytes(std::move(lines));
}

}  // namespace

absl::StatusOr<KeyEncryptionKey::Keys> ParseKeyLines(absl::string_view text) {
  KeyEncryptionKey::Keys keys;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    if (stripped.empty()) continue;
    absl::StatusOr<SealingKey> key = SealingKey::FromText(stripped);
    if (!key.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", key.status().message()));
    }
    const bool known =
        std::any_of(keys.begin(), keys.end(),
                    [&](const auto& one) { return one->id() == key->id(); });
    if (!known) {
      keys.push_back(std::make_shared<const SealingKey>(*std::move(key)));
    }
  }
  if (keys.empty()) return absl::InvalidArgumentError("there is no key in it");
  return keys;
}

absl::StatusOr<KeyEncryptionKey::Keys> KeyEncryptionKeyFile::Read() const {
  const WipingScope wiping;
  absl::StatusOr<std::string> content = ReadPrivateFile(path_, kFileLimit);
  if (!content.ok()) return content.status();
  const SecretBytes bytes(*std::move(content));
  if (bytes.size() == kRawSize) {
    absl::StatusOr<SealingKey> key = SealingKey::FromBytes(bytes.Reveal());
    if (!key.ok()) return key.status();
    return KeyEncryptionKey::Keys{
        std::make_shared<const SealingKey>(*std::move(key))};
  }
  absl::StatusOr<KeyEncryptionKey::Keys> keys = ParseKeyLines(bytes.Reveal());
  if (keys.ok()) return keys;
  return absl::FailedPreconditionError(absl::StrCat(
      path_,
      ": expected keys of 32 bytes as hex or base64url, one in a line, "
      "or one key of 32 raw bytes: ",
      keys.status().message()));
}

absl::Status KeyEncryptionKeyFile::Create(const SealingKey& key) const {
  const SecretBytes text = key.ToText();
  const SecretBytes line(absl::StrCat(text.Reveal(), "\n"));
  return CreatePrivateFile(path_, line.Reveal());
}

absl::Status KeyEncryptionKeyFile::Replace(
    const KeyEncryptionKey::Keys& keys) const {
  if (keys.size() > kMostKeys) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": expected at most ", kMostKeys, " keys"));
  }
  const SecretBytes lines = LinesOf(keys);
  return ReplacePrivateFile(path_, lines.Reveal());
}

absl::Status KeyEncryptionKeyFile::Sync() const {
  return SyncPrivateFile(path_);
}

}  // namespace ostiary::key
