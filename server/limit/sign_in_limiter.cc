#include "server/limit/sign_in_limiter.h"

#include <algorithm>
#include <string>

#include "server/base/reason.h"

namespace ostiary::limit {

SignInLimiter::SignInLimiter(const Options& options, Random& random)
    : options_(options),
      keys_(random),
      counters_(options.counter_slots),
      known_(options.origin_slots, options.remember) {}

absl::StatusOr<SignInLimiter::Admission> SignInLimiter::Admit(
    absl::string_view identifier_key,
    const std::optional<NetworkPrefix>& origin, absl::Time now) {
  const std::string network = origin.has_value() ? origin->ToString() : "local";
  Admission admission;
  admission.pair = keys_.Of("pair", identifier_key, network);
  admission.identifier = keys_.Of("identifier", identifier_key);
  if (origin.has_value()) admission.origin = keys_.Of("origin", network);

  const std::lock_guard<std::mutex> lock(mutex_);
  admission.charged_identifier = !known_.Contains(admission.pair, now);
  const absl::Duration wait = WaitLocked(admission, now);
  if (wait > absl::ZeroDuration()) {
    return RefuseUntil(Reason::kRateLimited,
                       absl::Ceil(wait, absl::Milliseconds(1)));
  }
  counters_.Charge(admission.pair, options_.pair, now);
  if (admission.charged_identifier) {
    counters_.Charge(admission.identifier, options_.identifier, now);
  }
  if (admission.origin.has_value()) {
    counters_.Charge(*admission.origin, options_.origin, now);
  }
  return admission;
}

absl::Duration SignInLimiter::WaitLocked(const Admission& admission,
                                         absl::Time now) const {
  absl::Duration wait = counters_.WaitFor(admission.pair, options_.pair, now);
  if (admission.charged_identifier) {
    wait = std::max(wait, counters_.WaitFor(admission.identifier,
                                            options_.identifier, now));
  }
  if (admission.origin.has_value()) {
    wait = std::max(wait,
                    counters_.WaitFor(*admission.origin, options_.origin, now));
  }
  return wait;
}

void SignInLimiter::Succeeded(const Admission& admission, absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  RefundLocked(admission);
  known_.Remember(admission.pair, now);
}

void SignInLimiter::NotTried(const Admission& admission) {
  const std::lock_guard<std::mutex> lock(mutex_);
  RefundLocked(admission);
}

void SignInLimiter::RefundLocked(const Admission& admission) {
  counters_.Refund(admission.pair, options_.pair);
  if (admission.charged_identifier) {
    counters_.Refund(admission.identifier, options_.identifier);
  }
  if (admission.origin.has_value()) {
    counters_.Refund(*admission.origin, options_.origin);
  }
}

}  // namespace ostiary::limit
