#ifndef OSTIARY_SERVER_HTTP_CONNECTION_COUNT_H_
#define OSTIARY_SERVER_HTTP_CONNECTION_COUNT_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "server/http/limits.h"

namespace ostiary::http {

// How many connections there are, in all and by address, so that one address
// cannot take every place.
//
// Not thread-safe: used on the server's own thread.
class ConnectionCount {
 public:
  explicit ConnectionCount(const Limits& limits)
      : most_(limits.connections),
        most_per_address_(limits.connections_per_address) {}

  enum class Place {
    kGiven,  // `Leave` must follow
    kNoneForAddress,
    kNoneAtAll,
  };
  Place Enter(const std::string& key) {
    const auto found = by_address_.find(key);
    if (found != by_address_.end() && found->second >= most_per_address_)
      return Place::kNoneForAddress;
    if (total_ >= most_) return Place::kNoneAtAll;
    ++by_address_[key];
    ++total_;
    return Place::kGiven;
  }

  void Leave(const std::string& key) {
    --total_;
    const auto found = by_address_.find(key);
    if (--found->second == 0) by_address_.erase(found);
  }

 private:
  const int most_;
  const int most_per_address_;
  int total_ = 0;
  absl::flat_hash_map<std::string, int> by_address_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_CONNECTION_COUNT_H_
