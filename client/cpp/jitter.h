#ifndef OSTIARY_CLIENT_CPP_JITTER_H_
#define OSTIARY_CLIENT_CPP_JITTER_H_

#include "absl/time/time.h"

namespace ostiary::client {

// A random time from zero to `most`, so that many do not act in step.
absl::Duration Jitter(absl::Duration most);

// How long to wait after a failure that followed `before` others in a row: a
// random time between 0 and min(10 s, 0.1 s * 2^before).
absl::Duration Backoff(int before);

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_JITTER_H_
