#include "server/account/events.h"

namespace ostiary::account {

Effect EffectOf(Event event) {
  switch (event) {
    case Event::kRoleGranted:
    case Event::kProfileChanged:
    case Event::kHashUpgraded:
    case Event::kEnabled:
      return {};
    case Event::kRoleTaken:
      return {.ends_access_tokens = true,
              .ends_sessions = false,
              .changes_credential = false};
    case Event::kPasswordChanged:
    case Event::kPasswordSet:
      return {.ends_access_tokens = true,
              .ends_sessions = true,
              .changes_credential = true};
    case Event::kSignedOutEverywhere:
    case Event::kDisabled:
      return {.ends_access_tokens = true,
              .ends_sessions = true,
              .changes_credential = false};
    case Event::kDeleted:
      // The rows go; the ledger says gen < old + 1.
      return {.ends_access_tokens = true,
              .ends_sessions = false,
              .changes_credential = false};
  }
  // Not reached: the switch names every event. End everything if it ever is.
  return {.ends_access_tokens = true,
          .ends_sessions = true,
          .changes_credential = true};
}

Effect Apply(Event event, absl::Time now, storage::AccountRow& row) {
  const Effect effect = EffectOf(event);
  if (effect.ends_access_tokens) ++row.generation;
  if (effect.ends_sessions) row.session_floor = row.generation;
  if (effect.changes_credential) ++row.credential_version;
  if (event != Event::kHashUpgraded) row.update_time = now;
  return effect;
}

}  // namespace ostiary::account
