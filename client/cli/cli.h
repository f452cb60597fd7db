#ifndef OSTIARY_CLIENT_CLI_CLI_H_
#define OSTIARY_CLIENT_CLI_CLI_H_

#include <string>
#include <vector>

#include "client/cli/exit_code.h"
#include "client/cli/surroundings.h"

namespace ostiary::cli {

// The whole program: understands `arguments` (without the program's name),
// does what they say, writes the answer to `out` and failures to `err`.
ExitCode Run(std::vector<std::string> arguments, Surroundings& surroundings);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_CLI_H_
