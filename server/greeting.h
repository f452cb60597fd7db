#ifndef OSTIARY_SERVER_GREETING_H_
#define OSTIARY_SERVER_GREETING_H_

#include <string>

#include "absl/time/time.h"
#include "server/assembly.h"
#include "server/config.h"
#include "server/password/calibrate.h"

// What ostiaryd says to people on standard output.
namespace ostiary {

// Where it listens, and four commands that paste and run.
std::string Greeting(const Config& config,
                     const Assembly::Addresses& addresses);

// The table of what was measured and the flags to use.
std::string CalibrationText(const password::Calibration& calibration,
                            absl::Duration target);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_GREETING_H_
