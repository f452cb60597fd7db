#include "server/client_app/clients.h"

#include <algorithm>

#include "server/base/reason.h"
#include "server/client_app/scope.h"

namespace ostiary::client_app {

absl::StatusOr<Grant> Clients::Decide(const GrantRequest& request) const {
  if (!request.client_id.empty() && request.client_id != kDefaultClientId) {
    return Refuse(Reason::kClientUnknown);
  }
  Grant grant;
  grant.client_id =
      std::string(kDefaultClientId.data(), kDefaultClientId.size());
  grant.audience = default_client_.default_audience;
  if (!request.audience.empty()) {
    grant.audience =
        std::string(request.audience.data(), request.audience.size());
  }
  const auto& audiences = default_client_.audiences;
  if (std::find(audiences.begin(), audiences.end(), grant.audience) ==
      audiences.end()) {
    return Refuse(Reason::kAudienceNotAllowed);
  }
  const std::optional<std::vector<std::string>> scopes =
      ParseScope(request.scope);
  if (!scopes.has_value() || !IsWithin(*scopes, default_client_.scopes)) {
    return Refuse(Reason::kScopeNotAllowed);
  }
  grant.scope = FormatScope(*scopes);
  return grant;
}

}  // namespace ostiary::client_app
