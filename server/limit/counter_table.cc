#include "server/limit/counter_table.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace ostiary::limit {
namespace {

constexpr std::size_t kSecretBytes = 32;

void Update(crypto_generichash_state& state, absl::string_view part) {
  // The length in front: ("ab", "c") and ("a", "bc") are different keys.
  const std::uint64_t size = part.size();
  crypto_generichash_update(
      &state, reinterpret_cast<const unsigned char*>(&size), sizeof(size));
  crypto_generichash_update(
      &state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
}

bool IsOver(std::int64_t whole_at, std::int64_t over_from, std::int64_t now) {
  return whole_at - now > over_from;
}

}  // namespace

CounterKeys::CounterKeys(Random& random)
    : secret_(random.Bytes(kSecretBytes)) {}

CounterKey CounterKeys::Of(absl::string_view kind, absl::string_view a,
                           absl::string_view b) const {
  const absl::string_view secret = secret_.Reveal();
  CounterKey key;
  crypto_generichash_state state;
  crypto_generichash_init(&state,
                          reinterpret_cast<const unsigned char*>(secret.data()),
                          secret.size(), key.size());
  Update(state, kind);
  Update(state, a);
  Update(state, b);
  crypto_generichash_final(&state, key.data(), key.size());
  return key;
}

CounterTable::CounterTable(std::size_t slots)
    : slots_(std::bit_ceil(std::max(slots, kWays))) {}

std::size_t CounterTable::SetOf(const CounterKey& key) const {
  std::uint64_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof(hash));
  return (hash % (slots_.size() / kWays)) * kWays;
}

const CounterTable::Slot* CounterTable::Find(const CounterKey& key) const {
  const std::size_t set = SetOf(key);
  for (std::size_t i = set; i < set + kWays; ++i) {
    if (slots_[i].whole_at != 0 && slots_[i].key == key) return &slots_[i];
  }
  return nullptr;
}

CounterTable::Slot* CounterTable::Find(const CounterKey& key) {
  return const_cast<Slot*>(std::as_const(*this).Find(key));
}

const CounterTable::Slot* CounterTable::Spare(const CounterKey& key,
                                              std::int64_t now) const {
  const std::size_t set = SetOf(key);
  const Slot* best = nullptr;
  for (std::size_t i = set; i < set + kWays; ++i) {
    const Slot& slot = slots_[i];
    if (IsOver(slot.whole_at, slot.over_from, now)) continue;
    if (best == nullptr || slot.whole_at < best->whole_at) best = &slot;
  }
  return best;
}

std::int64_t CounterTable::UntilOneIsSpare(const CounterKey& key,
                                           std::int64_t now) const {
  const std::size_t set = SetOf(key);
  std::int64_t soonest = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = set; i < set + kWays; ++i) {
    soonest = std::min(soonest, slots_[i].whole_at - slots_[i].over_from - now);
  }
  return std::max<std::int64_t>(soonest, 1);
}

absl::Duration CounterTable::WaitFor(const CounterKey& key, const Rule& rule,
                                     absl::Time now) const {
  const std::int64_t at = absl::ToUnixNanos(now);
  const Slot* slot = Find(key);
  if (slot == nullptr) {
    if (Spare(key, at) != nullptr) return absl::ZeroDuration();
    return absl::Nanoseconds(UntilOneIsSpare(key, at));
  }
  const std::int64_t most =
      absl::ToInt64Nanoseconds(rule.per - rule.interval());
  return absl::Nanoseconds(
      std::max<std::int64_t>(0, slot->whole_at - at - most));
}

void CounterTable::Charge(const CounterKey& key, const Rule& rule,
                          absl::Time now) {
  const std::int64_t at = absl::ToUnixNanos(now);
  Slot* slot = Find(key);
  if (slot == nullptr) {
    slot = const_cast<Slot*>(Spare(key, at));
    if (slot == nullptr) return;
    *slot = {key, at, 0};
  }
  slot->whole_at =
      std::max(slot->whole_at, at) + absl::ToInt64Nanoseconds(rule.interval());
  slot->over_from = absl::ToInt64Nanoseconds(rule.per - rule.interval());
}

void CounterTable::Refund(const CounterKey& key, const Rule& rule) {
  Slot* slot = Find(key);
  if (slot == nullptr) return;
  slot->whole_at -= absl::ToInt64Nanoseconds(rule.interval());
}

}  // namespace ostiary::limit
