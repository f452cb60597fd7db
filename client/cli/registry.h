#ifndef OSTIARY_CLIENT_CLI_REGISTRY_H_
#define OSTIARY_CLIENT_CLI_REGISTRY_H_

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/invocation.h"

namespace ostiary::cli {

// The program's commands and global flags. Each file of commands adds its own.
class Registry {
 public:
  Registry();

  CLI::App& root() { return root_; }
  // Adds a group like "account", which does nothing by itself.
  CLI::App& Group(const std::string& name, const std::string& description);
  // Adds a command. Options are added to what is returned; their values must
  // live as long as `action`.
  CLI::App& Add(CLI::App& parent, const std::string& name,
                const std::string& description, const std::string& example,
                Action action);

  enum class Parsed { kCommand, kHelp, kVersion };

  // kCommand: `flags` and `chosen` hold what was asked for. The usage errors
  // are our own sentences and never quote a value: it may be a password put
  // where none belongs.
  absl::StatusOr<Parsed> Parse(std::vector<std::string> arguments);

  const GlobalFlags& flags() const { return flags_; }
  const Action& chosen() const { return chosen_; }
  // Of the command or group that was named.
  std::string Help() const { return root_.help(); }

 private:
  void AddGlobalFlags();
  absl::Status Explain(const CLI::ParseError& error) const;

  CLI::App root_;
  GlobalFlags flags_;
  Action chosen_;
};

// Each in the file of that name.
void AddAccountCommands(Registry& registry);
void AddAuthCommands(Registry& registry);
void AddTokenCommands(Registry& registry);
void AddSessionCommands(Registry& registry);
void AddKeyCommands(Registry& registry);
void AddHashCommands(Registry& registry);
void AddServerCommands(Registry& registry);
void AddBackupCommand(Registry& registry);
void AddWatchCommand(Registry& registry);
void AddBenchCommands(Registry& registry);

// Belong to groups made by the files above.
void AddAccountEdits(Registry& registry, CLI::App& account);
void AddTokenVerify(Registry& registry, CLI::App& token);
void AddTokenInspect(Registry& registry, CLI::App& token);
void AddBenchVerify(Registry& registry, CLI::App& bench);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_REGISTRY_H_
