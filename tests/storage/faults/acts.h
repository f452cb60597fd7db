#ifndef OSTIARY_TESTS_STORAGE_FAULTS_ACTS_H_
#define OSTIARY_TESTS_STORAGE_FAULTS_ACTS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/flows/house.h"

namespace ostiary::testing {

// One call of a caller's, ready to be made.
struct Act {
  std::function<absl::Status()> call;
  // True if what an OK answer promises holds.
  std::function<bool()> holds;
};

// A kind of call: what it needs is prepared on a healthy disk. `number` tells
// one preparation in a house from the others.
struct Flow {
  std::string name;
  std::function<Act(House& house, int number)> prepare;
  // What was promised once must hold for ever after: it ended access.
  bool ends_access = false;
  // It is made of several transactions, each of which may be done alone.
  bool in_steps = false;
};

// Every call that reads or writes the store.
const std::vector<Flow>& EveryFlow();

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_FAULTS_ACTS_H_
