#ifndef OSTIARY_SERVER_KEY_SCHEDULE_H_
#define OSTIARY_SERVER_KEY_SCHEDULE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ostiary::key {

// No access token lives longer, whatever is configured.
constexpr absl::Duration kAccessLifetimeCap = absl::Hours(24);

// When keys change. One schedule, so that what the JWKS promises its readers
// (Cache-Control) and what the keys then do cannot drift apart.
struct Schedule {
  // How long a key signs (--key-rotation-period).
  absl::Duration rotation_period = absl::Hours(24 * 90);
  // How long a key is published before it may sign (--key-prepare-lead).
  absl::Duration prepare_lead = absl::Hours(48);
  // How long a key still verifies after its last signature
  // (--key-retire-keep).
  absl::Duration retire_keep = kAccessLifetimeCap + absl::Hours(24);
  // How long a reader may keep the JWKS (--jwks-max-age).
  absl::Duration jwks_max_age = absl::Hours(1);
};

// OK if no consumer can meet a token whose key it has not been able to fetch,
// or miss a key while one of its tokens lives. Otherwise kInvalidArgument with
// a sentence that names the option, its value and what was expected.
absl::Status ValidateSchedule(const Schedule& schedule);

// "public, max-age=3600".
std::string CacheControlOf(const Schedule& schedule);

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_SCHEDULE_H_
