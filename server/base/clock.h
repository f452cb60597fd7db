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
  // How far the machine's clock has been set forwards or backwards since this
  // Clock was made, whatever Now() makes of it.
  virtual absl::Duration Leapt() const { return absl::ZeroDuration(); }
};

// What two clocks of the machine say at one moment, in nanoseconds: the wall
// clock, which can be set, and the one that only counts.
struct ClockReading {
  std::int64_t wall = 0;
  std::int64_t steady = 0;
};

// Makes of them a time that never runs backwards: what has expired stays
// expired when an operator sets the clock back (protocol.md 5). Nor does it
// stand still until the wall clock has caught up, or whoever sets the clock
// back by an hour would make every window an hour longer: it goes on at nine
// tenths of the pace meanwhile.
//
// Thread-safe; no lock.
class OnwardTime {
 public:
  // No answer will be earlier than `floor`.
  OnwardTime(absl::Time floor, ClockReading now);
  // Readings are taken in order, as far as threads can tell.
  absl::Time At(ClockReading now) const;
  // How far the wall clock has been moved since the beginning, forwards or
  // backwards.
  absl::Duration Leapt(ClockReading now) const;

 private:
  const std::int64_t wall_less_steady_;  // in the beginning
  // The time is this plus nine tenths of the steady clock. It only rises.
  mutable std::atomic<std::int64_t> lead_;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  // No answer will be earlier than `floor`, the last time a previous process
  // is known to have seen.
  explicit SystemClock(absl::Time floor = absl::InfinitePast());
  absl::Time Now() const override;
  absl::Duration Leapt() const override;

 private:
  const OnwardTime time_;
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
