#include "server/config.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/log_text.h"
#include "server/config_rules.h"
#include "server/option_rows.h"
#include "server/option_sources.h"

extern char** environ;

namespace ostiary {
namespace {

// "'5m'"; nothing of a value that may be a secret.
std::string Shown(const OptionRow& row,
                  const std::vector<std::string>& values) {
  constexpr std::size_t kMost = 200;
  if (row.hidden) return "a value that is not shown";
  return absl::StrCat(
      "'", EscapeText(absl::StrJoin(values, ",").substr(0, kMost)), "'");
}

std::string Refusal(const OptionRow& row, const GivenOption& given) {
  std::string sentence =
      absl::StrCat(row.Flag(), ": got ", Shown(row, given.values), " from ",
                   given.origin, ", expected ", row.expects);
  if (row.advise != nullptr && !given.values.empty()) {
    const std::string advice = row.advise(given.values.front());
    if (!advice.empty()) absl::StrAppend(&sentence, "; ", advice);
  }
  return sentence;
}

void Apply(const OptionRow& row, const GivenOption& given, Config& config,
           std::vector<std::string>& problems) {
  if (row.arity != Arity::kList && given.values.size() > 1) {
    problems.push_back(absl::StrCat(row.Flag(), ": given ", given.values.size(),
                                    " times by ", given.origin,
                                    ", expected one value"));
    return;
  }
  const std::vector<std::string> values = SplitValues(row, given.values);
  if (values.empty() || !row.set(values, config)) {
    problems.push_back(Refusal(row, given));
  }
}

// A default that does not pass its own row is a mistake in the table; a test
// reads them all.
void ApplyDefaults(Config& config) {
  for (const OptionRow& row : OptionRows()) {
    if (row.default_text.empty()) continue;
    row.set(SplitValues(row, {row.default_text}), config);
  }
}

// `stronger` stays where both have an option: the caller adds sources in
// falling precedence.
void AddBelow(GivenOptions& stronger, const GivenOptions& weaker) {
  stronger.insert(weaker.begin(), weaker.end());
}

GivenOptions Gather(GivenOptions from_arguments, const ConfigSources& sources,
                    Config& config, std::vector<std::string>& problems) {
  GivenOptions given = std::move(from_arguments);
  AddBelow(given,
           ReadEnvironment(sources.environment, problems, config.warnings));
  const auto file = given.find("config");
  if (file == given.end()) return given;
  AddBelow(given, ReadFileOptions(file->second.values.back(), problems));
  return given;
}

absl::Status Refuse(const std::vector<std::string>& problems) {
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

bool NeedsNoConfig(Mode mode) {
  switch (mode) {
    case Mode::kHelp:
    case Mode::kVersion:
    case Mode::kPrintOptions:
      return true;
    case Mode::kServe:
    case Mode::kCheckConfig:
    case Mode::kCalibrateHash:
    case Mode::kRestore:
      return false;
  }
  return false;
}

}  // namespace

ConfigSources ConfigSources::OfProcess(int argc, char** argv) {
  ConfigSources sources;
  if (argc > 1) sources.arguments.assign(argv + 1, argv + argc);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    sources.environment.emplace(text.substr(0, equals),
                                text.substr(equals + 1));
  }
  sources.cores =
      std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return sources;
}

absl::StatusOr<Config> LoadConfig(const ConfigSources& sources) {
  std::vector<std::string> problems;
  Config config{};
  Arguments arguments = ReadArguments(sources.arguments, problems);
  config.mode = arguments.mode;
  config.table_format = arguments.table_format;
  config.restored_sessions = arguments.restored_sessions;
  config.restore_from = arguments.restore_from;
  config.restore_report = arguments.restore_report;
  config.restore_output = arguments.restore_output;
  if (NeedsNoConfig(config.mode)) {
    if (!problems.empty()) return Refuse(problems);
    return config;
  }
  ApplyDefaults(config);
  const GivenOptions given =
      Gather(std::move(arguments.options), sources, config, problems);
  std::set<std::string> names;
  for (const OptionRow& row : OptionRows()) {
    const auto found = given.find(row.name);
    if (found == given.end()) continue;
    Apply(row, found->second, config, problems);
    names.insert(row.name);
  }
  DeriveDefaults(names, sources.cores, config);
  CheckRules(names, config, problems);
  if (!problems.empty()) return Refuse(problems);
  return config;
}

LogFormat Config::LogFormatFor(bool is_terminal) const {
  switch (log_format) {
    case LogStyle::kText:
      return LogFormat::kText;
    case LogStyle::kJson:
      return LogFormat::kJson;
    case LogStyle::kAuto:
      return is_terminal ? LogFormat::kText : LogFormat::kJson;
  }
  return LogFormat::kJson;
}

}  // namespace ostiary
