#ifndef OSTIARY_CLIENT_REVOCATION_MINUTE_GROUPS_H_
#define OSTIARY_CLIENT_REVOCATION_MINUTE_GROUPS_H_

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <vector>

namespace ostiary::revocation {

// Internal to RevokedSet.
//
// Short names for the minutes at which entries may be forgotten, so that an
// entry needs 12 bits for it. A name is used again only after its minute was
// ended, so they last however long the process runs. Not thread-safe.
class MinuteGroups {
 public:
  static constexpr int kNameBits = 12;
  static constexpr std::size_t kNames = std::size_t{1} << kNameBits;
  // 1 to 4095; 0 names nothing.
  using Name = std::uint16_t;
  using Names = std::bitset<kNames>;

  MinuteGroups();

  // Of `minute`. If all names are taken, of a later minute: an entry may be
  // kept for longer than it must, never forgotten before.
  Name Of(std::int64_t minute);

  // Requires a name that was given and has not ended.
  std::int64_t MinuteOf(Name name) const { return minutes_[name]; }

  // Ends all minutes up to and with `minute` and says which names they had. No
  // entry may carry one of them when `Of` is called next.
  Names EndUntil(std::int64_t minute);

 private:
  std::map<std::int64_t, Name> names_;
  std::array<std::int64_t, kNames> minutes_ = {};
  std::vector<Name> free_;
};

}  // namespace ostiary::revocation

#endif  // OSTIARY_CLIENT_REVOCATION_MINUTE_GROUPS_H_
