#ifndef OSTIARY_SERVER_PASSWORD_PASSWORDS_H_
#define OSTIARY_SERVER_PASSWORD_PASSWORDS_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/password/decoys.h"
#include "server/password/hash_workers.h"
#include "server/password/hasher.h"
#include "server/password/presented_password.h"

namespace ostiary::password {

// kCannotSucceed: the account is disabled. The right password then costs what a
// wrong one does; its match is for the audit log only.
enum class Standing { kMaySucceed, kCannotSucceed };

// Somebody presents a password for an identifier.
struct Attempt {
  // Normalised; whether it belongs to an account or not.
  std::string identifier_key;
  // Of the account, disabled or not. Empty: no such account, or one without a
  // password.
  std::string stored_hash;
  Standing standing = Standing::kMaySucceed;
  // What the store holds now, read together with `stored_hash`.
  HashShapes shapes;
  absl::Time deadline = absl::InfiniteFuture();
  // Empty: the caller cannot go away.
  std::function<bool()> cancelled = {};
};

struct VerifyOutcome {
  bool match = false;
  // After a match: what to store instead, when the stored hash is of another
  // format or cheaper than ours. The caller writes it only over the same hash
  // and credential version.
  std::optional<std::string> upgraded_hash;
};

// The room's face: every hash of a password in this server is asked for here,
// and runs on the lane.
//
// What is equal for an unknown identifier, an account without a password, a
// disabled account, a stored hash that cannot be read, and a wrong password:
// the checks before the lane, one turn in the lane, and in it the derivations
// of one hash of a shape the store holds (two if the presented bytes are not
// normalised). Only a match does less or more, and a match is told anyway.
//
// Thread-safe.
class Passwords {
 public:
  // `lane` and `random` outlive this. `decoy_key`: see Decoys.
  Passwords(const HashParameters& parameters, HashLane& lane, Random& random,
            SecretBytes decoy_key);

  // Blocks. Fails only as HashLane::Run does; a mismatch is an outcome.
  absl::StatusOr<VerifyOutcome> Verify(const Attempt& attempt,
                                       const PresentedPassword& presented);

  // The hash to store for a new password, which a PasswordPolicy let pass.
  // Blocks; fails as HashLane::Run does.
  absl::StatusOr<std::string> Hash(const PresentedPassword& presented,
                                   absl::Time deadline,
                                   std::function<bool()> cancelled);

 private:
  VerifyOutcome Judge(const PasswordHash& hash, Standing standing,
                      const PresentedPassword& presented) const;

  const Hasher hasher_;
  const Decoys decoys_;
  HashLane& lane_;
};

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_PASSWORDS_H_
