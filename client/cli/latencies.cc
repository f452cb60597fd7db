#include "client/cli/latencies.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ostiary::cli {

std::size_t Latencies::BucketOf(std::uint64_t nanos) {
  if (nanos < kPerPower) return static_cast<std::size_t>(nanos);
  const int shift = std::bit_width(nanos) - 1 - kBits;
  const std::size_t bucket = static_cast<std::size_t>(shift) * kPerPower +
                             static_cast<std::size_t>(nanos >> shift);
  return std::min(bucket, kBuckets - 1);
}

// The longest time that falls into it.
std::uint64_t Latencies::EndOf(std::size_t bucket) {
  if (bucket < kPerPower) return bucket;
  const std::size_t shift = bucket / kPerPower - 1;
  const std::uint64_t first = (bucket - shift * kPerPower) << shift;
  return first + (std::uint64_t{1} << shift) - 1;
}

void Latencies::Add(absl::Duration latency) {
  const std::int64_t nanos =
      std::max<std::int64_t>(0, absl::ToInt64Nanoseconds(latency));
  ++buckets_[BucketOf(static_cast<std::uint64_t>(nanos))];
  ++count_;
  longest_ = std::max(longest_, nanos);
}

absl::Duration Latencies::Percentile(double share) const {
  if (count_ == 0) return absl::ZeroDuration();
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(
             std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket + 1 < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) {
      return std::min(
          absl::Nanoseconds(static_cast<std::int64_t>(EndOf(bucket))),
          longest());
    }
  }
  return longest();
}

}  // namespace ostiary::cli
