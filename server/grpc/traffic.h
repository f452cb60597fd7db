#ifndef OSTIARY_SERVER_GRPC_TRAFFIC_H_
#define OSTIARY_SERVER_GRPC_TRAFFIC_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace ostiary::rpc {

// Counts, over all queues, who still uses a completion queue and how many calls
// are being served.
//
// gRPC aborts the process when an operation is started on a queue that has been
// shut down. So whoever starts operations says so first, is refused once
// draining has begun, and a queue is closed only when nobody is left.
//
// Thread-safe.
class Traffic {
 public:
  // At most `bound` calls are served at a time.
  explicit Traffic(int bound) : bound_(bound) {}
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  int bound() const { return bound_; }

  // A new user of a queue; pairs with Leave. False once draining: it must not
  // start an operation.
  [[nodiscard]] bool Join();
  void Leave();

  // A call of a user that has joined begins to be served; pairs with End. False
  // if the bound is passed: the call should be refused, and ends all the same.
  [[nodiscard]] bool Begin();
  void End();

  // Nobody joins any more.
  void Close();
  // True if every user had left by `deadline`.
  bool WaitUntilQuiet(absl::Time deadline);

 private:
  bool IsQuiet() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return users_ == 0;
  }

  const int bound_;
  absl::Mutex mutex_;
  int users_ ABSL_GUARDED_BY(mutex_) = 0;
  int served_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_TRAFFIC_H_
