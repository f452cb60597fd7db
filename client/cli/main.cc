#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "client/cli/cli.h"
#include "client/cli/hash_verifier.h"
#include "client/cli/surroundings.h"
#include "client/cli/terminal.h"

namespace {

ostiary::cli::HashVerifier HashVerifierOfThisBuild() {
#ifdef OSTIARY_HAVE_HASHES
  return ostiary::cli::MakeHashVerifier();
#else
  return nullptr;
#endif
}

std::optional<std::string> Environment(const char* name) {
  const char* value = std::getenv(name);
  // Set to nothing means not set.
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

}  // namespace

int main(int argc, char** argv) {
  // Failures are told in our own sentence; a closed pipe is one of them. What
  // gRPC would log goes unseen unless GRPC_VERBOSITY asks for it.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  // Host names mean what they mean to every other program on this machine.
  setenv("GRPC_DNS_RESOLVER", "native", 0);
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);

  ostiary::cli::PosixTerminal terminal(STDIN_FILENO);
  ostiary::cli::Surroundings surroundings{std::cin,
                                          std::cout,
                                          std::cerr,
                                          terminal,
                                          Environment,
                                          &absl::Now,
                                          HashVerifierOfThisBuild(),
                                          isatty(STDERR_FILENO) == 1};
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return static_cast<int>(ostiary::cli::Run(arguments, surroundings));
}
