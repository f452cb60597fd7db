#ifndef OSTIARY_STORAGE_STORED_TIME_H_
#define OSTIARY_STORAGE_STORED_TIME_H_

#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace ostiary::storage {

// The form in which every backend keeps a time: microseconds since the Unix
// epoch, what is finer cut off. The two infinities are the ends of the range,
// so that comparing stored values is comparing times. Lives on disk.
inline constexpr std::int64_t kStoredInfinitePast =
    std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kStoredInfiniteFuture =
    std::numeric_limits<std::int64_t>::max();

inline std::int64_t ToStoredTime(absl::Time time) {
  return absl::ToUnixMicros(time);  // saturates at both ends
}

inline absl::Time FromStoredTime(std::int64_t stored) {
  if (stored == kStoredInfinitePast) return absl::InfinitePast();
  if (stored == kStoredInfiniteFuture) return absl::InfiniteFuture();
  return absl::FromUnixMicros(stored);
}

// What `time` will be once it has been stored and read again.
inline absl::Time AsStored(absl::Time time) {
  return FromStoredTime(ToStoredTime(time));
}

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_STORED_TIME_H_
