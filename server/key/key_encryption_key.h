#ifndef OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_H_
#define OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/secret.h"

namespace ostiary::key {

// What a sealed text is for. It opens only under the label it was sealed with:
// a database writer cannot pass the private part of one key as another's.
struct SealLabel {
  absl::string_view purpose;
  absl::string_view key_id;
  absl::string_view algorithm;
};

enum class MissingFile { kRefuse, kCreate };

// The key that seals all others (AES-256-GCM). It is never in the database and
// never in a backup, so neither alone is worth stealing.
//
// Immutable and thread-safe once made.
class KeyEncryptionKey {
 public:
  // From a file that holds 32 raw bytes, or those bytes as hex or base64url.
  // kCreate makes a missing file (mode 0600, whole or not at all, synced).
  // kFailedPrecondition names the file and what is wrong with it: unreadable,
  // no key, readable or writable by group or others, or not ours.
  static absl::StatusOr<KeyEncryptionKey> FromFile(const std::string& path,
                                                   MissingFile missing);
  // From hex (64 digits) or base64url (43 or 44 characters), as an environment
  // variable carries it. kInvalidArgument without repeating the text.
  static absl::StatusOr<KeyEncryptionKey> FromText(absl::string_view text);

  // A sealed copy of `plaintext`: version, which key sealed it, a fresh random
  // nonce, ciphertext, tag. Ends the process if no randomness can be had.
  std::string Seal(const SealLabel& label, absl::string_view plaintext) const;

  // kDataLoss if it was altered or sealed under another label;
  // kFailedPrecondition if another key-encryption key sealed it or a newer
  // program wrote it.
  absl::StatusOr<SecretBytes> Open(const SealLabel& label,
                                   absl::string_view sealed) const;

 private:
  explicit KeyEncryptionKey(SecretBytes key);

  SecretBytes key_;
  std::string mark_;  // tells keys apart, says nothing about them
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_H_
