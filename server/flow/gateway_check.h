#ifndef OSTIARY_SERVER_FLOW_GATEWAY_CHECK_H_
#define OSTIARY_SERVER_FLOW_GATEWAY_CHECK_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/jwt/token.h"
#include "server/flow/verify.h"

namespace ostiary::flow {

// What one route of a gateway asks of a request. It comes from the gateway's
// own configuration, never from the request: a client that could say which
// audience counts would say its own.
struct RoutePolicy {
  enum class Anonymous { kRefused, kAllowed };

  std::string audience;  // empty: the server's default one
  // All of them.
  std::vector<std::string> required_scopes;
  std::vector<std::string> required_roles;
  // Whether a request without credentials passes. One with credentials that
  // are not good enough never does.
  Anonymous anonymous = Anonymous::kRefused;
};

// One line of a policy as the configuration spells it.
struct PolicyLine {
  std::string key;
  std::string value;
};

// Knows `audience`, `require_scopes` and `require_role` (lists, by spaces) and
// `anonymous` (allow, deny). No line at all asks for a live token of the
// default audience.
//
// kArgumentInvalid, with words for whoever wrote the configuration, about an
// unknown or repeated key and about an empty or impossible value: a misspelt
// `require_role`, or one whose template filled in nothing, must close the
// route, not open it.
absl::StatusOr<RoutePolicy> ReadRoutePolicy(
    const std::vector<PolicyLine>& lines);

// What a request brought to say who sends it.
struct Credentials {
  enum class Kind {
    kNone,
    kBearer,
    kOther,  // another scheme, or nothing that can be read
  };
  Kind kind = Kind::kNone;
  absl::string_view token = {};  // of kBearer
};

// Judges a request for a gateway that holds it, from memory.
//
// Thread-safe; no I/O, so it runs inline.
class GatewayCheck {
 public:
  // `verify` must outlive this.
  GatewayCheck(const Verify& verify, std::string default_audience)
      : verify_(verify), default_audience_(std::move(default_audience)) {}

  enum class Outcome {
    kPasses,
    kTokenNeeded,    // no credentials, or of a kind that is not known here
    kTokenRejected,  // the token is not good, whatever the route allows
    kTooLittle,      // the token is good; a scope or role is missing
  };
  struct Verdict {
    Outcome outcome = Outcome::kTokenNeeded;
    // Whose request passes; null: nobody's.
    std::shared_ptr<const jwt::VerifiedToken> token = nullptr;
  };

  Verdict Judge(const RoutePolicy& policy,
                const Credentials& credentials) const;

 private:
  const Verify& verify_;
  const std::string default_audience_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_GATEWAY_CHECK_H_
