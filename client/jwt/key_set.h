#ifndef OSTIARY_CLIENT_JWT_KEY_SET_H_
#define OSTIARY_CLIENT_JWT_KEY_SET_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/jwt/jwk.h"
#include "client/jwt/verifying_key.h"

namespace ostiary::jwt {

// The keys one issuer signs with, found by kid. Immutable, cheap to copy
// (copies share the keys) and thread-safe: a reader takes a copy and keeps
// using it while somebody else replaces the set.
class KeySet {
 public:
  static constexpr std::size_t kMaxJsonBytes = 256 * 1024;
  static constexpr std::size_t kMaxKeys = 256;

  // Knows no key: every token is KEY_UNKNOWN.
  KeySet();

  // Reads a JWK Set (RFC 7517 section 5). Keys that cannot be used are left
  // out, so that one odd key does not blind every verifier: another kty or
  // alg, no alg, no kid, use other than "sig", key_ops without "verify", a
  // private member, a symmetric key, numbers `VerifyingKey` refuses.
  //
  // INVALID_ARGUMENT if the text is not strict JSON, not a set, too large, or
  // if two keys have one kid: which one a token means must not be a guess.
  // The messages do not quote the text.
  static absl::StatusOr<KeySet> Parse(absl::string_view jwks_json);

  // INVALID_ARGUMENT if a key is refused by `VerifyingKey` or two have one
  // kid: our own keys are not silently left out.
  static absl::StatusOr<KeySet> FromKeys(const std::vector<PublicJwk>& keys);

  // Null if unknown. Valid while this set or a copy of it lives.
  const VerifyingKey* Find(absl::string_view kid) const;

  // In the order they were given.
  const std::vector<VerifyingKey>& keys() const;
  bool empty() const { return keys().empty(); }

  // The set as JSON, in the same order.
  std::string ToJson() const;

 private:
  struct Impl;
  explicit KeySet(std::shared_ptr<const Impl> impl);
  static absl::StatusOr<KeySet> FromVerifyingKeys(
      std::vector<VerifyingKey> keys);

  std::shared_ptr<const Impl> impl_;
};

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_KEY_SET_H_
