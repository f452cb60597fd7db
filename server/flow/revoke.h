#ifndef OSTIARY_SERVER_FLOW_REVOKE_H_
#define OSTIARY_SERVER_FLOW_REVOKE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/flow/caller.h"
#include "server/flow/verify.h"
#include "storage/store.h"

namespace ostiary::flow {

// Ends one access token, or everything issued to a client. (Sessions, accounts
// and keys are ended where they are kept: ManageSessions, KeyRing.)
//
// Each returns the ticket of the ledger row; durable and in force by then.
class Revoke {
 public:
  Revoke(const Clock& clock, storage::Store& store, const Verify& verify,
         absl::Duration access_ceiling)
      : clock_(clock),
        store_(store),
        verify_(verify),
        access_ceiling_(access_ceiling) {}

  // Whoever holds the token may end it. A token that does not verify or has
  // expired is answered with an empty ticket and nothing is written (RFC 7009);
  // a repeated revocation writes no second row.
  absl::StatusOr<std::string> Token(const Caller& caller,
                                    absl::string_view token,
                                    absl::string_view reason) const;

  // Every access token issued to the client until now. Issuing for it pauses a
  // few seconds.
  absl::StatusOr<std::string> Client(const Caller& caller,
                                     absl::string_view client_id,
                                     absl::string_view reason) const;

 private:
  const Clock& clock_;
  storage::Store& store_;
  const Verify& verify_;
  const absl::Duration access_ceiling_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_REVOKE_H_
