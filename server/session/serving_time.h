#ifndef OSTIARY_SERVER_SESSION_SERVING_TIME_H_
#define OSTIARY_SERVER_SESSION_SERVING_TIME_H_

#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"

namespace ostiary::session {

// How long clients have really been able to reach us. The retry window does
// not run while the server was down or while a commit stalled: a crash between
// commit and answer must not look like theft (protocol.md 4).
//
// Thread-safe.
class ServingTime {
 public:
  // Nobody was answered between `from` and `to`. Only the newest pauses are
  // kept; forgetting one can only shorten a window.
  void AddPause(absl::Time from, absl::Time to);

  // now - since, less the pauses in between. Never negative.
  absl::Duration Elapsed(absl::Time since, absl::Time now) const;

 private:
  struct Pause {
    absl::Time from;
    absl::Time to;
  };
  mutable Mutex mutex_;
  // In order.
  std::deque<Pause> pauses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::session

#endif  // OSTIARY_SERVER_SESSION_SERVING_TIME_H_
