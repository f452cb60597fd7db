#include "client/revocation/minute_groups.h"

#include <iterator>

namespace ostiary::revocation {

MinuteGroups::MinuteGroups() {
  for (std::size_t name = kNames - 1; name > 0; --name) {
    free_.push_back(static_cast<Name>(name));
  }
}

MinuteGroups::Name MinuteGroups::Of(std::int64_t minute) {
  const auto next = names_.lower_bound(minute);
  const bool known = next != names_.end() && next->first == minute;
  if (known || (free_.empty() && next != names_.end())) return next->second;
  Name name;
  if (free_.empty()) {  // the last minute moves up
    name = names_.rbegin()->second;
    names_.erase(std::prev(names_.end()));
  } else {
    name = free_.back();
    free_.pop_back();
  }
  names_.emplace(minute, name);
  minutes_[name] = minute;
  return name;
}

MinuteGroups::Names MinuteGroups::EndUntil(std::int64_t minute) {
  Names ended;
  while (!names_.empty() && names_.begin()->first <= minute) {
    const Name name = names_.begin()->second;
    ended.set(name);
    free_.push_back(name);
    names_.erase(names_.begin());
  }
  return ended;
}

}  // namespace ostiary::revocation
