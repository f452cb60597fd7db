#ifndef OSTIARY_TESTS_SERVER_SHELL_CONFIG_SOURCES_H_
#define OSTIARY_TESTS_SERVER_SHELL_CONFIG_SOURCES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config.h"

namespace ostiary {

inline absl::StatusOr<Config> Load(
    std::vector<std::string> arguments,
    std::map<std::string, std::string> environment = {}) {
  ConfigSources sources;
  sources.arguments = std::move(arguments);
  sources.environment = std::move(environment);
  sources.cores = 8;
  return LoadConfig(sources);
}

// What the operator reads; empty if nothing was wrong.
inline std::string ProblemsOf(
    std::vector<std::string> arguments,
    std::map<std::string, std::string> environment = {}) {
  return std::string(
      Load(std::move(arguments), std::move(environment)).status().message());
}

}  // namespace ostiary

#endif  // OSTIARY_TESTS_SERVER_SHELL_CONFIG_SOURCES_H_
