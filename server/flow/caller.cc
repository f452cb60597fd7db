#include "server/flow/caller.h"

namespace ostiary::flow {

std::string Caller::Actor() const {
  if (is_operator()) return "operator";
  return account_id.has_value() ? account_id->ToString() : "anonymous";
}

audit::Event Caller::Did(absl::string_view action, absl::string_view outcome,
                         absl::Time now) const {
  return audit::Event(action, outcome, now).By(Actor(), address);
}

}  // namespace ostiary::flow
