#ifndef OSTIARY_SERVER_GRPC_EVENT_H_
#define OSTIARY_SERVER_GRPC_EVENT_H_

#include <utility>

#include "server/grpc/handover.h"

namespace ostiary::rpc {

// What comes back from a completion queue, on the one thread that polls it.
class Event {
 public:
  virtual void Proceed(bool ok) = 0;

  // The tag for the next operation.
  void* Tag() {
    void* tag = this;
    HandOver(tag);
    return tag;
  }

 protected:
  ~Event() = default;
};

// An event that calls a member of its owner, for owners that wait for several
// things at once.
template <typename Owner, void (Owner::*kMember)(bool ok)>
class MemberEvent final : public Event {
 public:
  explicit MemberEvent(Owner& owner) : owner_(owner) {}
  void Proceed(bool ok) override { (owner_.*kMember)(ok); }

 private:
  Owner& owner_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_EVENT_H_
