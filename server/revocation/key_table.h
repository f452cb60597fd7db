#ifndef OSTIARY_SERVER_REVOCATION_KEY_TABLE_H_
#define OSTIARY_SERVER_REVOCATION_KEY_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/revocation/packed_key.h"

namespace ostiary::revocation {

// Whole minutes since 1970. A row is forgotten when its minute has come.
using Minute = std::uint32_t;

inline constexpr std::size_t kKeyTableParts = 64;

// What is remembered about keys of one form: 16 bytes and the value for each
// that is spelled as ours are, its text for any other. `Value` has a member
// `forget_at`, a Minute.
//
// In parts, so that growing and forgetting touch one part at a time, however
// many keys there are.
//
// Not thread-safe: its owner locks.
template <typename Value>
class KeyTable {
 public:
  explicit KeyTable(KeyForm form) : form_(form) {}

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Null if nothing is remembered about it.
  const Value* Find(absl::string_view text) const {
    if (size_ == 0) return nullptr;
    if (const auto key = PackKey(form_, text); key.has_value()) {
      const Packed& part = packed_[PartOf(*key)];
      const auto found = part.find(*key);
      return found == part.end() ? nullptr : &found->second;
    }
    const auto found = others_.find(text);
    return found == others_.end() ? nullptr : &found->second;
  }

  // The value of the key, `fresh` if there was none.
  Value& FindOrAdd(absl::string_view text, const Value& fresh) {
    if (const auto key = PackKey(form_, text); key.has_value()) {
      const auto [place, added] =
          packed_[PartOf(*key)].try_emplace(*key, fresh);
      size_ += added ? 1 : 0;
      return place->second;
    }
    const auto [place, added] =
        others_.try_emplace(std::string(text.data(), text.size()), fresh);
    size_ += added ? 1 : 0;
    return place->second;
  }

  // Shows the keys of one part: as bytes those that are packed, the others as
  // text.
  template <typename OfBytes, typename OfText>
  void VisitPart(std::size_t part, OfBytes of_bytes, OfText of_text) const {
    for (const auto& [key, value] : packed_[part]) of_bytes(key, value);
    if (part != 0) return;
    for (const auto& [text, value] : others_) of_text(text, value);
  }

  // Drops the keys of one part whose minute has come. Returns how many.
  std::size_t ForgetPart(std::size_t part, Minute now) {
    std::size_t gone = ForgetIn(packed_[part], now);
    if (part == 0) gone += ForgetIn(others_, now);
    size_ -= gone;
    return gone;
  }

 private:
  using Packed = absl::flat_hash_map<IdBytes, Value>;
  using Others = absl::flat_hash_map<std::string, Value>;

  // The last bytes of an id are its random ones.
  static std::size_t PartOf(const IdBytes& key) {
    return key.back() % kKeyTableParts;
  }

  template <typename Map>
  static std::size_t ForgetIn(Map& map, Minute now) {
    const std::size_t before = map.size();
    absl::erase_if(map, [now](const auto& entry) {
      return entry.second.forget_at <= now;
    });
    const std::size_t gone = before - map.size();
    // What a flood of revocations took is given back when it is over.
    if (gone > 0 && map.capacity() > 8 * map.size()) map.rehash(0);
    return gone;
  }

  const KeyForm form_;
  std::array<Packed, kKeyTableParts> packed_;
  Others others_;
  std::size_t size_ = 0;
};

}  // namespace ostiary::revocation

#endif  // OSTIARY_SERVER_REVOCATION_KEY_TABLE_H_
