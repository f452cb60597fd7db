#ifndef OSTIARY_SERVER_KEY_SIGNING_KEY_H_
#define OSTIARY_SERVER_KEY_SIGNING_KEY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/jwt/algorithm.h"
#include "client/jwt/jwk.h"
#include "server/base/secret.h"

namespace ostiary::key {

// A private key that signs with its one algorithm. The private part stays
// inside OpenSSL; ToPkcs8 is the one way out.
//
// Immutable and thread-safe: threads sign side by side.
class SigningKey {
 public:
  // A new key: P-256, RSA of 2048 bits (some 100 ms of work) or Ed25519. Its
  // id never begins with '-', which a command line would take for an option.
  static absl::StatusOr<SigningKey> Generate(jwt::Algorithm algorithm);

  // kDataLoss if `der` (PKCS#8) is no private key of `algorithm`.
  static absl::StatusOr<SigningKey> FromPkcs8(jwt::Algorithm algorithm,
                                              const SecretBytes& der);

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  // The signature of a JWS over `signing_input`, raw bytes in JWS form (ES256:
  // R || S, 64 bytes). Fails (kInternal) only if OpenSSL does.
  absl::StatusOr<std::string> Sign(absl::string_view signing_input) const;

  jwt::Algorithm algorithm() const { return public_jwk_.algorithm; }
  // RFC 7638 thumbprint of the public part.
  const std::string& key_id() const { return public_jwk_.kid; }
  const jwt::PublicJwk& public_jwk() const { return public_jwk_; }

  // The private part as DER; to be sealed at once.
  absl::StatusOr<SecretBytes> ToPkcs8() const;

 private:
  class Signer;
  SigningKey(std::unique_ptr<Signer> signer, jwt::PublicJwk public_jwk);

  std::unique_ptr<Signer> signer_;
  jwt::PublicJwk public_jwk_;
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_SIGNING_KEY_H_
