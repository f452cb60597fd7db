#ifndef OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_FILE_H_
#define OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_FILE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/key/key_encryption_key.h"

namespace ostiary::key {

// Keys in lines, hex or base64url; empty lines count for nothing and a key
// that stands there twice counts once. kInvalidArgument names the line.
absl::StatusOr<KeyEncryptionKey::Keys> ParseKeyLines(absl::string_view text);

// The file of the key-encryption key: one key in a line, of which the first
// seals and all open; or, as it was first made, 32 raw bytes.
//
// Not thread-safe against itself: one rotation at a time.
class KeyEncryptionKeyFile {
 public:
  explicit KeyEncryptionKeyFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  // kNotFound if there is no file, else as ReadPrivateFile;
  // kFailedPrecondition if it holds no key.
  absl::StatusOr<KeyEncryptionKey::Keys> Read() const;
  // Makes the file. kAlreadyExists leaves it alone.
  absl::Status Create(const SealingKey& key) const;
  // These keys and no others; after a crash the old file or the new one is
  // there, and the new one is on the disk when this returns.
  // kFailedPrecondition if the file is not ours to replace: a link, or in a
  // folder that we may not write (a mounted secret, a credential).
  absl::Status Replace(const KeyEncryptionKey::Keys& keys) const;
  // What was read is on the disk once this returns.
  absl::Status Sync() const;

 private:
  const std::string path_;
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_KEY_ENCRYPTION_KEY_FILE_H_
