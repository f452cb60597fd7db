#ifndef OSTIARY_SERVER_KEY_KEY_VIEW_H_
#define OSTIARY_SERVER_KEY_KEY_VIEW_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/jwt/algorithm.h"
#include "client/jwt/key_set.h"
#include "server/key/key_encryption_key.h"
#include "server/key/lifecycle.h"
#include "server/key/schedule.h"
#include "server/key/signing_key.h"
#include "storage/rows.h"

namespace ostiary::key {

// What may be told about a key. absl::InfinitePast(): has not happened.
struct KeyInfo {
  std::string key_id;
  jwt::Algorithm algorithm;
  KeyState state;
  absl::Time create_time;    // when it was prepared
  absl::Time may_sign_from;  // create_time + the schedule's lead
  absl::Time activate_time;
  absl::Time retire_time;
  absl::Time revoke_time;
};

// All access-token keys at one moment: everything in it is durable, and it
// never changes. Thread-safe.
class KeyView {
 public:
  using RevokedIds = absl::flat_hash_set<std::string>;

  // kDataLoss if a row was altered; kFailedPrecondition if no row is active.
  // A row in `revoked` counts as revoked whatever it says.
  static absl::StatusOr<std::shared_ptr<const KeyView>> Build(
      const std::vector<storage::KeyRow>& rows, const RevokedIds& revoked,
      const KeyEncryptionKey& kek, const Schedule& schedule);

  // The one key that signs.
  const SigningKey& active() const { return active_; }
  // Prepared, active and retired keys. Verifiers use this and nothing else.
  const jwt::KeySet& verifying_keys() const { return verifying_keys_; }

  // The same keys as a JWK Set, the active one first: naive consumers take it.
  const std::string& jwks_json() const { return jwks_json_; }
  // Strong, with its quotes; equal if and only if jwks_json is.
  const std::string& etag() const { return etag_; }
  const std::string& cache_control() const { return cache_control_; }
  // Algorithms of the verifying keys, each once, the active one's first.
  const std::vector<jwt::Algorithm>& algorithms() const { return algorithms_; }

  // Every key there is, the revoked ones too: oldest first, and of those made
  // together the ones that have signed before those that wait.
  const std::vector<KeyInfo>& keys() const { return keys_; }
  int Count(KeyState state) const;
  // When the active key began to sign.
  absl::Time active_since() const;

 private:
  explicit KeyView(SigningKey active) : active_(std::move(active)) {}

  SigningKey active_;
  jwt::KeySet verifying_keys_;
  std::string jwks_json_;
  std::string etag_;
  std::string cache_control_;
  std::vector<jwt::Algorithm> algorithms_;
  std::vector<KeyInfo> keys_;
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_KEY_VIEW_H_
