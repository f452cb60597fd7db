#include "server/grpc/traffic.h"

#include "server/base/reason.h"

namespace ostiary::rpc {
namespace {

// What a caller that was turned away waits: the calls in front of it take
// milliseconds.
constexpr absl::Duration kRetryAfterOverload = absl::Seconds(1);

}  // namespace

absl::Status Busy() {
  return RefuseUntil(Reason::kOverloaded, kRetryAfterOverload);
}

bool Traffic::Join() {
  if ((users_.fetch_add(1) & kClosed) == 0) return true;
  Leave();
  return false;
}

void Traffic::Leave() {
  const std::int64_t before = users_.fetch_sub(1);
  if (before != (kClosed | 1)) return;
  // The last one wakes whoever waits: an absl::Mutex asks its conditions again
  // when it is given back.
  absl::MutexLock lock(&mutex_);
}

absl::Status Traffic::Begin() {
  return served_.fetch_add(1) < bound_ ? absl::OkStatus() : Busy();
}

void Traffic::End() { served_.fetch_sub(1); }

void Traffic::Close() { users_.fetch_or(kClosed); }

bool Traffic::WaitUntilQuiet(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(this, &Traffic::IsQuiet),
                                  deadline);
}

}  // namespace ostiary::rpc
