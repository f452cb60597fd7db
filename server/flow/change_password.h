#ifndef OSTIARY_SERVER_FLOW_CHANGE_PASSWORD_H_
#define OSTIARY_SERVER_FLOW_CHANGE_PASSWORD_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/flow/caller.h"
#include "server/flow/new_password.h"
#include "server/limit/sign_in_limiter.h"
#include "server/password/passwords.h"
#include "storage/store.h"

namespace ostiary::flow {

// An account changes its own password. All its other sessions end in the same
// transaction, and every access token; the calling session goes on if it is
// live there and then (protocol.md 1).
class ChangePassword {
 public:
  ChangePassword(const Clock& clock, storage::Store& store,
                 limit::SignInLimiter& limiter, password::Passwords& passwords,
                 const NewPasswords& new_passwords,
                 absl::Duration access_ceiling)
      : clock_(clock),
        store_(store),
        limiter_(limiter),
        passwords_(passwords),
        new_passwords_(new_passwords),
        access_ceiling_(access_ceiling) {}

  // The ticket. kCredentialsRejected if the current password is wrong or the
  // account or session has ended meanwhile; kPasswordRejected, kRateLimited,
  // kOverloaded.
  absl::StatusOr<std::string> Run(const Caller& caller,
                                  const SecretBytes& current_password,
                                  const SecretBytes& new_password) const;

 private:
  absl::StatusOr<bool> Matches(const Caller& caller,
                               const storage::AccountRow& account,
                               const SecretBytes& password) const;
  // nullopt: refused, and audited.
  absl::StatusOr<std::optional<std::string>> Settle(
      storage::WriteTx& tx, const Caller& caller,
      const storage::AccountRow& read, bool matched,
      const std::string& new_hash) const;

  const Clock& clock_;
  storage::Store& store_;
  limit::SignInLimiter& limiter_;
  password::Passwords& passwords_;
  const NewPasswords& new_passwords_;
  const absl::Duration access_ceiling_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_CHANGE_PASSWORD_H_
