#ifndef OSTIARY_CLIENT_CLI_SURROUNDINGS_H_
#define OSTIARY_CLIENT_CLI_SURROUNDINGS_H_

#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "client/cli/hash_verifier.h"
#include "client/cli/terminal.h"

namespace ostiary::cli {

// All that the program touches outside itself, apart from files it is pointed
// to and the server. main.cc fills in the real things, tests their own.
struct Surroundings {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Terminal& terminal;
  std::function<std::optional<std::string>(const char* name)> environment;
  std::function<absl::Time()> now;
  HashVerifier hash_verifier;
  // Somebody watches `err`: progress is told there.
  bool err_is_terminal = false;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_SURROUNDINGS_H_
