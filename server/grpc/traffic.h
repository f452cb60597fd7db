#ifndef OSTIARY_SERVER_GRPC_TRAFFIC_H_
#define OSTIARY_SERVER_GRPC_TRAFFIC_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/grpc/unread_answers.h"

namespace ostiary::rpc {

// kOverloaded, with when to come back.
absl::Status Busy();

// Counts, over all queues, who still uses a completion queue and how many calls
// are being served.
//
// gRPC aborts the process when an operation is started on a queue that has been
// shut down. So whoever starts operations says so first, is refused once
// draining has begun, and a queue is closed only when nobody is left.
//
// Thread-safe; a call costs four atomic additions. Whoever leaves last must
// itself have ended before this is destroyed: the threads that poll the queues.
class Traffic {
 public:
  // At most `bound` calls are served at a time, and as many answers wait to be
  // read.
  explicit Traffic(int bound) : bound_(bound), unread_(bound) {}
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  int bound() const { return bound_; }

  // A new user of a queue; pairs with Leave. False once draining: it must not
  // start an operation.
  [[nodiscard]] bool Join();
  void Leave();

  // A call of a user that has joined begins to be served; pairs with End.
  // Busy() if the bound is passed: the call should be refused, and ends all the
  // same.
  absl::Status Begin();
  // Before the answer is sent: a caller who has heard it has room for the next.
  void End();

  UnreadAnswers& unread() { return unread_; }

  // Nobody joins any more.
  void Close();
  // True if every user had left by `deadline`.
  bool WaitUntilQuiet(absl::Time deadline);

 private:
  // A bit far above any number of users.
  static constexpr std::int64_t kClosed = std::int64_t{1} << 32;

  bool IsQuiet() const { return (users_.load() & ~kClosed) == 0; }

  const int bound_;
  // How many have joined, and kClosed.
  std::atomic<std::int64_t> users_{0};
  std::atomic<int> served_{0};
  UnreadAnswers unread_;
  // Only for waiting; it guards nothing.
  absl::Mutex mutex_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_TRAFFIC_H_
