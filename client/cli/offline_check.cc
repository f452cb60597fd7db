#include "client/cli/offline_check.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/failure.h"
#include "client/cli/file.h"
#include "client/cli/invocation.h"
#include "client/cli/json_value.h"

namespace ostiary::cli {
namespace {

using jwt::Algorithm;

absl::StatusOr<std::vector<Algorithm>> ParseAlgorithms(
    const std::string& text) {
  if (text.empty()) {
    return std::vector<Algorithm>{Algorithm::kEs256, Algorithm::kRs256,
                                  Algorithm::kEdDsa};
  }
  std::vector<Algorithm> algorithms;
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(text, ','))) {
    const std::optional<Algorithm> algorithm = jwt::ParseAlgorithm(name);
    if (!algorithm) {
      return UsageError(absl::StrCat("--algs: \"", name,
                                     "\" is not one of ES256, RS256, EdDSA"));
    }
    algorithms.push_back(*algorithm);
  }
  return algorithms;
}

absl::StatusOr<jwt::KeySet> ReadKeys(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile("--jwks", path);
  if (!text.ok()) return text.status();
  absl::StatusOr<jwt::KeySet> keys = jwt::KeySet::Parse(*text);
  if (!keys.ok()) {
    return UsageError(
        absl::StrCat("--jwks: ", path, ": ", keys.status().message()));
  }
  if (keys->empty()) {
    return UsageError(absl::StrCat(
        "--jwks: ", path,
        " holds no usable key (ES256, RS256 or EdDSA, with kid and alg)"));
  }
  return keys;
}

absl::StatusOr<jwt::Verifier> MakeVerifier(const OfflineFlags& flags) {
  if (flags.issuer.empty()) {
    return UsageError("--jwks needs --issuer, whose tokens are to be accepted");
  }
  absl::StatusOr<std::vector<Algorithm>> algorithms =
      ParseAlgorithms(flags.algorithms);
  if (!algorithms.ok()) return algorithms.status();
  jwt::VerifierOptions options;
  options.issuer = flags.issuer;
  options.algorithms = *std::move(algorithms);
  absl::StatusOr<jwt::Verifier> verifier =
      jwt::Verifier::Create(std::move(options));
  if (!verifier.ok()) return UsageError(verifier.status().message());
  return verifier;
}

absl::StatusOr<jwt::Expectations> MakeExpectations(const OfflineFlags& flags) {
  if (flags.any_audience != flags.audience.empty()) {
    return UsageError("--jwks needs either --audience or --any-audience");
  }
  const absl::StatusOr<absl::Duration> duration = ParseDurationFlag(
      "--leeway", flags.leeway, absl::ZeroDuration(), jwt::Leeway::kMax);
  if (!duration.ok()) return duration.status();
  const absl::StatusOr<jwt::Leeway> leeway = jwt::Leeway::Of(*duration);
  if (!leeway.ok()) return UsageError(leeway.status().message());
  return jwt::Expectations{flags.any_audience
                               ? jwt::Audience::Any()
                               : jwt::Audience::Exactly(flags.audience),
                           *leeway, flags.scopes, flags.roles};
}

void FillTime(absl::Time time, google::protobuf::Timestamp& out) {
  out.set_seconds(absl::ToUnixSeconds(time));
  out.set_nanos(static_cast<int>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(out.seconds()))));
}

void FillClaims(const jwt::Claims& claims, v1::TokenClaims& out) {
  out.set_issuer(claims.issuer);
  out.set_subject(claims.subject);
  for (const auto& audience : claims.audiences) out.add_audiences(audience);
  out.set_client_id(claims.client_id);
  out.set_session_id(claims.session_id);
  out.set_token_id(claims.token_id);
  FillTime(claims.issue_time, *out.mutable_issue_time());
  FillTime(claims.expire_time, *out.mutable_expire_time());
  for (const auto& scope : claims.scopes) out.add_scopes(scope);
  for (const auto& role : claims.roles) out.add_roles(role);
  if (const auto extra = ParseJsonObject(claims.extra_json)) {
    *out.mutable_extra() = ToStruct(*extra);
  }
}

}  // namespace

absl::StatusOr<OfflineCheck> OfflineCheck::Create(const OfflineFlags& flags,
                                                  absl::Time now) {
  absl::StatusOr<jwt::Verifier> verifier = MakeVerifier(flags);
  if (!verifier.ok()) return verifier.status();
  absl::StatusOr<jwt::Expectations> expectations = MakeExpectations(flags);
  if (!expectations.ok()) return expectations.status();
  absl::StatusOr<jwt::KeySet> keys = ReadKeys(flags.jwks);
  if (!keys.ok()) return keys.status();
  if (flags.at) now = absl::FromUnixSeconds(*flags.at);
  return OfflineCheck(*std::move(verifier), *std::move(keys),
                      *std::move(expectations), now);
}

v1::VerifyResponse OfflineCheck::Check(absl::string_view token) const {
  const jwt::Verdict verdict =
      verifier_.Verify(token, keys_, expectations_, now_);
  v1::VerifyResponse response;
  response.set_valid(verdict.accepted());
  if (verdict.accepted()) {
    FillClaims(verdict.token().claims(), *response.mutable_claims());
    return response;
  }
  const absl::string_view reason = jwt::RejectionName(verdict.rejection());
  response.set_reason(std::string(reason));
  return response;
}

OfflineCheck::OfflineCheck(jwt::Verifier verifier, jwt::KeySet keys,
                           jwt::Expectations expectations, absl::Time now)
    : verifier_(std::move(verifier)),
      keys_(std::move(keys)),
      expectations_(std::move(expectations)),
      now_(now) {}

}  // namespace ostiary::cli
