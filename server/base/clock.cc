#include "server/base/clock.h"

#include <limits>

#include "absl/time/clock.h"

namespace ostiary {

SystemClock::SystemClock(absl::Time floor)
    : last_nanos_(floor == absl::InfinitePast()
                      ? std::numeric_limits<std::int64_t>::min()
                      : absl::ToUnixNanos(floor)) {}

absl::Time SystemClock::Now() const {
  const std::int64_t wall = absl::GetCurrentTimeNanos();
  std::int64_t last = last_nanos_.load(std::memory_order_relaxed);
  while (last < wall && !last_nanos_.compare_exchange_weak(
                            last, wall, std::memory_order_relaxed)) {
  }
  return absl::FromUnixMicros((last < wall ? wall : last) / 1000);
}

}  // namespace ostiary
