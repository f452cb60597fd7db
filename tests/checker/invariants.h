#ifndef OSTIARY_TESTS_CHECKER_INVARIANTS_H_
#define OSTIARY_TESTS_CHECKER_INVARIANTS_H_

#include <vector>

#include "absl/time/time.h"
#include "tests/checker/operation.h"
#include "tests/checker/violation.h"

namespace ostiary::checker {

// How the server that made the history was set.
struct Rules {
  absl::Duration retry_window = absl::Seconds(10);
  absl::Duration request_id_window = absl::Hours(24);
  absl::Duration prepare_lead = absl::Hours(48);
  // What `start_time` and `end_time` may be wrong by.
  absl::Duration clock_slack = absl::ZeroDuration();
};

// Holds a whole history, restarts and the probes after them included, against
// every promise:
//
//   revocation_holds          an acknowledged revocation is refused for ever,
//                             on every path, after any restart
//   refusal_holds             what was once refused as revoked, or a refresh
//                             token once rejected, never passes again
//   disabled_stays_out        nobody signs in to a disabled account
//   one_successor             of one generation at most one successor exists
//   older_token_is_dead       a token whose successor was used never succeeds
//   retry_window              nor after the window for an honest repeat
//   password_change_holds     an acknowledged change of the password holds
//   unknown_is_all_or_nothing what was cut off happened wholly or not at all
//   token_ids_are_unique      and the ids of sessions
//   ledger_in_order           no gap, no row of two meanings, never back
//   ticket_has_its_row        the ticket of a revocation names its row
//   audit_row_exists          for every acknowledged change
//   key_was_published         for its lead before it signed
//
// Only what ended before something else began is taken to have happened before
// it, so calls that overlap never make a false alarm. `history` is in the order
// of `start`.
std::vector<Violation> Judge(const std::vector<Operation>& history,
                             const Rules& rules);

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_INVARIANTS_H_
