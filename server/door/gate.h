#ifndef OSTIARY_SERVER_DOOR_GATE_H_
#define OSTIARY_SERVER_DOOR_GATE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/jwt/token.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/door/door.h"
#include "server/flow/gateway_check.h"

namespace ostiary::door {

// The headers that tell the service behind a gateway who asks. A request that
// has passed carries these and no others of their names: whatever the client
// sent is replaced or taken away, where anonymous requests pass too.
inline constexpr absl::string_view kIdentityPrefix = "x-ostiary-";
inline constexpr absl::string_view kIdentityHeaders[] = {
    "x-ostiary-subject", "x-ostiary-scopes", "x-ostiary-roles",
    "x-ostiary-session", "x-ostiary-client"};

// What gateways ask, whichever protocol they speak.
//
// Thread-safe.
class Gate {
 public:
  // All must outlive the gate.
  Gate(const flow::GatewayCheck& check, const Clock& clock, Logger& logger)
      : check_(check), clock_(clock), logger_(logger) {}

  struct Decision {
    int status = 503;  // 200, 401, 403, 503
    // All of kIdentityHeaders in their order, if it passes. Without a value:
    // there is nothing to say and the client's own must go.
    std::vector<std::pair<std::string, std::string>> identity = {};
    // Of a refusal.
    std::string challenge = {};  // WWW-Authenticate; may be empty
    std::string body = {};       // JSON
    // Whose request passes; null: nobody's, or it does not pass.
    std::shared_ptr<const jwt::VerifiedToken> token = nullptr;
    // For whoever runs the gateway, never for its clients.
    std::string note = {};
  };

  // `policy` is what the gateway's configuration says about the route (an
  // error: it cannot be read), `authorization` every header of that name on
  // the request.
  //
  // A policy that is not understood is a decision too (503, logged) and not an
  // error: a gateway told to let requests pass while we cannot be reached must
  // not let them pass because of a misspelt word.
  Decision Decide(const absl::StatusOr<std::vector<flow::PolicyLine>>& policy,
                  const std::vector<std::string>& authorization);

 private:
  Decision RefusePolicy(const absl::Status& why);

  const flow::GatewayCheck& check_;
  const Clock& clock_;
  Logger& logger_;
  std::atomic<std::int64_t> quiet_until_{0};  // Unix seconds
};

// One question asked over HTTP, answered.
GateAnswer AnswerForwarded(Gate& gate, const ForwardedCheck& asked);
// What is answered while nothing can be decided.
GateAnswer UndecidedAnswer();

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_GATE_H_
