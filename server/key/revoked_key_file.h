#ifndef OSTIARY_SERVER_KEY_REVOKED_KEY_FILE_H_
#define OSTIARY_SERVER_KEY_REVOKED_KEY_FILE_H_

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::key {

// The ids of revoked signing keys, one in a line, in a file beside the
// key-encryption key. It is in no backup: a store restored from before the
// revocation must not bring the key back.
//
// Not thread-safe; the key ring has the only one, or a restore, when no key
// ring is there.
class RevokedKeyFile {
 public:
  explicit RevokedKeyFile(std::string path) : path_(std::move(path)) {}

  // All ids. A missing file is an empty set. A line shorter than an id is what
  // a crash left of an Append that was never acknowledged, and skipped;
  // kDataLoss for any other line that is no key id: one may be hiding there,
  // so nothing may start.
  absl::StatusOr<absl::flat_hash_set<std::string>> Read() const;

  // Adds `key_id` and returns once it is on the disk.
  absl::Status Append(absl::string_view key_id) const;

 private:
  std::string path_;
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_REVOKED_KEY_FILE_H_
