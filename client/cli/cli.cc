#include "client/cli/cli.h"

#include <memory>
#include <utility>

#include "client/cli/failure.h"
#include "client/cli/invocation.h"
#include "client/cli/registry.h"

namespace ostiary::cli {
namespace {

void AddCommands(Registry& registry) {
  AddAccountCommands(registry);
  AddAuthCommands(registry);
  AddTokenCommands(registry);
  AddSessionCommands(registry);
  AddKeyCommands(registry);
  AddHashCommands(registry);
  AddServerCommands(registry);
  AddBackupCommand(registry);
  AddWatchCommand(registry);
  AddBenchCommands(registry);
}

absl::StatusOr<ExitCode> RunChosen(const Registry& registry,
                                   Surroundings& surroundings) {
  absl::StatusOr<std::unique_ptr<Invocation>> invocation =
      Invocation::Create(registry.flags(), surroundings);
  if (!invocation.ok()) return invocation.status();
  return registry.chosen()(**invocation);
}

absl::StatusOr<ExitCode> Dispatch(std::vector<std::string> arguments,
                                  Surroundings& surroundings) {
  Registry registry;
  AddCommands(registry);
  const absl::StatusOr<Registry::Parsed> parsed =
      registry.Parse(std::move(arguments));
  if (!parsed.ok()) return parsed.status();
  switch (*parsed) {
    case Registry::Parsed::kHelp:
      surroundings.out << registry.Help();
      return ExitCode::kOk;
    case Registry::Parsed::kVersion:
      surroundings.out << "ostiary " << OSTIARY_VERSION << '\n';
      return ExitCode::kOk;
    case Registry::Parsed::kCommand:
      return RunChosen(registry, surroundings);
  }
  return absl::InternalError("unknown outcome of parsing");
}

}  // namespace

ExitCode Run(std::vector<std::string> arguments, Surroundings& surroundings) {
  const absl::StatusOr<ExitCode> result =
      Dispatch(std::move(arguments), surroundings);
  surroundings.out.flush();
  if (!result.ok()) {
    surroundings.err << Describe(result.status()) << std::flush;
    return ExitCodeOf(result.status());
  }
  if (!surroundings.out) {
    // A script must not take a full disk for success.
    surroundings.err << "error: stdout cannot be written (INTERNAL)\n";
    return ExitCode::kInternal;
  }
  return *result;
}

}  // namespace ostiary::cli
