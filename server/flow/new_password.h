#ifndef OSTIARY_SERVER_FLOW_NEW_PASSWORD_H_
#define OSTIARY_SERVER_FLOW_NEW_PASSWORD_H_

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/secret.h"
#include "server/flow/caller.h"
#include "server/password/password_policy.h"
#include "server/password/passwords.h"
#include "storage/rows.h"

namespace ostiary::flow {

// A hash that another system made.
struct ImportedHash {
  std::string text;
};
// How an account is to prove itself.
using Credential = std::variant<SecretBytes, ImportedHash>;

// From a credential to what is stored: the policy, then the hash, in the lane.
//
// Thread-safe.
class NewPasswords {
 public:
  NewPasswords(const password::PasswordPolicy& policy,
               password::Passwords& passwords)
      : policy_(policy), passwords_(passwords) {}

  // The hash to store for `account` (its names may not be part of the
  // password). kPasswordRejected or kArgumentInvalid about `field`;
  // kOverloaded, kDeadlineExceeded from the lane.
  absl::StatusOr<std::string> Hash(const Caller& caller,
                                   const SecretBytes& password,
                                   const storage::AccountRow& account,
                                   absl::string_view field) const;

  // The same for either kind of credential. An imported hash must be one that
  // can be verified, within the ceilings for its cost.
  absl::StatusOr<std::string> HashOf(const Caller& caller,
                                     const Credential& credential,
                                     const storage::AccountRow& account) const;

 private:
  const password::PasswordPolicy& policy_;
  password::Passwords& passwords_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_NEW_PASSWORD_H_
