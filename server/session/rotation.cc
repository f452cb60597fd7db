#include "server/session/rotation.h"

namespace ostiary::session {
namespace {

// Refusals that say nothing about who holds which token; they change nothing,
// so that nobody with an old token can do more than be refused.
std::optional<Rotation> RefusedWithoutChange(
    const storage::SessionRow& row, const std::optional<AccountState>& account,
    const Presentation& presented, absl::Time now) {
  if (!presented.client_id.empty() && presented.client_id != row.client_id) {
    return Rotation::kWrongClient;
  }
  if (row.revoked()) return Rotation::kRevoked;
  if (now >= row.expire_time) return Rotation::kExpired;
  if (now >= row.idle_expire_time) return Rotation::kIdleExpired;
  if (!account.has_value()) return Rotation::kAccountGone;
  if (account->disabled) return Rotation::kAccountDisabled;
  if (row.opened_generation < account->session_floor)
    return Rotation::kBelowFloor;
  return std::nullopt;
}

Rotation DecidePredecessor(const storage::SessionRow& row,
                           const Presentation& presented,
                           const RotationPolicy& policy,
                           absl::Duration since_rotation) {
  const bool in_window = since_rotation < policy.retry_window;
  if (row.request_id_hash.empty())
    return in_window ? Rotation::kRetried : Rotation::kReused;
  if (presented.request_id_hash == row.request_id_hash) {
    return since_rotation < policy.request_id_window ? Rotation::kRetried
                                                     : Rotation::kReused;
  }
  return in_window ? Rotation::kInProgress : Rotation::kReused;
}

}  // namespace

absl::string_view RotationName(Rotation rotation) {
  switch (rotation) {
    case Rotation::kRotated:
      return "rotated";
    case Rotation::kRetried:
      return "retried";
    case Rotation::kInProgress:
      return "in_progress";
    case Rotation::kReused:
      return "reused";
    case Rotation::kRegressed:
      return "state_regression";
    case Rotation::kWrongClient:
      return "wrong_client";
    case Rotation::kRevoked:
      return "revoked";
    case Rotation::kIdleExpired:
      return "idle_expired";
    case Rotation::kExpired:
      return "expired";
    case Rotation::kBelowFloor:
      return "below_floor";
    case Rotation::kAccountGone:
      return "account_gone";
    case Rotation::kAccountDisabled:
      return "account_disabled";
  }
  return "unknown";
}

bool Succeeds(Rotation rotation) {
  return rotation == Rotation::kRotated || rotation == Rotation::kRetried ||
         rotation == Rotation::kRegressed;
}

Rotation Decide(const storage::SessionRow& row,
                const std::optional<AccountState>& account,
                const Presentation& presented, const RotationPolicy& policy,
                absl::Time now, absl::Duration since_rotation) {
  if (const auto refused = RefusedWithoutChange(row, account, presented, now))
    return *refused;
  if (presented.generation == row.generation) return Rotation::kRotated;
  if (presented.generation > row.generation) return Rotation::kRegressed;
  if (presented.generation + 1 < row.generation) return Rotation::kReused;
  return DecidePredecessor(row, presented, policy, since_rotation);
}

}  // namespace ostiary::session
