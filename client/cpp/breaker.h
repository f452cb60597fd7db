#ifndef OSTIARY_CLIENT_CPP_BREAKER_H_
#define OSTIARY_CLIENT_CPP_BREAKER_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace ostiary::client {

// Holds asks back after several failures in a row, so that a server in trouble
// is not asked by everyone at once: open for 1 s, doubling to 30 s, each with
// up to a fifth of jitter; then one ask is let through to probe.
//
// Thread-safe. Time is an argument, from a clock that never moves back.
class Breaker {
 public:
  static constexpr int kFailuresToOpen = 5;
  static constexpr absl::Duration kFirstPause = absl::Seconds(1);
  static constexpr absl::Duration kLongestPause = absl::Seconds(30);

  enum class Pass { kNone, kOrdinary, kProbe };

  // Whoever gets a pass must tell how it went.
  Pass Enter(absl::Duration uptime);
  void Succeed(Pass pass);
  void Fail(Pass pass, absl::Duration uptime);

  // True until a probe has succeeded.
  bool open() const;

 private:
  void Open(absl::Duration uptime) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool probing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_) = kFirstPause;
  absl::Duration until_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_BREAKER_H_
