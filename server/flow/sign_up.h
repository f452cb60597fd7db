#ifndef OSTIARY_SERVER_FLOW_SIGN_UP_H_
#define OSTIARY_SERVER_FLOW_SIGN_UP_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/flow/caller.h"
#include "server/flow/new_account.h"
#include "server/flow/new_password.h"
#include "server/limit/rate_limiter.h"
#include "storage/store.h"

namespace ostiary::flow {

enum class SignUpPolicy { kOpen, kOperatorOnly };

// Makes an account for whoever asks, if that is allowed. Open sign-up tells a
// caller that an identifier exists: a stated limit, and a rate-limited one.
class SignUp {
 public:
  SignUp(const Clock& clock, Random& random, storage::Store& store,
         const NewPasswords& new_passwords, limit::RateLimiter& limiter,
         SignUpPolicy policy)
      : clock_(clock),
        random_(random),
        store_(store),
        new_passwords_(new_passwords),
        limiter_(limiter),
        policy_(policy) {}

  struct Request {
    std::string username;
    std::string email;
    SecretBytes password;
    std::string display_name;
  };

  // kSignUpClosed, kArgumentInvalid, kPasswordRejected, kIdentifierTaken,
  // kRateLimited, kOverloaded.
  absl::StatusOr<storage::AccountRow> Run(const Caller& caller,
                                          const Request& request) const;

 private:
  const Clock& clock_;
  Random& random_;
  storage::Store& store_;
  const NewPasswords& new_passwords_;
  limit::RateLimiter& limiter_;
  const SignUpPolicy policy_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_SIGN_UP_H_
