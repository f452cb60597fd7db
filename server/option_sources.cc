#include "server/option_sources.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/log_text.h"
#include "server/config_file.h"

namespace ostiary {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMostTypos = 2;

// How many letters must be added, dropped or changed to turn `a` into `b`.
std::size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

// The option that `name` was probably meant to be; nullptr if none is near.
const OptionRow* Nearest(absl::string_view name) {
  constexpr std::size_t kLongestName = 64;
  if (name.size() > kLongestName) return nullptr;
  const OptionRow* nearest = nullptr;
  std::size_t least = kMostTypos + 1;
  for (const OptionRow& row : OptionRows()) {
    const std::size_t distance = Distance(name, row.name);
    if (distance < least) {
      least = distance;
      nearest = &row;
    }
  }
  return nearest;
}

// Up to the "=": what stands behind it may be a secret in the wrong place.
std::string NameOnly(absl::string_view argument) {
  constexpr std::size_t kMost = 80;
  return EscapeText(argument.substr(0, std::min(argument.find('='), kMost)));
}

std::string Unknown(const std::string& what, absl::string_view name) {
  const OptionRow* nearest = Nearest(name);
  return absl::StrCat(
      what, ": there is no such option",
      nearest == nullptr ? std::string("; see ostiaryd --help")
                         : absl::StrCat("; did you mean ", nearest->name, "?"));
}

struct ModeFlag {
  const char* flag;
  const char* expects;  // nullptr: takes no value
  Mode mode;
};
const ModeFlag kModeFlags[] = {
    {"--help,-h", nullptr, Mode::kHelp},
    {"--version", nullptr, Mode::kVersion},
    {"--print-options", "text or markdown", Mode::kPrintOptions},
    {"--check-config", nullptr, Mode::kCheckConfig},
    {"--calibrate-hash", nullptr, Mode::kCalibrateHash},
};

// CLI11 splits the arguments; what they mean is ours to say.
struct Line {
  Line() {
    app.set_help_flag();
    app.allow_extras(true);
    for (const ModeFlag& mode : kModeFlags) {
      modes.push_back(app.add_flag(mode.flag));
    }
    sessions = app.add_option("--sessions");
    from = app.add_option("--from");
    report = app.add_option("--report");
    output = app.add_option("--output");
    for (const OptionRow& row : OptionRows()) {
      rows.push_back(row.arity == Arity::kSwitch ? app.add_flag(row.Flag())
                                                 : AddValue(row.Flag()));
    }
  }

  CLI::Option* AddValue(const std::string& flag) {
    return app.add_option(flag)->expected(1)->multi_option_policy(
        CLI::MultiOptionPolicy::TakeAll);
  }

  CLI::App app;
  std::vector<CLI::Option*> modes;
  CLI::Option* sessions;  // these four: of ostiaryd restore
  CLI::Option* from;
  CLI::Option* report;
  CLI::Option* output;
  std::vector<CLI::Option*> rows;
};

void TakeModes(const Line& line, Arguments& read,
               std::vector<std::string>& problems) {
  for (std::size_t i = 0; i < line.modes.size(); ++i) {
    if (line.modes[i]->count() == 0) continue;
    const ModeFlag& flag = kModeFlags[i];
    read.mode = flag.mode;
    const std::string value = line.modes[i]->results().back();
    if (flag.expects == nullptr) {
      if (value != "true") {
        problems.push_back(absl::StrCat(flag.flag, ": takes no value"));
      }
    } else if (value == "markdown") {
      read.table_format = TableFormat::kMarkdown;
    } else if (value != "text" && value != "true") {
      problems.push_back(absl::StrCat(flag.flag, ": got '", EscapeText(value),
                                      "', expected ", flag.expects));
    }
    return;  // --help wins over what else was asked for
  }
}

void TakeSessions(const Line& line, Arguments& read,
                  std::vector<std::string>& problems) {
  const bool given = line.sessions->count() > 0;
  const std::string value = given ? line.sessions->results().back() : "";
  if (value == "end") {
    read.restored_sessions = RestoredSessions::kEnd;
  } else if (value == "keep") {
    read.restored_sessions = RestoredSessions::kKeep;
  } else {
    problems.push_back(absl::StrCat(
        "--sessions: got ", given ? EscapeText(value) : "nothing",
        ", expected end (everybody signs in again) or keep (a refresh token "
        "stolen since the backup may still work)"));
  }
}

void TakeFile(const CLI::Option& option, std::string& file) {
  if (option.count() > 0) file = option.results().back();
}

void TakeRestore(const Line& line, Arguments& read,
                 std::vector<std::string>& problems) {
  if (read.mode == Mode::kHelp) return;
  if (read.mode != Mode::kRestore) {
    for (const CLI::Option* option :
         {line.sessions, line.from, line.report, line.output}) {
      if (option->count() == 0) continue;
      problems.push_back(
          absl::StrCat(option->get_name(), ": is only for ostiaryd restore"));
    }
    return;
  }
  TakeSessions(line, read, problems);
  TakeFile(*line.from, read.restore_from);
  TakeFile(*line.report, read.restore_report);
  if (line.output->count() == 0) return;
  const std::string value = line.output->results().back();
  if (value == "json") {
    read.restore_output = RestoreOutput::kJson;
  } else if (value != "text") {
    problems.push_back(absl::StrCat("--output: got '", EscapeText(value),
                                    "', expected text or json"));
  }
}

void TakeExtras(std::vector<std::string> extras, Arguments& read,
                std::vector<std::string>& problems) {
  if (!extras.empty() && extras.front() == "restore" &&
      (read.mode == Mode::kServe || read.mode == Mode::kHelp)) {
    if (read.mode == Mode::kServe) read.mode = Mode::kRestore;
    extras.erase(extras.begin());
  }
  bool flag_seen = false;
  for (const std::string& extra : extras) {
    if (absl::StartsWith(extra, "-")) {
      flag_seen = true;
      const std::string name = NameOnly(extra);
      problems.push_back(
          Unknown(name, name.substr(std::min<std::size_t>(
                            name.find_first_not_of('-'), name.size()))));
    } else if (!flag_seen) {  // else it is probably the unknown flag's value
      problems.push_back(absl::StrCat("'", NameOnly(extra),
                                      "' on the command line belongs to no "
                                      "option; expected --name=value"));
    }
  }
}

// "--issuer: 1 required TEXT missing" and the like, in our words.
std::string Explain(const CLI::ParseError& error) {
  const std::string text = error.what();
  for (const OptionRow& row : OptionRows()) {
    if (absl::StartsWith(text, absl::StrCat(row.Flag(), ":")) ||
        absl::StartsWith(text, absl::StrCat(row.Flag(), " "))) {
      return absl::StrCat(row.Flag(),
                          ": has no value on the command line, "
                          "expected ",
                          row.expects);
    }
  }
  for (const char* flag : {"--sessions", "--from", "--report", "--output"}) {
    if (absl::StartsWith(text, absl::StrCat(flag, ":")))
      return absl::StrCat(flag, ": has no value on the command line");
  }
  return absl::StrCat("the command line cannot be read: ", EscapeText(text));
}

bool IsForTests(absl::string_view variable) {
  return variable == "OSTIARY_SOURCE_DIR" || variable == "OSTIARY_BIN_DIR" ||
         variable == "OSTIARY_SHARED" || variable == "OSTIARY_FAIL_POINT";
}

// "OSTIARY_GRPC_LISTEN" -> "grpc-listen"
std::string NameFromVariable(absl::string_view variable) {
  variable.remove_prefix(std::min<std::size_t>(variable.size(), 8));
  std::string name = absl::AsciiStrToLower(variable);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

}  // namespace

Arguments ReadArguments(const std::vector<std::string>& arguments,
                        std::vector<std::string>& problems) {
  Arguments read;
  Line line;
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    line.app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    problems.push_back(Explain(error));
    return read;
  }
  TakeModes(line, read, problems);
  TakeExtras(line.app.remaining(), read, problems);
  TakeRestore(line, read, problems);
  for (std::size_t i = 0; i < line.rows.size(); ++i) {
    if (line.rows[i]->count() == 0) continue;
    read.options[OptionRows()[i].name] = {line.rows[i]->results(),
                                          "the command line"};
  }
  return read;
}

GivenOptions ReadEnvironment(
    const std::map<std::string, std::string>& environment,
    std::vector<std::string>& problems, std::vector<std::string>& warnings) {
  GivenOptions given;
  for (const auto& [variable, value] : environment) {
    if (!absl::StartsWith(variable, "OSTIARY_") || IsForTests(variable)) {
      continue;
    }
    const OptionRow* row = FindOptionRowByEnvironment(variable);
    if (row != nullptr) {
      if (!value.empty()) given[row->name] = {{value}, variable};
      continue;
    }
    const OptionRow* nearest = Nearest(NameFromVariable(variable));
    if (nearest != nullptr) {
      problems.push_back(absl::StrCat(
          NameOnly(variable), ": there is no such option; did you mean ",
          nearest->Environment(), "?"));
    } else {
      warnings.push_back(absl::StrCat("the environment variable ",
                                      NameOnly(variable),
                                      " is not an option and is ignored"));
    }
  }
  return given;
}

GivenOptions ReadFileOptions(const std::string& path,
                             std::vector<std::string>& problems) {
  GivenOptions given;
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  if (!file || !std::filesystem::is_regular_file(path, ignored)) {
    problems.push_back(absl::StrCat("--config: '", EscapeText(path),
                                    "' is not a file that can be read"));
    return given;
  }
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) {
    problems.push_back(
        absl::StrCat("--config: '", EscapeText(path), "' is over 1 MiB"));
    return given;
  }
  const absl::StatusOr<std::vector<ConfigLine>> lines = ParseConfigFile(text);
  if (!lines.ok()) {
    problems.push_back(
        absl::StrCat(EscapeText(path), ":", lines.status().message()));
    return given;
  }
  for (const ConfigLine& line : *lines) {
    const std::string where = absl::StrCat(EscapeText(path), ":", line.line);
    const OptionRow* row = FindOptionRow(line.name);
    if (row == nullptr || !row->in_file) {
      problems.push_back(
          Unknown(absl::StrCat("'", line.name, "' in ", where), line.name));
    } else if (!given.emplace(row->name, GivenOption{line.values, where})
                    .second) {
      problems.push_back(absl::StrCat(row->name, ": given twice, in ",
                                      given[row->name].origin, " and ", where));
    }
  }
  return given;
}

std::vector<std::string> SplitValues(const OptionRow& row,
                                     const std::vector<std::string>& values) {
  if (row.arity != Arity::kList) return values;
  std::vector<std::string> split;
  for (const std::string& value : values) {
    for (absl::string_view part : absl::StrSplit(value, ',')) {
      split.emplace_back(absl::StripAsciiWhitespace(part));
    }
  }
  return split;
}

}  // namespace ostiary
