#include "client/cli/bench_accounts.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/failure.h"
#include "client/cli/file.h"
#include "client/cli/json_value.h"
#include "client/cli/prompt.h"

namespace ostiary::cli {
namespace {

using One = BenchAccounts::One;

absl::StatusOr<One> ReadAccount(const std::string& line, std::size_t number) {
  const std::optional<boost::json::object> object = ParseJsonObject(line);
  std::optional<std::string> identifier, password;
  if (object) {
    identifier = StringMember(*object, "identifier");
    password = StringMember(*object, "password");
  }
  if (!identifier || !password) {
    return UsageError(absl::StrCat(
        "--accounts: line ", number,
        " is not like {\"identifier\": \"ada\", \"password\": \"...\"}"));
  }
  One account{*std::move(identifier), SecretText(*password)};
  Wipe(*password);
  return account;
}

absl::StatusOr<std::vector<One>> ReadAccounts(const std::string& path) {
  absl::StatusOr<std::vector<std::string>> lines =
      ReadLines("--accounts", path);
  if (!lines.ok()) return lines.status();
  std::vector<One> accounts;
  absl::Status bad;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    absl::StatusOr<One> account = ReadAccount((*lines)[i], i + 1);
    Wipe((*lines)[i]);
    if (!account.ok()) {
      bad.Update(account.status());
      continue;
    }
    accounts.push_back(*std::move(account));
  }
  if (!bad.ok()) return bad;
  return accounts;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadLines(absl::string_view option,
                                                   const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(option, path);
  if (!text.ok()) return text.status();
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    if (!stripped.empty()) lines.emplace_back(stripped);
  }
  Wipe(*text);
  if (lines.empty()) {
    return UsageError(absl::StrCat(option, ": ", path, " holds no line"));
  }
  return lines;
}

absl::StatusOr<std::shared_ptr<BenchAccounts>> ReadBenchAccounts(
    const BenchAccountFlags& flags, Surroundings& surroundings) {
  if (flags.identifier.empty() == flags.accounts.empty()) {
    return UsageError(
        "say who signs in: a username or email, or --accounts FILE");
  }
  std::vector<One> all;
  if (!flags.accounts.empty()) {
    if (flags.password_stdin) {
      return UsageError(
          "--accounts holds the passwords; --password-stdin "
          "goes with one identifier");
    }
    absl::StatusOr<std::vector<One>> read = ReadAccounts(flags.accounts);
    if (!read.ok()) return read.status();
    all = *std::move(read);
  } else {
    absl::StatusOr<SecretText> password = ReadPassword(
        flags.password_stdin ? SecretSource::kStdin : SecretSource::kTerminal,
        surroundings);
    if (!password.ok()) return password.status();
    all.push_back({flags.identifier, *std::move(password)});
  }
  return std::make_shared<BenchAccounts>(std::move(all));
}

}  // namespace ostiary::cli
