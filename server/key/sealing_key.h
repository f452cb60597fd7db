#ifndef OSTIARY_SERVER_KEY_SEALING_KEY_H_
#define OSTIARY_SERVER_KEY_SEALING_KEY_H_

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

// One key of 32 bytes that seals others with AES-256-GCM. A sealed text is:
// version, which key sealed it, a fresh random nonce, ciphertext, tag.
//
// Immutable and thread-safe.
class SealingKey {
 public:
  // A new one. Ends the process if no randomness can be had.
  static SealingKey Generate();
  // From hex (64 digits) or base64url (43 or 44 characters).
  // kInvalidArgument without repeating the text.
  static absl::StatusOr<SealingKey> FromText(absl::string_view text);
  // kInvalidArgument unless these are 32 bytes.
  static absl::StatusOr<SealingKey> FromBytes(absl::string_view bytes);

  // 8 hex digits of a digest of the key: tells keys apart, says nothing about
  // them.
  const std::string& id() const { return id_; }
  // 64 hex digits, for the file.
  SecretBytes ToText() const;

  // Ends the process if no randomness can be had.
  std::string Seal(const SealLabel& label, absl::string_view plaintext) const;
  // kDataLoss if it was altered, sealed under another label or by another key.
  absl::StatusOr<SecretBytes> Open(const SealLabel& label,
                                   absl::string_view sealed) const;

  // The id of the key that sealed it. kDataLoss if it is cut short;
  // kFailedPrecondition if a newer program wrote it. `key_id` is for the
  // message.
  static absl::StatusOr<std::string> SealerOf(absl::string_view key_id,
                                              absl::string_view sealed);

 private:
  explicit SealingKey(SecretBytes key);

  SecretBytes key_;
  std::string mark_;  // the four bytes that id_ shows
  std::string id_;
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_SEALING_KEY_H_
