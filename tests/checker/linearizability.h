#ifndef OSTIARY_TESTS_CHECKER_LINEARIZABILITY_H_
#define OSTIARY_TESTS_CHECKER_LINEARIZABILITY_H_

#include <cstddef>
#include <vector>

#include "tests/checker/invariants.h"
#include "tests/checker/operation.h"
#include "tests/checker/violation.h"

namespace ostiary::checker {

// Searches for an order of one account's calls in which a server that does one
// thing at a time (model.h) would have given every answer that was given, and
// in which nothing comes before what had ended when it began. Calls that were
// cut off may come anywhere after their start but not after the next restart,
// or nowhere. (Wing and Gong's search with Lowe's memory of what was tried.)
//
// Violations:
//   linearizable            there is no such order. The operations are the
//                           longest order that was found and those that
//                           nothing could be done with next
//   linearizability_unknown `most_states` were tried: nobody knows
//   history_is_whole        a call names what the history has not shown
//
// `history` is in the order of `start`. Accounts are judged one by one: their
// states have nothing to do with each other.
std::vector<Violation> CheckLinearizable(const std::vector<Operation>& history,
                                         const Rules& rules,
                                         std::size_t most_states = 200'000);

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_LINEARIZABILITY_H_
