#ifndef OSTIARY_SERVER_SESSION_ROTATION_H_
#define OSTIARY_SERVER_SESSION_ROTATION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/rows.h"

namespace ostiary::session {

// What a presented, authentic refresh token leads to.
enum class Rotation {
  kRotated,      // the current token: generation + 1
  kRetried,      // its predecessor, in time: the same successor again
  kInProgress,   // its predecessor, but another attempt has the claim to it
  kReused,       // two parties hold the tokens: the session must end
  kRegressed,    // newer than the store knows: the store went back in time
  kWrongClient,  // another client's token; no state change
  kRevoked,      // refused without a state change, for the reason named:
  kIdleExpired,
  kExpired,
  kBelowFloor,  // opened before what the account has ended since
  kAccountGone,
  kAccountDisabled,
};

// For the audit log: "rotated", "reused", ...
absl::string_view RotationName(Rotation rotation);
// True if the caller gets tokens.
bool Succeeds(Rotation rotation);

struct RotationPolicy {
  // How long a predecessor may be presented again by a client that proves
  // nothing but the token. Zero: never (RFC 9700 to the letter).
  absl::Duration retry_window = absl::Seconds(10);
  // The same, when the rotation named a request_id.
  absl::Duration request_id_window = absl::Hours(24);
};

// The account a session belongs to, as far as refreshing cares; nullopt: gone.
struct AccountState {
  std::uint32_t session_floor = 0;
  bool disabled = false;
};

// What is presented. Its tag has been found authentic.
struct Presentation {
  std::uint32_t generation = 0;
  std::string request_id_hash;  // empty: none given
  absl::string_view client_id;  // empty: the client did not name itself
};

// Decides by the table of design.md 3 and the order of protocol.md 4. Pure.
//
// `since_rotation` is how long the successor has been waiting to be used,
// pauses taken off (ServingTime).
Rotation Decide(const storage::SessionRow& row,
                const std::optional<AccountState>& account,
                const Presentation& presented, const RotationPolicy& policy,
                absl::Time now, absl::Duration since_rotation);

}  // namespace ostiary::session

#endif  // OSTIARY_SERVER_SESSION_ROTATION_H_
