#include "server/grpc/traffic.h"

namespace ostiary::rpc {

bool Traffic::Join() {
  absl::MutexLock lock(&mutex_);
  if (closed_) return false;
  ++users_;
  return true;
}

void Traffic::Leave() {
  absl::MutexLock lock(&mutex_);
  --users_;
}

bool Traffic::Begin() {
  absl::MutexLock lock(&mutex_);
  return ++served_ <= bound_;
}

void Traffic::End() {
  absl::MutexLock lock(&mutex_);
  --served_;
}

void Traffic::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

bool Traffic::WaitUntilQuiet(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(this, &Traffic::IsQuiet),
                                  deadline);
}

}  // namespace ostiary::rpc
