#include "ostiary/grpc_guard.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace ostiary {
namespace {

constexpr char kDomain[] = "ostiary";
constexpr absl::string_view kScheme = "bearer ";

grpc::Status Error(grpc::StatusCode code, absl::string_view reason,
                   const std::string& sentence) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kDomain);
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(sentence);
  details.add_details()->PackFrom(info);
  return grpc::Status(code, sentence, details.SerializeAsString());
}

grpc::Status Refuse(Refusal refusal) {
  const absl::string_view reason = RefusalName(refusal);
  switch (refusal) {
    case Refusal::kScopeMissing:
    case Refusal::kRoleMissing:
      return Error(grpc::StatusCode::PERMISSION_DENIED, reason,
                   "the access token does not allow this");
    case Refusal::kCheckUnavailable:
      return Error(grpc::StatusCode::UNAVAILABLE, reason,
                   "the access token cannot be checked now; try again");
    case Refusal::kTokenMalformed:
    case Refusal::kAlgorithmNotAllowed:
    case Refusal::kKeyUnknown:
    case Refusal::kSignatureInvalid:
    case Refusal::kTypeMismatch:
    case Refusal::kIssuerMismatch:
    case Refusal::kTokenNotYetValid:
    case Refusal::kTokenExpired:
    case Refusal::kAudienceMismatch:
    case Refusal::kTokenRevoked:
      break;
  }
  return Error(grpc::StatusCode::UNAUTHENTICATED, reason,
               "the access token is not accepted");
}

// Two headers are none: two readers could each believe another one.
std::optional<absl::string_view> BearerToken(
    const grpc::ServerContextBase& context) {
  const auto [first, last] =
      context.client_metadata().equal_range("authorization");
  if (first == last || std::next(first) != last) return std::nullopt;
  const absl::string_view value(first->second.data(), first->second.size());
  if (!absl::StartsWithIgnoreCase(value, kScheme)) return std::nullopt;
  return value.substr(kScheme.size());
}

}  // namespace

Admission Guard::Check(const grpc::ServerContextBase& context,
                       const CheckOptions& requirement) const {
  const auto token = BearerToken(context);
  if (!token) {
    return Admission(Error(grpc::StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED",
                           "one bearer token is needed: authorization"));
  }
  const Verdict verdict = verifier_.Verify(*token, requirement);
  if (!verdict.accepted()) return Admission(Refuse(verdict.refusal()));
  return Admission(verdict.shared_claims());
}

}  // namespace ostiary
