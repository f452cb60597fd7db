#include "server/limit/known_origins.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ostiary::limit {

KnownOrigins::KnownOrigins(std::size_t slots, absl::Duration remember)
    : remember_(remember), slots_(std::bit_ceil(std::max(slots, kWays))) {}

std::size_t KnownOrigins::SetOf(const CounterKey& pair) const {
  std::uint64_t hash = 0;
  std::memcpy(&hash, pair.data(), sizeof(hash));
  return (hash % (slots_.size() / kWays)) * kWays;
}

void KnownOrigins::Remember(const CounterKey& pair, absl::Time now) {
  const std::size_t set = SetOf(pair);
  Slot* target = &slots_[set];
  for (std::size_t i = set; i < set + kWays; ++i) {
    if (slots_[i].until != 0 && slots_[i].pair == pair) {
      target = &slots_[i];
      break;
    }
    if (slots_[i].until < target->until) target = &slots_[i];
  }
  *target = {pair, absl::ToUnixSeconds(now + remember_)};
}

bool KnownOrigins::Contains(const CounterKey& pair, absl::Time now) const {
  const std::int64_t at = absl::ToUnixSeconds(now);
  const std::size_t set = SetOf(pair);
  for (std::size_t i = set; i < set + kWays; ++i) {
    if (slots_[i].pair == pair && slots_[i].until > at) return true;
  }
  return false;
}

}  // namespace ostiary::limit
