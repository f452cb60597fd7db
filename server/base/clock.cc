#include "server/base/clock.h"

#include <chrono>
#include <limits>

#include "absl/time/clock.h"

namespace ostiary {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

std::int64_t NineTenths(std::int64_t nanos) { return nanos - nanos / 10; }

ClockReading ReadMachine() {
  // In this order: a thread that has to wait in between then finds the wall
  // clock late, which moves nothing; the other way round it would push the time
  // ahead for everybody.
  const std::int64_t wall = absl::GetCurrentTimeNanos();
  const auto steady = std::chrono::steady_clock::now().time_since_epoch();
  return {wall, std::chrono::nanoseconds(steady).count()};
}

}  // namespace

OnwardTime::OnwardTime(absl::Time floor, ClockReading now)
    : wall_less_steady_(now.wall - now.steady),
      lead_(floor == absl::InfinitePast()
                ? kNever
                : absl::ToUnixNanos(floor) - NineTenths(now.steady)) {}

absl::Time OnwardTime::At(ClockReading now) const {
  const std::int64_t paced = NineTenths(now.steady);
  const std::int64_t wanted = now.wall - paced;
  std::int64_t lead = lead_.load(std::memory_order_relaxed);
  while (lead < wanted && !lead_.compare_exchange_weak(
                              lead, wanted, std::memory_order_relaxed)) {
  }
  if (lead < wanted) lead = wanted;
  return absl::FromUnixMicros((lead + paced) / 1000);
}

absl::Duration OnwardTime::Leapt(ClockReading now) const {
  return absl::Nanoseconds(now.wall - now.steady - wall_less_steady_);
}

SystemClock::SystemClock(absl::Time floor) : time_(floor, ReadMachine()) {}

absl::Time SystemClock::Now() const { return time_.At(ReadMachine()); }

absl::Duration SystemClock::Leapt() const { return time_.Leapt(ReadMachine()); }

}  // namespace ostiary
