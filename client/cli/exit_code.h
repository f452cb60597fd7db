#ifndef OSTIARY_CLIENT_CLI_EXIT_CODE_H_
#define OSTIARY_CLIENT_CLI_EXIT_CODE_H_

namespace ostiary::cli {

// How the program ends. Scripts depend on the numbers; they never change.
enum class ExitCode {
  kOk = 0,
  kNo = 1,           // a clear answer, and it is no
  kUsage = 2,        // the command line or a value in it is wrong
  kUnavailable = 3,  // not reached, busy, or no answer in time: may be retried
  kNotAllowed = 4,   // the caller is unknown or may not do this
  kInternal = 5,     // anything that should not happen
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_EXIT_CODE_H_
