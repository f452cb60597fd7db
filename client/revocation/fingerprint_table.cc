#include "client/revocation/fingerprint_table.h"

#include <algorithm>
#include <utility>

namespace ostiary::revocation {
namespace {

constexpr std::size_t kSmallest = 8;
constexpr int kShift = MinuteGroups::kNameBits;
constexpr std::uint64_t kGroupMask = MinuteGroups::kNames - 1;
// Spreads neighbours: snapshots arrive in rising order, and a table ordered
// like its input fills up from one end. 2^64 divided by the golden ratio.
constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;

std::uint64_t Pack(Fingerprint fingerprint, MinuteGroups::Name group) {
  return fingerprint.value << kShift | group;
}
Fingerprint FingerprintOf(std::uint64_t word) {
  return Fingerprint{word >> kShift};
}
MinuteGroups::Name GroupOf(std::uint64_t word) {
  return static_cast<MinuteGroups::Name>(word & kGroupMask);
}

// The room for `size` entries that leaves a quarter empty.
std::size_t CapacityFor(std::size_t size) {
  return std::max(kSmallest, size + size / 3 + 1);
}

}  // namespace

// Where it is, or the empty place where it would be. Requires an empty place.
std::size_t FingerprintTable::PlaceOf(Fingerprint fingerprint) const {
  const std::uint64_t spread = fingerprint.value * kSpread >> 32;
  std::size_t place = spread * places_.size() >> 32;
  while (places_[place] != 0 && FingerprintOf(places_[place]) != fingerprint) {
    if (++place == places_.size()) place = 0;
  }
  return place;
}

bool FingerprintTable::Contains(Fingerprint fingerprint) const {
  return !places_.empty() && places_[PlaceOf(fingerprint)] != 0;
}

bool FingerprintTable::Add(Fingerprint fingerprint, Group group,
                           const MinuteGroups& groups) {
  if (CapacityFor(size_ + 1) > places_.size()) {
    Rebuild(CapacityFor(size_ + 1 + size_ / 4));
  }
  Word& word = places_[PlaceOf(fingerprint)];
  const bool is_new = word == 0;
  if (is_new || groups.MinuteOf(GroupOf(word)) < groups.MinuteOf(group)) {
    word = Pack(fingerprint, group);
  }
  size_ += is_new ? 1 : 0;
  return is_new;
}

std::size_t FingerprintTable::Drop(const MinuteGroups::Names& groups) {
  std::size_t dropped = 0;
  for (Word& word : places_) {
    if (word == 0 || !groups.test(GroupOf(word))) continue;
    word = 0;
    ++dropped;
  }
  if (dropped == 0) return 0;
  size_ -= dropped;
  Rebuild(CapacityFor(size_));  // closes the holes that would stop a search
  return dropped;
}

void FingerprintTable::Visit(
    absl::FunctionRef<void(Fingerprint, Group)> visit) const {
  for (const Word word : places_) {
    if (word != 0) visit(FingerprintOf(word), GroupOf(word));
  }
}

void FingerprintTable::Rebuild(std::size_t capacity) {
  const std::vector<Word> old = std::exchange(places_, {});
  places_.resize(capacity);
  for (const Word word : old) {
    if (word != 0) places_[PlaceOf(FingerprintOf(word))] = word;
  }
}

}  // namespace ostiary::revocation
