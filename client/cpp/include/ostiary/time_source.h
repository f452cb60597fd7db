#ifndef OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TIME_SOURCE_H_
#define OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TIME_SOURCE_H_

#include "absl/time/time.h"

namespace ostiary {

// The two clocks a verifier reads. Thread-safe. Replaced only by tests.
class TimeSource {
 public:
  virtual ~TimeSource() = default;

  // What tokens are judged by.
  virtual absl::Time Now() const = 0;
  // Since some moment; nobody sets this clock, so it never moves back.
  virtual absl::Duration Uptime() const = 0;

  // The machine's clocks.
  static const TimeSource& OfMachine();
};

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TIME_SOURCE_H_
