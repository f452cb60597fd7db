#ifndef OSTIARY_SERVER_FLOW_SIGN_OUT_H_
#define OSTIARY_SERVER_FLOW_SIGN_OUT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/flow/caller.h"
#include "server/session/sessions.h"
#include "storage/store.h"

namespace ostiary::flow {

// Ends the session of whoever holds any authentic generation of its refresh
// token. Idempotent; a token that is none of ours is answered like one whose
// session has ended (RFC 7009).
class SignOut {
 public:
  SignOut(const Clock& clock, storage::Store& store,
          const session::Sessions& sessions, absl::Duration access_ceiling)
      : clock_(clock),
        store_(store),
        sessions_(sessions),
        access_ceiling_(access_ceiling) {}

  // The ticket of the revocation; empty if there was nothing to revoke.
  absl::StatusOr<std::string> Run(const Caller& caller,
                                  absl::string_view refresh_token) const;

 private:
  const Clock& clock_;
  storage::Store& store_;
  const session::Sessions& sessions_;
  const absl::Duration access_ceiling_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_SIGN_OUT_H_
