#include "client/jwt/verifier.h"

#include <algorithm>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "client/jwt/claims_reader.h"

namespace ostiary::jwt {
namespace {

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool ContainsAll(const std::vector<std::string>& held,
                 const std::vector<std::string>& required) {
  return std::all_of(
      required.begin(), required.end(),
      [&held](const std::string& one) { return Contains(held, one); });
}

}  // namespace

const VerifiedToken& Verdict::token() const {
  const VerifiedToken* token = std::get_if<VerifiedToken>(&outcome_);
  if (token == nullptr) std::abort();
  return *token;
}

Rejection Verdict::rejection() const {
  const Rejection* rejection = std::get_if<Rejection>(&outcome_);
  if (rejection == nullptr) std::abort();
  return *rejection;
}

Audience Audience::Exactly(absl::string_view name) {
  return Audience(std::string(name));
}

bool Audience::MetBy(const std::vector<std::string>& audiences) const {
  if (!name_.has_value()) return true;
  return !name_->empty() && Contains(audiences, *name_);
}

absl::StatusOr<Leeway> Leeway::Of(absl::Duration duration) {
  if (duration < absl::ZeroDuration() || duration > kMax) {
    return absl::InvalidArgumentError("leeway must be 0 to 5 minutes");
  }
  return Leeway(duration);
}

std::optional<Rejection> CheckTimeAndAudience(const Claims& claims,
                                              const Expectations& expectations,
                                              absl::Time now) {
  const absl::Duration leeway = expectations.leeway.duration();
  if (claims.issue_time > now + leeway ||
      claims.not_before.value_or(absl::InfinitePast()) > now + leeway) {
    return Rejection::kTokenNotYetValid;
  }
  if (now >= claims.expire_time + leeway) return Rejection::kTokenExpired;
  if (!expectations.audience.MetBy(claims.audiences)) {
    return Rejection::kAudienceMismatch;
  }
  return std::nullopt;
}

std::optional<Rejection> CheckAuthority(const Claims& claims,
                                        const Expectations& expectations) {
  if (!ContainsAll(claims.scopes, expectations.required_scopes)) {
    return Rejection::kScopeMissing;
  }
  if (!ContainsAll(claims.roles, expectations.required_roles)) {
    return Rejection::kRoleMissing;
  }
  return std::nullopt;
}

std::optional<Rejection> CheckClaims(const Claims& claims,
                                     const Expectations& expectations,
                                     absl::Time now) {
  const auto rejection = CheckTimeAndAudience(claims, expectations, now);
  if (rejection.has_value()) return rejection;
  return CheckAuthority(claims, expectations);
}

absl::StatusOr<Verifier> Verifier::Create(VerifierOptions options) {
  if (options.issuer.empty()) {
    return absl::InvalidArgumentError("issuer must not be empty");
  }
  if (options.algorithms.empty()) {
    return absl::InvalidArgumentError("algorithms must name at least one");
  }
  std::vector<Algorithm> sorted = options.algorithms;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return absl::InvalidArgumentError("algorithms names one twice");
  }
  const absl::Duration lifetime =
      options.maximum_lifetime.value_or(absl::Seconds(1));
  if (lifetime <= absl::ZeroDuration() ||
      lifetime == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        "maximum_lifetime must be positive and finite");
  }
  return Verifier(std::move(options));
}

Verdict Verifier::Authenticate(absl::string_view token,
                               const KeySet& keys) const {
  const std::optional<RawToken> raw = RawToken::Parse(token);
  if (!raw.has_value()) return Rejection::kTokenMalformed;
  std::optional<ReadClaims> read = ReadPayload(raw->payload());
  if (!read.has_value()) return Rejection::kTokenMalformed;

  const auto rejection = CheckSignature(*raw, keys);
  if (rejection.has_value()) return *rejection;

  if (!AcceptsType(raw->type())) return Rejection::kTypeMismatch;
  if (read->claims.issuer != options_.issuer) {
    return Rejection::kIssuerMismatch;
  }
  if (!read->complete || LivesTooLong(read->claims)) {
    return Rejection::kTokenMalformed;
  }
  return VerifiedToken(std::move(read->claims), *raw->kid());
}

Verdict Verifier::Verify(absl::string_view token, const KeySet& keys,
                         const Expectations& expectations,
                         absl::Time now) const {
  Verdict verdict = Authenticate(token, keys);
  if (!verdict.accepted()) return verdict;
  const auto rejection =
      CheckClaims(verdict.token().claims(), expectations, now);
  if (rejection.has_value()) return *rejection;
  return verdict;
}

std::optional<Rejection> Verifier::CheckSignature(const RawToken& token,
                                                  const KeySet& keys) const {
  const auto algorithm = ParseAlgorithm(token.algorithm_name());
  if (!algorithm.has_value() || !Allows(*algorithm)) {
    return Rejection::kAlgorithmNotAllowed;
  }
  if (!token.kid().has_value()) return Rejection::kKeyUnknown;
  const VerifyingKey* key = keys.Find(*token.kid());
  if (key == nullptr) return Rejection::kKeyUnknown;
  // The key decides how it is used. A header that names another algorithm is
  // the beginning of every key-confusion attack.
  if (key->algorithm() != *algorithm) return Rejection::kAlgorithmNotAllowed;
  if (!key->Verifies(token.signing_input(), token.signature())) {
    return Rejection::kSignatureInvalid;
  }
  return std::nullopt;
}

bool Verifier::Allows(Algorithm algorithm) const {
  return std::find(options_.algorithms.begin(), options_.algorithms.end(),
                   algorithm) != options_.algorithms.end();
}

bool Verifier::AcceptsType(const std::optional<std::string>& type) const {
  if (!type.has_value()) return false;
  if (absl::EqualsIgnoreCase(*type, "at+jwt") ||
      absl::EqualsIgnoreCase(*type, "application/at+jwt")) {
    return true;
  }
  return options_.types == AcceptedTypes::kAccessTokenOrJwt &&
         absl::EqualsIgnoreCase(*type, "JWT");
}

bool Verifier::LivesTooLong(const Claims& claims) const {
  return options_.maximum_lifetime.has_value() &&
         claims.expire_time - claims.issue_time > *options_.maximum_lifetime;
}

}  // namespace ostiary::jwt
