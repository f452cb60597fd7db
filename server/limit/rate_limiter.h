#ifndef OSTIARY_SERVER_LIMIT_RATE_LIMITER_H_
#define OSTIARY_SERVER_LIMIT_RATE_LIMITER_H_

#include <cstddef>
#include <mutex>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/random.h"
#include "server/limit/counter_table.h"

namespace ostiary::limit {

// One rule for many keys, in fixed memory: sign-ups per network, resets per
// address.
//
// Thread-safe. Time is an argument.
class RateLimiter {
 public:
  RateLimiter(const Rule& rule, std::size_t slots, Random& random);

  // Counts one attempt of `key`, or refuses with kRateLimited and counts
  // nothing.
  absl::Status Admit(absl::string_view key, absl::Time now);

 private:
  const Rule rule_;
  const CounterKeys keys_;
  std::mutex mutex_;
  CounterTable counters_;  // guarded by mutex_
};

}  // namespace ostiary::limit

#endif  // OSTIARY_SERVER_LIMIT_RATE_LIMITER_H_
