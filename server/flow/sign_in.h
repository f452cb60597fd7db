#ifndef OSTIARY_SERVER_FLOW_SIGN_IN_H_
#define OSTIARY_SERVER_FLOW_SIGN_IN_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/client_app/clients.h"
#include "server/flow/caller.h"
#include "server/flow/token_issuer.h"
#include "server/limit/sign_in_limiter.h"
#include "server/password/passwords.h"
#include "server/session/sessions.h"
#include "server/status_list/slot_issuer.h"
#include "storage/store.h"

namespace ostiary::flow {

// Opens a session for whoever knows the password.
//
// Unknown identifier, wrong password, disabled account and an account without
// a password are one answer and one amount of work: the same look-up, one turn
// in the password lane, one commit with one audit row (protocol.md 7).
class SignIn {
 public:
  struct Rooms {
    const Clock& clock;
    storage::Store& store;
    const client_app::Clients& clients;
    limit::SignInLimiter& limiter;
    password::Passwords& passwords;
    const session::Sessions& sessions;
    status_list::SlotIssuer& slots;
    const TokenIssuer& issuer;
  };
  // `identifier_hash_key`: what identifiers are hashed with in the audit log.
  SignIn(const Rooms& rooms, absl::Duration access_ceiling,
         const SecretBytes& identifier_hash_key)
      : rooms_(rooms),
        access_ceiling_(access_ceiling),
        identifier_hash_key_(identifier_hash_key) {}

  struct Request {
    std::string identifier;
    SecretBytes password;
    std::string audience;
    std::string scope;
    std::string client_id;
  };

  // kCredentialsRejected, kRateLimited, kOverloaded, kClientUnknown,
  // kAudienceNotAllowed, kScopeNotAllowed.
  absl::StatusOr<IssuedTokens> WithPassword(const Caller& caller,
                                            const Request& request) const;

 private:
  // The account the identifier names, and what a decoy must look like if it
  // names none.
  struct Candidate {
    std::string identifier_key;
    std::optional<storage::AccountRow> account;
    password::HashShapes shapes;
  };
  // nullopt: rejected, and audited.
  using MaybeIssuance = std::optional<Issuance>;

  absl::StatusOr<Candidate> Find(const std::string& identifier) const;
  absl::StatusOr<password::VerifyOutcome> Check(
      const Caller& caller, const Candidate& candidate,
      const SecretBytes& password) const;
  absl::StatusOr<MaybeIssuance> Settle(storage::WriteTx& tx,
                                       const Caller& caller,
                                       const Candidate& candidate,
                                       const password::VerifyOutcome& outcome,
                                       const client_app::Grant& grant) const;
  absl::StatusOr<Issuance> Open(storage::WriteTx& tx, const Caller& caller,
                                storage::AccountRow account,
                                const std::optional<std::string>& upgraded_hash,
                                const client_app::Grant& grant,
                                absl::Time now) const;

  const Rooms rooms_;
  const absl::Duration access_ceiling_;
  const SecretBytes& identifier_hash_key_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_SIGN_IN_H_
