#include "server/flow/gateway_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/account/roles.h"
#include "server/base/reason.h"
#include "server/client_app/scope.h"

namespace ostiary::flow {
namespace {

constexpr std::size_t kMaxAudienceBytes = 256;
// More would not fit into a sentence that anybody reads.
constexpr std::size_t kMaxShownBytes = 64;

using Outcome = GatewayCheck::Outcome;

bool IsVisible(char c) { return c > 0x20 && c < 0x7f; }

absl::Status ReadAudience(const std::string& value, RoutePolicy& policy) {
  if (value.empty() || value.size() > kMaxAudienceBytes ||
      !std::all_of(value.begin(), value.end(), IsVisible)) {
    return RefuseField("audience",
                       "must be one name of 1 to 256 visible characters");
  }
  policy.audience = value;
  return absl::OkStatus();
}

absl::Status ReadScopes(const std::string& value, RoutePolicy& policy) {
  auto scopes = client_app::ParseScope(value);
  if (!scopes.has_value() || scopes->empty()) {
    return RefuseField("require_scopes",
                       "must be one or more scopes, separated by spaces");
  }
  policy.required_scopes = *std::move(scopes);
  return absl::OkStatus();
}

absl::Status ReadRoles(const std::string& value, RoutePolicy& policy) {
  const std::vector<std::string> roles =
      absl::StrSplit(value, ' ', absl::SkipEmpty());
  if (roles.empty() || roles.size() > account::kMaxRoles) {
    return RefuseField("require_role",
                       "must be 1 to 32 roles, separated by spaces");
  }
  for (const std::string& role : roles) {
    if (auto status = account::CheckRole(role, "require_role"); !status.ok())
      return status;
  }
  policy.required_roles = roles;
  return absl::OkStatus();
}

absl::Status ReadAnonymous(const std::string& value, RoutePolicy& policy) {
  if (value != "allow" && value != "deny")
    return RefuseField("anonymous", "must be allow or deny");
  policy.anonymous = value == "allow" ? RoutePolicy::Anonymous::kAllowed
                                      : RoutePolicy::Anonymous::kRefused;
  return absl::OkStatus();
}

using Reader = absl::Status (*)(const std::string&, RoutePolicy&);
struct Key {
  absl::string_view name;
  Reader read;
};
constexpr Key kKeys[] = {{"audience", ReadAudience},
                         {"require_scopes", ReadScopes},
                         {"require_role", ReadRoles},
                         {"anonymous", ReadAnonymous}};

absl::Status ReadLine(const PolicyLine& line, RoutePolicy& policy) {
  for (const Key& key : kKeys) {
    if (key.name == line.key) return key.read(line.value, policy);
  }
  return RefuseField(line.key.substr(0, kMaxShownBytes),
                     "is not a key of a policy; the keys are audience, "
                     "require_scopes, require_role, anonymous");
}

}  // namespace

absl::StatusOr<RoutePolicy> ReadRoutePolicy(
    const std::vector<PolicyLine>& lines) {
  RoutePolicy policy;
  for (const PolicyLine& line : lines) {
    if (auto status = ReadLine(line, policy); !status.ok()) return status;
    const auto same = [&](const PolicyLine& other) {
      return other.key == line.key;
    };
    if (std::count_if(lines.begin(), lines.end(), same) > 1)
      return RefuseField(line.key, "is given twice");
  }
  return policy;
}

GatewayCheck::Verdict GatewayCheck::Judge(
    const RoutePolicy& policy, const Credentials& credentials) const {
  switch (credentials.kind) {
    case Credentials::Kind::kNone:
      return {policy.anonymous == RoutePolicy::Anonymous::kAllowed
                  ? Outcome::kPasses
                  : Outcome::kTokenNeeded};
    case Credentials::Kind::kOther:
      return {Outcome::kTokenNeeded};
    case Credentials::Kind::kBearer:
      break;
  }
  jwt::Expectations expectations{jwt::Audience::Exactly(
      policy.audience.empty() ? default_audience_ : policy.audience)};
  expectations.required_scopes = policy.required_scopes;
  expectations.required_roles = policy.required_roles;
  Verify::Answer answer = verify_.Judge(credentials.token, expectations);
  if (!answer.rejection.has_value())
    return {Outcome::kPasses, std::move(answer.token)};
  const bool is_bad = *answer.rejection != jwt::Rejection::kScopeMissing &&
                      *answer.rejection != jwt::Rejection::kRoleMissing;
  return {is_bad ? Outcome::kTokenRejected : Outcome::kTooLittle};
}

}  // namespace ostiary::flow
