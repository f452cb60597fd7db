#ifndef OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_H_
#define OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/secret.h"
#include "server/key/sealing_key.h"

namespace ostiary::key {

enum class MissingFile { kRefuse, kCreate };

// The key that seals all others. It is never in the database and never in a
// backup, so neither alone is worth stealing. While it is being changed there
// are several: the first seals, all of them open.
//
// Thread-safe.
class KeyEncryptionKey {
 public:
  // Never empty.
  using Keys = std::vector<std::shared_ptr<const SealingKey>>;

  // From a file as KeyEncryptionKeyFile reads it. kCreate makes a missing file
  // (mode 0600, whole or not at all, synced). kFailedPrecondition names the
  // file and what is wrong with it: unreadable, no key, readable or writable
  // by group or others, or not ours.
  static absl::StatusOr<KeyEncryptionKey> FromFile(const std::string& path,
                                                   MissingFile missing);
  // From lines of hex (64 digits) or base64url (43 or 44 characters).
  // kInvalidArgument without repeating the text.
  static absl::StatusOr<KeyEncryptionKey> FromText(absl::string_view text);

  KeyEncryptionKey(KeyEncryptionKey&&) noexcept;
  KeyEncryptionKey& operator=(KeyEncryptionKey&&) noexcept;
  ~KeyEncryptionKey();

  // A copy of `plaintext` sealed by the first key.
  std::string Seal(const SealLabel& label, absl::string_view plaintext) const;
  // kDataLoss if it was altered or sealed under another label;
  // kFailedPrecondition if a key sealed it that is not among these (the
  // message has its id) or a newer program wrote it.
  absl::StatusOr<SecretBytes> Open(const SealLabel& label,
                                   absl::string_view sealed) const;

  // Seals with the first of `keys` and opens with all of them from now on.
  void Use(std::shared_ptr<const Keys> keys);
  std::shared_ptr<const Keys> keys() const;
  // Of the key that seals.
  std::string sealing_id() const { return keys()->front()->id(); }

 private:
  struct State;
  explicit KeyEncryptionKey(Keys keys);

  std::unique_ptr<State> state_;
};

// Their ids, separated by commas.
std::string IdsOf(const KeyEncryptionKey::Keys& keys);

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_H_
