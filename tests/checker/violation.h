#ifndef OSTIARY_TESTS_CHECKER_VIOLATION_H_
#define OSTIARY_TESTS_CHECKER_VIOLATION_H_

#include <ostream>
#include <string>
#include <vector>

#include "tests/checker/operation.h"

namespace ostiary::checker {

// A promise that was not kept.
struct Violation {
  std::string name;  // of the promise: "revocation_holds"
  std::string what;
  std::vector<Operation> operations;  // that show it together
};

inline std::ostream& operator<<(std::ostream& out, const Violation& violation) {
  out << violation.name << ": " << violation.what;
  for (const Operation& operation : violation.operations) {
    out << "\n    #" << operation.id << " " << ToJsonLine(operation);
  }
  return out;
}

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_VIOLATION_H_
