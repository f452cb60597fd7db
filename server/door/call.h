#ifndef OSTIARY_SERVER_DOOR_CALL_H_
#define OSTIARY_SERVER_DOOR_CALL_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace ostiary::door {

// Where a call came in. Whether it is the operator's depends on this alone,
// never on metadata.
enum class Listener { kOperatorSocket, kGrpc, kHttp };

// What a wire knows about a call before anything is decided. Wires fill it in;
// they decide nothing.
struct CallContext {
  Listener listener = Listener::kGrpc;
  // The peer's network address without port, "127.0.0.1" or "::1"; empty on
  // the operator socket.
  std::string peer_address;
  // The x-forwarded-for header as received; believed only from a trusted proxy.
  std::string forwarded_for;
  // The authorization header as received; empty: none.
  std::string authorization;
  // The user-agent header as received.
  std::string user_agent;
  // Identities of a client certificate that the listener has verified (SANs);
  // empty: none.
  std::vector<std::string> certificate_identities;
  absl::Time deadline = absl::InfiniteFuture();
  // True once the caller has gone away. May be empty. Thread-safe.
  std::function<bool()> cancelled;
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_CALL_H_
