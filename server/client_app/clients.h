#ifndef OSTIARY_SERVER_CLIENT_APP_CLIENTS_H_
#define OSTIARY_SERVER_CLIENT_APP_CLIENTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::client_app {

inline constexpr absl::string_view kDefaultClientId = "cli_default";

// What a client asks for at sign-in, as it came in.
struct GrantRequest {
  absl::string_view client_id;  // empty: kDefaultClientId
  absl::string_view audience;   // empty: the default audience
  absl::string_view scope;      // empty: none
};

// What it may have.
struct Grant {
  std::string client_id;
  std::string audience;
  std::string scope;
};

// The clients there are and what each may be granted.
//
// Immutable and thread-safe.
class Clients {
 public:
  struct Allowance {
    std::string default_audience;
    std::vector<std::string> audiences;  // holds default_audience
    std::vector<std::string> scopes;
  };
  explicit Clients(Allowance default_client)
      : default_client_(std::move(default_client)) {}

  // kClientUnknown, kAudienceNotAllowed, kScopeNotAllowed. Nothing is granted
  // silently narrower than asked for.
  absl::StatusOr<Grant> Decide(const GrantRequest& request) const;

 private:
  const Allowance default_client_;
};

}  // namespace ostiary::client_app

#endif  // OSTIARY_SERVER_CLIENT_APP_CLIENTS_H_
