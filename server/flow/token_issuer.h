#ifndef OSTIARY_SERVER_FLOW_TOKEN_ISSUER_H_
#define OSTIARY_SERVER_FLOW_TOKEN_ISSUER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/ids.h"
#include "server/key/key_ring.h"
#include "server/revocation/revocation_set.h"
#include "server/session/sessions.h"
#include "server/token/access_token_minter.h"
#include "storage/store.h"

namespace ostiary::flow {

// What a transaction that opened or rotated a session returned. Signing happens
// after the commit, from this and nothing else: whatever a race may have done
// to the account meanwhile, the token says what was true in the transaction,
// and its generation tells on it.
struct Issuance {
  storage::SessionRow session;
  std::vector<std::string> roles;
  std::uint64_t token_generation = 0;  // account::TokenGeneration
  // What the token's claim `status` names; nullopt: it has none.
  std::optional<storage::StatusSlot> status;
};

// Reads the account's side of an issuance within the transaction. The account
// must exist.
absl::StatusOr<Issuance> ReadIssuance(
    storage::WriteTx& tx, const storage::AccountRow& account,
    storage::SessionRow session, std::optional<storage::StatusSlot> status);

struct IssuedTokens {
  std::string access_token;
  absl::Duration expires_in;
  std::string refresh_token;
  absl::Duration refresh_expires_in;
  std::string scope;
  SessionId session_id;
};

// Turns an issuance into the tokens that are handed out.
//
// Thread-safe.
class TokenIssuer {
 public:
  TokenIssuer(const Clock& clock, const key::KeyRing& keys,
              const session::Sessions& sessions,
              const token::AccessTokenMinter& minter,
              const revocation::RevocationSet& revocations)
      : clock_(clock),
        keys_(keys),
        sessions_(sessions),
        minter_(minter),
        revocations_(revocations) {}

  // kOverloaded while a revocation by time would hit whatever is issued for
  // the client. Ask before opening a session, so that none is opened in vain.
  absl::Status CheckIssuing(absl::string_view client_id) const;

  absl::StatusOr<IssuedTokens> Issue(const Issuance& issuance) const;

 private:
  const Clock& clock_;
  const key::KeyRing& keys_;
  const session::Sessions& sessions_;
  const token::AccessTokenMinter& minter_;
  const revocation::RevocationSet& revocations_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_TOKEN_ISSUER_H_
