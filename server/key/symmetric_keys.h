#ifndef OSTIARY_SERVER_KEY_SYMMETRIC_KEYS_H_
#define OSTIARY_SERVER_KEY_SYMMETRIC_KEYS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/key/key_encryption_key.h"
#include "storage/store.h"

namespace ostiary::key {

// The purposes in use. Values live on disk. One key never serves two: what one
// room may compute must say nothing to another.
constexpr absl::string_view kRefreshPurpose = "refresh";
constexpr absl::string_view kIdentifierHashPurpose = "identifier-hash";
constexpr absl::string_view kDecoyPurpose = "decoy";

// 32 random bytes with a name.
struct SymmetricKey {
  std::string key_id;  // 8 characters, [0-9a-f]; unique over all keys
  SecretBytes bytes;
};

// The keys of one purpose that never leaves the process: the newest makes
// tags, all of them check tags.
//
// Immutable and thread-safe once loaded.
class SymmetricKeys {
 public:
  // Opens all keys of `purpose`, making the first if there is none. It is
  // durable before this returns. Fails as the store does, or as
  // KeyEncryptionKey::Open does.
  static absl::StatusOr<SymmetricKeys> LoadOrCreate(storage::Store& store,
                                                    const KeyEncryptionKey& kek,
                                                    absl::string_view purpose,
                                                    Random& random,
                                                    absl::Time now);

  // The one that new tags are made with.
  const SymmetricKey& newest() const { return keys_.back(); }
  // nullptr if there is none of this id.
  const SymmetricKey* Find(absl::string_view key_id) const;

 private:
  explicit SymmetricKeys(std::vector<SymmetricKey> keys);

  std::vector<SymmetricKey> keys_;  // oldest first, never empty
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_SYMMETRIC_KEYS_H_
