#include "client/cpp/answer.h"

#include <string>
#include <utility>

#include "client/cpp/wire.h"
#include "google/protobuf/util/json_util.h"

namespace ostiary::client {
namespace {

constexpr double kLargestWholeDouble = 9007199254740992.0;  // 2^53

std::optional<std::uint64_t> GenerationOf(const v1::TokenClaims& claims) {
  if (!claims.has_extra()) return std::nullopt;
  const google::protobuf::Struct& extra = claims.extra();
  const auto found = extra.fields().find("gen");
  if (found == extra.fields().end() || !found->second.has_number_value()) {
    return std::nullopt;
  }
  const double number = found->second.number_value();
  if (!(number >= 0 && number <= kLargestWholeDouble)) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

}  // namespace

Refusal RefusalOf(jwt::Rejection rejection) {
  switch (rejection) {
    case jwt::Rejection::kTokenMalformed:
      return Refusal::kTokenMalformed;
    case jwt::Rejection::kAlgorithmNotAllowed:
      return Refusal::kAlgorithmNotAllowed;
    case jwt::Rejection::kKeyUnknown:
      return Refusal::kKeyUnknown;
    case jwt::Rejection::kSignatureInvalid:
      return Refusal::kSignatureInvalid;
    case jwt::Rejection::kTypeMismatch:
      return Refusal::kTypeMismatch;
    case jwt::Rejection::kIssuerMismatch:
      return Refusal::kIssuerMismatch;
    case jwt::Rejection::kTokenNotYetValid:
      return Refusal::kTokenNotYetValid;
    case jwt::Rejection::kTokenExpired:
      return Refusal::kTokenExpired;
    case jwt::Rejection::kAudienceMismatch:
      return Refusal::kAudienceMismatch;
    case jwt::Rejection::kTokenRevoked:
      return Refusal::kTokenRevoked;
    case jwt::Rejection::kScopeMissing:
      return Refusal::kScopeMissing;
    case jwt::Rejection::kRoleMissing:
      return Refusal::kRoleMissing;
  }
  return Refusal::kTokenMalformed;
}

Refusal RefusalOf(const v1::VerifyResponse& response) {
  for (int i = 0; i < kRefusals; ++i) {
    const Refusal refusal = static_cast<Refusal>(i);
    if (RefusalName(refusal) == response.reason()) return refusal;
  }
  return Refusal::kCheckUnavailable;
}

KnownTokenPtr TokenOf(const v1::TokenClaims& said, std::string key_id) {
  jwt::Claims claims;
  claims.issuer = said.issuer();
  claims.subject = said.subject();
  claims.audiences.assign(said.audiences().begin(), said.audiences().end());
  claims.client_id = said.client_id();
  claims.session_id = said.session_id();
  claims.token_id = said.token_id();
  claims.issue_time = TimeOf(said.issue_time()).value_or(absl::InfinitePast());
  claims.expire_time =
      TimeOf(said.expire_time()).value_or(absl::InfinitePast());
  claims.scopes.assign(said.scopes().begin(), said.scopes().end());
  claims.roles.assign(said.roles().begin(), said.roles().end());
  claims.generation = GenerationOf(said);
  std::string extra;
  if (said.has_extra() &&
      google::protobuf::util::MessageToJsonString(said.extra(), &extra).ok()) {
    claims.extra_json = std::move(extra);
  }
  return std::make_shared<const KnownToken>(std::move(claims),
                                            std::move(key_id));
}

}  // namespace ostiary::client
