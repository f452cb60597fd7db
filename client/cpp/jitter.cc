#include "client/cpp/jitter.h"

#include <algorithm>
#include <random>

namespace ostiary::client {

absl::Duration Jitter(absl::Duration most) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return most * std::uniform_real_distribution<double>(0, 1)(random);
}

absl::Duration Backoff(int before) {
  constexpr absl::Duration kLongest = absl::Seconds(10);
  const int doublings = std::clamp(before, 0, 10);
  return Jitter(std::min(kLongest, absl::Milliseconds(100) * (1 << doublings)));
}

}  // namespace ostiary::client
