#include "server/limit/rate_limiter.h"

#include "server/base/reason.h"

namespace ostiary::limit {

RateLimiter::RateLimiter(const Rule& rule, std::size_t slots, Random& random)
    : rule_(rule), keys_(random), counters_(slots) {}

absl::Status RateLimiter::Admit(absl::string_view key, absl::Time now) {
  const CounterKey counter = keys_.Of("rate", key);
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::Duration wait = counters_.WaitFor(counter, rule_, now);
  if (wait > absl::ZeroDuration()) {
    return RefuseUntil(Reason::kRateLimited,
                       absl::Ceil(wait, absl::Milliseconds(1)));
  }
  counters_.Charge(counter, rule_, now);
  return absl::OkStatus();
}

}  // namespace ostiary::limit
