#ifndef OSTIARY_SERVER_REVOCATION_ACCESS_CEILING_H_
#define OSTIARY_SERVER_REVOCATION_ACCESS_CEILING_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/store.h"

namespace ostiary::revocation {

// No access token lives longer, whatever is configured.
inline constexpr absl::Duration kLongestAccessLifetime = absl::Hours(24);

// The largest access-token lifetime that may still be in force somewhere: how
// long a ledger row must be remembered. Raised at once when the configured
// lifetime is raised, lowered only after the longest token minted under the
// old one has expired (protocol.md 5).
//
// Reads and updates the stored ceiling in one transaction; called at start and
// then from time to time.
absl::StatusOr<absl::Duration> AgreeOnAccessCeiling(
    storage::Store& store, absl::Duration configured_lifetime, absl::Time now);

}  // namespace ostiary::revocation

#endif  // OSTIARY_SERVER_REVOCATION_ACCESS_CEILING_H_
