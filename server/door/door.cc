#include "server/door/door.h"

#include "server/base/reason.h"

namespace ostiary::door {

// A door without streams.
absl::StatusOr<std::unique_ptr<Subscription>> Door::Subscribe(
    const MethodRow&, const CallContext&, const google::protobuf::Message&,
    std::function<void()>) {
  return Refuse(Reason::kMethodUnknown);
}

// A door without a gate decides nothing.
GateAnswer Door::AskGate(const ForwardedCheck&) { return {}; }

}  // namespace ostiary::door
