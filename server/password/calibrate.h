#ifndef OSTIARY_SERVER_PASSWORD_CALIBRATE_H_
#define OSTIARY_SERVER_PASSWORD_CALIBRATE_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "server/password/hasher.h"

namespace ostiary::password {

// How long one hash takes on this machine.
struct CalibrationRow {
  HashParameters parameters;
  absl::Duration took;
};

struct Calibration {
  std::vector<CalibrationRow> rows;  // from the cheapest to the costliest
  // The costliest row within the target; the cheapest, which is OWASP's, if
  // none is: a slow machine is no reason for weak hashes.
  HashParameters suggested;
  bool within_target = false;
};

// Measures each of a fixed list of parameters, the median of a few runs, and
// stops at the first that is over twice `target`. Takes a few seconds.
Calibration Calibrate(absl::Duration target);

// The same with somebody else's stopwatch.
Calibration CalibrateWith(
    absl::Duration target,
    absl::FunctionRef<absl::Duration(const HashParameters&)> measure);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_CALIBRATE_H_
