#ifndef OSTIARY_SERVER_BASE_CLOCK_H_
#define OSTIARY_SERVER_BASE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace ostiary {

// What time it is. Handed to whoever needs it; nothing below main reads the
// machine's clock by itself.
//
// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Never runs backwards within one Clock. Whole microseconds: what the store
  // keeps is then what an answer said.
  virtual absl::Time Now() const = 0;
};

// The machine's wall clock, held so that it never runs backwards: what has
// expired stays expired when an operator sets the clock back (protocol.md 5).
class SystemClock final : public Clock {
 public:
  // No answer will be earlier than `floor`, the last time a previous process
  // is known to have seen.
  explicit SystemClock(absl::Time floor = absl::InfinitePast());
  absl::Time Now() const override;

 private:
  mutable std::atomic<std::int64_t> last_nanos_;
};

// A clock that stands still until it is told. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start) : nanos_(absl::ToUnixNanos(start)) {}
  absl::Time Now() const override { return absl::FromUnixNanos(nanos_.load()); }
  void Advance(absl::Duration by) { nanos_ += absl::ToInt64Nanoseconds(by); }

 private:
  std::atomic<std::int64_t> nanos_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_CLOCK_H_
