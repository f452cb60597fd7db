#ifndef OSTIARY_CLIENT_JWT_JWK_H_
#define OSTIARY_CLIENT_JWT_JWK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/jwt/algorithm.h"

namespace ostiary::jwt {

// A public signing key as RFC 7517 publishes it, in raw big-endian bytes.
// There is no member for a private part, so none can be published.
//
// A value: nothing is checked here. `VerifyingKey::Create` is where the
// numbers are found good.
struct PublicJwk {
  Algorithm algorithm = Algorithm::kEs256;
  std::string kid;
  std::string x;  // kEs256: 32 bytes. kEdDsa: the 32-byte key.
  std::string y;  // kEs256: 32 bytes.
  std::string n;  // kRs256: modulus without leading zero bytes.
  std::string e;  // kRs256: exponent without leading zero bytes.

  // These set `kid` to the thumbprint.
  static PublicJwk Es256(absl::string_view x, absl::string_view y);
  static PublicJwk Rs256(absl::string_view n, absl::string_view e);
  static PublicJwk EdDsa(absl::string_view x);

  // kty, then crv, x, y or n, e, then alg, use ("sig") and kid. No white space.
  std::string ToJson() const;

  friend bool operator==(const PublicJwk&, const PublicJwk&) = default;
};

// RFC 7638 with SHA-256, base64url. Depends on the key alone, not on `kid`.
std::string Thumbprint(const PublicJwk& jwk);

// The JWK Set {"keys":[...]} in the order given.
std::string ToJwksJson(const std::vector<PublicJwk>& keys);

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_JWK_H_
