#ifndef OSTIARY_CLIENT_CLI_LATENCIES_H_
#define OSTIARY_CLIENT_CLI_LATENCIES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace ostiary::cli {

// How long many calls took, in the same 16 KB however many they are. A
// percentile is exact to 1/64 of itself, the longest is exact.
class Latencies {
 public:
  void Add(absl::Duration latency);
  void Clear() { *this = Latencies(); }

  std::uint64_t count() const { return count_; }
  absl::Duration longest() const { return absl::Nanoseconds(longest_); }
  // So long at most took `share` (0 to 1) of them. Zero if there are none.
  absl::Duration Percentile(double share) const;

 private:
  // A bucket for each nanosecond below 64; above, each power of two is cut into
  // 64 of equal width.
  static constexpr int kBits = 6;
  static constexpr std::size_t kPerPower = std::size_t{1} << kBits;
  // Up to 2^38 ns, more than four minutes; what took longer is in the last one.
  static constexpr std::size_t kBuckets = kPerPower * (38 - kBits + 1);

  static std::size_t BucketOf(std::uint64_t nanos);
  static std::uint64_t EndOf(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_ = {};
  std::uint64_t count_ = 0;
  std::int64_t longest_ = 0;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_LATENCIES_H_
