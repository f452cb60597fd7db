#ifndef OSTIARY_SERVER_FLOW_CALLER_H_
#define OSTIARY_SERVER_FLOW_CALLER_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/audit/event.h"
#include "server/base/ids.h"
#include "server/limit/network_prefix.h"

namespace ostiary::flow {

// Who asks, as far as the door has found out, and how long they will wait.
struct Caller {
  enum class Kind { kAnonymous, kAccount, kService, kOperator };
  Kind kind = Kind::kAnonymous;
  // Came through the operator socket: a process of this machine.
  bool at_socket = false;
  // Set for an account; for an operator only if it came with a token.
  std::optional<AccountId> account_id;
  std::optional<SessionId> session_id;
  // The network address and user agent, made safe to keep.
  std::string address;
  std::string user_agent;
  // What the limiter counts by; nullopt: no limit by network
  // (loopback, the operator socket).
  std::optional<limit::NetworkPrefix> origin;
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> cancelled;  // may be empty

  bool is_operator() const { return kind == Kind::kOperator; }
  // For the audit log: "operator", "acct_...", "anonymous".
  std::string Actor() const;
  // An audit event by this caller.
  audit::Event Did(absl::string_view action, absl::string_view outcome,
                   absl::Time now) const;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_CALLER_H_
