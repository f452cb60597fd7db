#ifndef OSTIARY_CLIENT_JWT_VERIFYING_KEY_H_
#define OSTIARY_CLIENT_JWT_VERIFYING_KEY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/jwt/algorithm.h"
#include "client/jwt/jwk.h"

namespace ostiary::jwt {

// A public key that was found good and that checks signatures of its one
// algorithm. Cheap to copy; copies share the key. Thread-safe.
class VerifyingKey {
 public:
  // INVALID_ARGUMENT if `kid` is not 1 to 256 bytes, or the numbers are not a
  // key to trust: a point off the curve, RSA outside 2048 to 8192 bits, with
  // a leading zero, an even modulus, an odd exponent outside 3 to 2^32, or of
  // the ROCA family (CVE-2017-15361), an Ed25519 key of another length or of
  // small order.
  static absl::StatusOr<VerifyingKey> Create(PublicJwk jwk);

  const PublicJwk& jwk() const;
  const std::string& kid() const { return jwk().kid; }
  Algorithm algorithm() const { return jwk().algorithm; }

  // True if `signature` (raw bytes, in JWS form) is this key's over `message`.
  // Any length and content is safe to pass.
  bool Verifies(absl::string_view message, absl::string_view signature) const;

 private:
  class Impl;
  explicit VerifyingKey(std::shared_ptr<const Impl> impl);

  std::shared_ptr<const Impl> impl_;
};

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_VERIFYING_KEY_H_
