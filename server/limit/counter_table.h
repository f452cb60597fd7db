#ifndef OSTIARY_SERVER_LIMIT_COUNTER_TABLE_H_
#define OSTIARY_SERVER_LIMIT_COUNTER_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/limit/zeroed_array.h"

namespace ostiary::limit {

// So many attempts in so long a time. They come back one by one: after a
// burst of `count`, one every `per / count`.
struct Rule {
  int count = 1;  // at least 1
  absl::Duration per = absl::Minutes(1);

  absl::Duration interval() const { return per / count; }
};

// What a counter counts, as a keyed hash: the table never holds what somebody
// typed as their name (people type passwords there), and nobody outside can
// choose which counters share a set.
using CounterKey = std::array<std::uint8_t, 16>;

// Makes keys. The secret is drawn at start and dies with the process.
//
// Thread-safe.
class CounterKeys {
 public:
  explicit CounterKeys(Random& random);
  // Keys of different `kind`s never meet.
  CounterKey Of(absl::string_view kind, absl::string_view a,
                absl::string_view b = {}) const;

 private:
  const SecretBytes secret_;
};

// Counters in a fixed number of slots, each one time: the moment its budget is
// whole again (GCRA; an attempt moves it one interval on). A counter that is
// whole again is as good as none, so nothing needs to be swept.
//
// A full set gives up the counter that is nearest to whole; never one that is
// over its limit: flooding the table with other keys must not free anybody. If
// all of a set are over their limits, the new key is refused with them.
//
// Not thread-safe: its owner locks.
class CounterTable {
 public:
  // 8 slots to a set, `slots` rounded up to a power of two; 32 bytes a slot.
  explicit CounterTable(std::size_t slots);

  // How long until one more attempt of `key` is within `rule`; zero if it is
  // now. Counts nothing.
  absl::Duration WaitFor(const CounterKey& key, const Rule& rule,
                         absl::Time now) const;
  // Counts one attempt. WaitFor has just said zero.
  void Charge(const CounterKey& key, const Rule& rule, absl::Time now);
  // Takes one attempt back, if the counter is still there.
  void Refund(const CounterKey& key, const Rule& rule);

  std::size_t slot_count() const { return slots_.size(); }

 private:
  static constexpr std::size_t kWays = 8;

  struct Slot {
    CounterKey key{};
    std::int64_t whole_at = 0;   // Unix nanoseconds; 0: free
    std::int64_t over_from = 0;  // over its limit while whole_at - now exceeds
                                 // this
  };

  std::size_t SetOf(const CounterKey& key) const;
  const Slot* Find(const CounterKey& key) const;
  Slot* Find(const CounterKey& key);
  // The slot a new key may have at `now`; nullptr if all are over their limits.
  const Slot* Spare(const CounterKey& key, std::int64_t now) const;
  std::int64_t UntilOneIsSpare(const CounterKey& key, std::int64_t now) const;

  ZeroedArray<Slot> slots_;
};

}  // namespace ostiary::limit

#endif  // OSTIARY_SERVER_LIMIT_COUNTER_TABLE_H_
