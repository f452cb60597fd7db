#ifndef OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TEST_ISSUER_H_
#define OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TEST_ISSUER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "ostiary/options.h"
#include "ostiary/time_source.h"
#include "ostiary/verifier.h"

namespace ostiary {

// What a token of a TestIssuer says.
struct TestToken {
  std::string subject = "acct_test";
  std::string audience = "api";
  std::vector<std::string> scopes = {};
  std::vector<std::string> roles = {};
  std::string session_id = "sess_test";  // empty: none
  std::string client_id = "client_test";
  // None: what makes RevokeAccount end the tokens signed before it.
  std::optional<std::uint64_t> generation = std::nullopt;
  // Negative: expired already.
  absl::Duration lifetime = absl::Minutes(15);
};

// Makes tokens that a Verifier accepts, without a server, so that a service can
// test its protected methods. Its keys live as long as it does.
//
//   TestIssuer issuer;
//   auto verifier = issuer.MakeVerifier();
//   const std::string token = issuer.Sign({.subject = "acct_ada"});
//   issuer.RevokeSession("sess_test");
//   verifier->Verify(token).refusal();  // kTokenRevoked
//
// For tests alone. Thread-safe.
class TestIssuer {
 public:
  explicit TestIssuer(std::string issuer = "https://issuer.test",
                      const TimeSource& time = TimeSource::OfMachine());
  ~TestIssuer();
  TestIssuer(const TestIssuer&) = delete;
  TestIssuer& operator=(const TestIssuer&) = delete;

  const std::string& issuer() const { return issuer_; }

  // A compact JWS, signed with ES256.
  std::string Sign(const TestToken& token = {}) const;
  // The public keys as a JWK Set.
  std::string JwksJson() const;
  // Signs with a new key from now on; the old ones verify.
  void RotateKey();

  // Each is in force in every verifier when it returns.
  // INVALID_ARGUMENT for a text that this issuer did not sign.
  absl::Status RevokeToken(absl::string_view token);
  void RevokeSession(absl::string_view session_id);
  // What was signed before, unless a generation was said.
  void RevokeAccount(absl::string_view subject);
  // What was signed until the end of this second: `iat` has no finer time.
  void RevokeClient(absl::string_view client_id);
  // Everything the key that signs now has signed, and will sign until
  // RotateKey.
  void RevokeKey();

  // A verifier that knows the keys and revocations of this issuer and is always
  // fresh. Audience, leeway, algorithms and cache size are those of `options`;
  // INVALID_ARGUMENT if they are wrong. It may outlive the issuer.
  absl::StatusOr<std::unique_ptr<Verifier>> TryMakeVerifier(
      VerifierOptions options) const;
  // With the defaults of VerifierOptions.
  std::unique_ptr<Verifier> MakeVerifier() const;

 private:
  struct Parts;

  const std::string issuer_;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TEST_ISSUER_H_
