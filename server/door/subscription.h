#ifndef OSTIARY_SERVER_DOOR_SUBSCRIPTION_H_
#define OSTIARY_SERVER_DOOR_SUBSCRIPTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace ostiary::door {

// One caller's stream of messages. The wire pulls: it asks for the next message
// when the one before it has been sent, so nothing piles up behind a slow
// reader.
//
// Next is called by one thread at a time. Destroyed only where no lock is held
// that `wake` takes.
class Subscription {
 public:
  // A serialized message; many callers may be sent the same one.
  using Frame = std::shared_ptr<const std::string>;

  virtual ~Subscription() = default;

  // Null: nothing to say now. Then `wake` (see Door::Subscribe) is called when
  // there may be something. A status ends the stream, and is told to the
  // caller.
  virtual absl::StatusOr<Frame> Next() = 0;
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_SUBSCRIPTION_H_
