#ifndef OSTIARY_SERVER_ACCOUNT_EVENTS_H_
#define OSTIARY_SERVER_ACCOUNT_EVENTS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "storage/rows.h"

namespace ostiary::account {

// What can happen to an account, as far as its tokens and sessions care.
enum class Event {
  kRoleGranted,
  kProfileChanged,
  kHashUpgraded,
  kEnabled,
  kRoleTaken,
  kPasswordChanged,  // by the account itself
  kPasswordSet,      // by an operator, or through a reset
  kSignedOutEverywhere,
  kDisabled,
  kDeleted,
};

// What the event ends (protocol.md 1).
struct Effect {
  bool ends_access_tokens;  // generation + 1, and a ledger row (account, gen <
                            // new)
  bool ends_sessions;       // session_floor = the new generation
  bool changes_credential;  // credential_version + 1
};

Effect EffectOf(Event event);

// Applies the event's effect to the row and stamps update_time. The row is the
// one read in this transaction. The caller writes the row and, if the effect
// ends access tokens, the ledger row.
Effect Apply(Event event, absl::Time now, storage::AccountRow& row);

// The claim `gen` and the ledger's min_generation: tokens minted after a
// restore outrank everything revoked before it.
inline std::uint64_t TokenGeneration(std::uint32_t epoch,
                                     std::uint32_t generation) {
  return (static_cast<std::uint64_t>(epoch) << 32) | generation;
}

}  // namespace ostiary::account

#endif  // OSTIARY_SERVER_ACCOUNT_EVENTS_H_
