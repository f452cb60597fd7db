#ifndef OSTIARY_SERVER_FLOW_MANAGE_SESSIONS_H_
#define OSTIARY_SERVER_FLOW_MANAGE_SESSIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/flow/caller.h"
#include "storage/store.h"

namespace ostiary::flow {

// Seeing and ending sessions: an account's own, or any for an operator. What is
// not the caller's answers kNotFound, as if it were not there.
class ManageSessions {
 public:
  ManageSessions(const Clock& clock, storage::Store& store,
                 absl::Duration access_ceiling)
      : clock_(clock), store_(store), access_ceiling_(access_ceiling) {}

  // Live sessions, newest first. `account_id` empty: the caller's own.
  absl::StatusOr<std::vector<storage::SessionRow>> List(
      const Caller& caller, absl::string_view account_id) const;

  // The ticket; for a session that had ended before, of that.
  absl::StatusOr<std::string> Revoke(const Caller& caller,
                                     absl::string_view session_id,
                                     absl::string_view reason) const;

  // Signs the account out everywhere. `account_id` empty: the caller's own.
  absl::StatusOr<std::string> RevokeAll(const Caller& caller,
                                        absl::string_view account_id,
                                        absl::string_view reason) const;

 private:
  const Clock& clock_;
  storage::Store& store_;
  const absl::Duration access_ceiling_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_MANAGE_SESSIONS_H_
