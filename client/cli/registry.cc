#include "client/cli/registry.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/failure.h"

namespace ostiary::cli {
namespace {

constexpr char kAbout[] =
    "Looks after an Ostiary server: accounts, sessions, keys and tokens.";

constexpr char kExitCodes[] =
    "Without --server it speaks to the operator socket of the ostiaryd on this "
    "machine.\n"
    "OSTIARY_SOCKET and OSTIARY_TOKEN stand in for flags not given.\n\n"
    "Exit codes:\n"
    "  0  done; the answer is yes\n"
    "  1  the answer is no: not valid, no match, not found, refused\n"
    "  2  the command line or a value in it is wrong\n"
    "  3  the server cannot be reached, is busy, or did not answer in time\n"
    "  4  the caller is not known or not allowed\n"
    "  5  something unexpected went wrong\n";

constexpr char kMoreFlags[] = "Flags for every command: ostiary --help";

// The deepest command or group that was named.
const CLI::App& Named(const CLI::App& root) {
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return *app;
}

std::string PathOf(const CLI::App& app) {
  if (app.get_parent() == nullptr) return app.get_name();
  return absl::StrCat(PathOf(*app.get_parent()), " ", app.get_name());
}

bool IsPasswordFlag(absl::string_view name) {
  return name == "--password" || name == "--pass" || name == "--new-password" ||
         name == "-p";
}

// What was not understood, without its value.
absl::Status ExplainExtras(const CLI::App& named,
                           const std::vector<std::string>& extras,
                           const std::string& advice) {
  for (const std::string& extra : extras) {
    if (!absl::StartsWith(extra, "-")) continue;
    const std::string name = extra.substr(0, extra.find('='));
    if (IsPasswordFlag(name)) {
      return UsageError(
          "a password in an argument can be read by everyone on this machine; "
          "it is asked for on the terminal, or read with --password-stdin");
    }
    return UsageError(absl::StrCat("there is no option ", name, advice));
  }
  const bool is_command = named.get_require_subcommand_min() > 0;
  if (is_command) {
    return UsageError(
        absl::StrCat("there is no command \"", extras.front(), "\"", advice));
  }
  return UsageError(absl::StrCat("an argument is too many", advice));
}

// CLI11 quotes the value, which may be a password.
std::string WithoutValue(const CLI::ParseError& error) {
  const std::string what = error.what();
  if (error.get_exit_code() !=
      static_cast<int>(CLI::ExitCodes::ConversionError)) {
    return what;
  }
  const std::size_t begin = what.find("--");
  const std::size_t end = what.find(" = ");
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    return "a value is not of the right kind";
  }
  return absl::StrCat("the value of ", what.substr(begin, end - begin),
                      " is not of the right kind");
}

bool IsKeyId(absl::string_view text) {
  constexpr std::size_t kThumbprintLength = 43;
  return text.size() == kThumbprintLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '-' || c == '_';
         });
}

// One key id in 64 begins with "-" and would be taken for an option: among the
// arguments of `key` commands it is moved behind a "--".
void ProtectKeyIds(std::vector<std::string>& arguments) {
  if (std::find(arguments.begin(), arguments.end(), "key") == arguments.end()) {
    return;
  }
  for (auto it = arguments.begin(); it != arguments.end(); ++it) {
    if (*it == "--") return;
    const bool is_value = it != arguments.begin() && *(it - 1) == "--reason";
    if (!absl::StartsWith(*it, "-") || !IsKeyId(*it) || is_value) continue;
    std::rotate(it, it + 1, arguments.end());
    arguments.insert(arguments.end() - 1, "--");
    return;
  }
}

}  // namespace

Registry::Registry() : root_(kAbout, "ostiary") {
  root_.require_subcommand(1);
  root_.fallthrough();
  root_.footer(kExitCodes);
  root_.set_version_flag("--version", OSTIARY_VERSION, "Same as `version`");
  root_.get_formatter()->column_width(34);
  AddGlobalFlags();
}

void Registry::AddGlobalFlags() {
  const auto add = [this](const char* name, std::string& value,
                          const char* text, const char* kind) {
    root_.add_option(name, value, text)->type_name(kind);
  };
  add("--socket", flags_.socket,
      "Operator socket (OSTIARY_SOCKET; ./ostiary-data/ostiary.sock)", "PATH");
  add("--server", flags_.server, "A server over TCP instead", "HOST:PORT");
  add("--tls-ca", flags_.tls_ca, "Certificate authority of --server", "FILE");
  add("--tls-cert", flags_.tls_cert, "Client certificate chain", "FILE");
  add("--tls-key", flags_.tls_key, "Private key of --tls-cert", "FILE");
  root_.add_flag("--allow-plaintext", flags_.allow_plaintext,
                 "Beyond loopback without TLS");
  add("--token-file", flags_.token_file,
      "Access token of the caller (else OSTIARY_TOKEN)", "FILE");
  add("--output", flags_.output, "table or json", "FORMAT");
  add("--timeout", flags_.timeout, "For each call to the server", "DURATION");
}

CLI::App& Registry::Group(const std::string& name,
                          const std::string& description) {
  CLI::App* group = root_.add_subcommand(name, description);
  group->require_subcommand(1);
  group->footer(kMoreFlags);
  return *group;
}

CLI::App& Registry::Add(CLI::App& parent, const std::string& name,
                        const std::string& description,
                        const std::string& example, Action action) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer(absl::StrCat("Example:\n  ", example, "\n\n", kMoreFlags));
  command->callback([this, action = std::move(action)] { chosen_ = action; });
  return *command;
}

absl::StatusOr<Registry::Parsed> Registry::Parse(
    std::vector<std::string> arguments) {
  ProtectKeyIds(arguments);
  std::reverse(arguments.begin(), arguments.end());
  try {
    root_.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return Parsed::kHelp;
  } catch (const CLI::CallForVersion&) {
    return Parsed::kVersion;
  } catch (const CLI::ParseError& error) {
    return Explain(error);
  }
  return Parsed::kCommand;
}

absl::Status Registry::Explain(const CLI::ParseError& error) const {
  const CLI::App& named = Named(root_);
  const std::string advice = absl::StrCat("; see ", PathOf(named), " --help");
  // A forgotten argument and an unknown one may be the same mistake: the
  // unknown one says more.
  const std::vector<std::string> extras = root_.remaining(true);
  if (!extras.empty()) return ExplainExtras(named, extras, advice);
  if (named.get_require_subcommand_min() > 0) {
    return UsageError(absl::StrCat("a command is missing", advice));
  }
  return UsageError(absl::StrCat(WithoutValue(error), advice));
}

}  // namespace ostiary::cli
