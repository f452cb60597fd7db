#ifndef OSTIARY_SERVER_LIMIT_KNOWN_ORIGINS_H_
#define OSTIARY_SERVER_LIMIT_KNOWN_ORIGINS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "server/limit/counter_table.h"
#include "server/limit/zeroed_array.h"

namespace ostiary::limit {

// From which networks an identifier signed in lately, in a fixed number of
// slots. When there are more, the one longest ago is forgotten: its owner is
// then treated as a stranger, never a stranger as the owner.
//
// Not thread-safe: its owner locks.
class KnownOrigins {
 public:
  KnownOrigins(std::size_t slots, absl::Duration remember);

  void Remember(const CounterKey& pair, absl::Time now);
  bool Contains(const CounterKey& pair, absl::Time now) const;

 private:
  static constexpr std::size_t kWays = 8;

  struct Slot {
    CounterKey pair{};
    std::int64_t until = 0;  // Unix seconds; 0: free
  };

  std::size_t SetOf(const CounterKey& pair) const;

  const absl::Duration remember_;
  ZeroedArray<Slot> slots_;
};

}  // namespace ostiary::limit

#endif  // OSTIARY_SERVER_LIMIT_KNOWN_ORIGINS_H_
