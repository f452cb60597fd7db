#ifndef OSTIARY_TESTS_CLIENT_JWT_TEST_SIGNER_H_
#define OSTIARY_TESTS_CLIENT_JWT_TEST_SIGNER_H_

#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "client/jwt/algorithm.h"
#include "client/jwt/jwk.h"

namespace ostiary::jwt::testing {

// A fresh key that signs whatever it is given, good or bad.
class TestSigner {
 public:
  explicit TestSigner(Algorithm algorithm);
  ~TestSigner();

  const PublicJwk& jwk() const { return jwk_; }

  // The raw JWS signature over `message`.
  std::string Sign(absl::string_view message) const;

  // A compact JWS of exactly these texts.
  std::string Token(absl::string_view header, absl::string_view payload) const;
  std::string Token(const boost::json::object& header,
                    const boost::json::object& payload) const;

  // {"alg", "kid", "typ": "at+jwt"} for this key.
  boost::json::object Header() const;

 private:
  struct Key;
  std::unique_ptr<Key> key_;
  PublicJwk jwk_;
};

inline constexpr char kIssuer[] = "https://id.example.test";
inline constexpr long kIssuedAt = 1'700'000'000;
inline constexpr long kExpiresAt = kIssuedAt + 900;

// An access token's payload with every required claim: sub "acct_ada", aud
// "api", client_id "web", jti "j-1", scope "read write", roles ["admin"].
boost::json::object GoodPayload();

}  // namespace ostiary::jwt::testing

#endif  // OSTIARY_TESTS_CLIENT_JWT_TEST_SIGNER_H_
