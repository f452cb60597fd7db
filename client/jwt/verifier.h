#ifndef OSTIARY_CLIENT_JWT_VERIFIER_H_
#define OSTIARY_CLIENT_JWT_VERIFIER_H_

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/jwt/algorithm.h"
#include "client/jwt/key_set.h"
#include "client/jwt/rejection.h"
#include "client/jwt/token.h"

namespace ostiary::jwt {

// A VerifiedToken or the reason there is none.
class Verdict {
 public:
  Verdict(VerifiedToken token) : outcome_(std::move(token)) {}  // NOLINT
  Verdict(Rejection rejection) : outcome_(rejection) {}         // NOLINT

  bool accepted() const { return outcome_.index() == 0; }
  // Requires accepted(); the process ends otherwise.
  const VerifiedToken& token() const;
  // Requires !accepted(); the process ends otherwise.
  Rejection rejection() const;

 private:
  std::variant<VerifiedToken, Rejection> outcome_;
};

// Whom a token must be meant for. There is no default, and an empty name is
// met by no token: nothing empty ever means that anything goes.
class Audience {
 public:
  // One of the token's audiences must be exactly `name`.
  static Audience Exactly(absl::string_view name);
  // The caller has another way to know that the token is meant for it.
  static Audience Any() { return Audience(std::nullopt); }

  bool MetBy(const std::vector<std::string>& audiences) const;

 private:
  explicit Audience(std::optional<std::string> name) : name_(std::move(name)) {}

  std::optional<std::string> name_;  // nullopt: any
};

// How far the issuer's clock may be from ours. More would let expired and
// revoked-by-expiry tokens live on.
class Leeway {
 public:
  static constexpr absl::Duration kMax = absl::Minutes(5);

  Leeway() = default;  // none
  // INVALID_ARGUMENT outside 0 to kMax.
  static absl::StatusOr<Leeway> Of(absl::Duration duration);

  absl::Duration duration() const { return duration_; }

 private:
  explicit Leeway(absl::Duration duration) : duration_(duration) {}

  absl::Duration duration_ = absl::ZeroDuration();
};

struct Expectations {
  Audience audience;
  Leeway leeway = {};
  // All of them. None by default.
  std::vector<std::string> required_scopes = {};
  std::vector<std::string> required_roles = {};
};

// TOKEN_NOT_YET_VALID if nbf or iat is later than now + leeway;
// TOKEN_EXPIRED if now >= exp + leeway; AUDIENCE_MISMATCH.
std::optional<Rejection> CheckTimeAndAudience(const Claims& claims,
                                              const Expectations& expectations,
                                              absl::Time now);

// SCOPE_MISSING, ROLE_MISSING. Ask about revocation before this: a revoked
// token is TOKEN_REVOKED whatever it was allowed to do.
std::optional<Rejection> CheckAuthority(const Claims& claims,
                                        const Expectations& expectations);

// Both of the above; knows no revocation.
std::optional<Rejection> CheckClaims(const Claims& claims,
                                     const Expectations& expectations,
                                     absl::Time now);

enum class AcceptedTypes {
  // `at+jwt` or `application/at+jwt`, in any case (RFC 9068 section 4). An ID
  // token, a DPoP proof or a status list cannot pass for an access token.
  kAccessToken,
  // `JWT` too. Only for an issuer that marks nothing else that way: the type
  // no longer keeps other kinds of token out.
  kAccessTokenOrJwt,
};

struct VerifierOptions {
  // Compared byte by byte; no URL is normalised.
  std::string issuer;
  // What this caller trusts. The key's own algorithm binds as well; the one
  // in the token's header only ever has to agree with both.
  std::vector<Algorithm> algorithms = {};
  // If set, a token with exp - iat above it is TOKEN_MALFORMED: revocations
  // are forgotten after that long.
  std::optional<absl::Duration> maximum_lifetime = std::nullopt;
  AcceptedTypes types = AcceptedTypes::kAccessToken;
};

// Checks access tokens of one issuer. Immutable and thread-safe.
class Verifier {
 public:
  // INVALID_ARGUMENT if the issuer is empty, no algorithm is named or one is
  // named twice, or the maximum lifetime is not a positive finite duration.
  static absl::StatusOr<Verifier> Create(VerifierOptions options);

  // The part that depends on nothing but the token and the keys, so that its
  // result may be cached until a key goes away. In this order:
  //   TOKEN_MALFORMED        not a compact JWS of strict JSON objects, or a
  //                          registered claim of the wrong type
  //   ALGORITHM_NOT_ALLOWED  by the caller's list; by the key, once found
  //   KEY_UNKNOWN            no kid, or not in `keys`
  //   SIGNATURE_INVALID
  //   TYPE_MISMATCH
  //   ISSUER_MISMATCH
  //   TOKEN_MALFORMED        a claim of RFC 9068 section 2.2 is missing or
  //                          empty, or the lifetime is above the maximum
  // The last comes late on purpose: other kinds of token lack those claims
  // and are well-formed; their true fault is their type or issuer.
  Verdict Authenticate(absl::string_view token, const KeySet& keys) const;

  // Authenticate, then CheckClaims. Knows no revocation.
  Verdict Verify(absl::string_view token, const KeySet& keys,
                 const Expectations& expectations, absl::Time now) const;

 private:
  explicit Verifier(VerifierOptions options) : options_(std::move(options)) {}

  bool Allows(Algorithm algorithm) const;
  bool AcceptsType(const std::optional<std::string>& type) const;
  bool LivesTooLong(const Claims& claims) const;
  std::optional<Rejection> CheckSignature(const RawToken& token,
                                          const KeySet& keys) const;

  VerifierOptions options_;
};

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_VERIFIER_H_
