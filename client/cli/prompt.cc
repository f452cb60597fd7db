#include "client/cli/prompt.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/failure.h"
#include "client/cli/file.h"
#include "client/cli/printable.h"

namespace ostiary::cli {
namespace {

constexpr std::size_t kMaxSecretBytes = 64 * 1024;

void DropLineBreak(std::string& text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
}

absl::StatusOr<SecretText> Ask(absl::string_view prompt,
                               Surroundings& surroundings) {
  if (!surroundings.terminal.IsInteractive()) {
    return UsageError(
        "a password is needed and there is no terminal to ask on; pipe it in "
        "and say --password-stdin");
  }
  std::optional<SecretText> answer = surroundings.terminal.ReadHidden(prompt);
  if (!answer) return NoError("given up at the prompt; nothing was sent");
  if (answer->empty()) return UsageError("the password is empty");
  return *std::move(answer);
}

}  // namespace

absl::StatusOr<SecretText> ReadSecretFromStdin(absl::string_view what,
                                               Surroundings& surroundings) {
  std::optional<std::string> text = ReadAll(surroundings.in, kMaxSecretBytes);
  if (!text) {
    return UsageError(absl::StrCat("stdin is longer than any ", what));
  }
  DropLineBreak(*text);
  const bool several_lines = text->find('\n') != std::string::npos;
  SecretText secret(*text);
  Wipe(*text);
  if (several_lines) {
    return UsageError(
        absl::StrCat("stdin holds more than one line; it must hold the ", what,
                     " and nothing else"));
  }
  if (secret.empty()) {
    return UsageError(
        absl::StrCat("stdin is empty; the ", what, " was expected there"));
  }
  return secret;
}

absl::StatusOr<SecretText> ReadPassword(SecretSource source,
                                        Surroundings& surroundings) {
  if (source == SecretSource::kStdin) {
    return ReadSecretFromStdin("password", surroundings);
  }
  return Ask("Password: ", surroundings);
}

absl::StatusOr<SecretText> ReadNewPassword(SecretSource source,
                                           Surroundings& surroundings) {
  if (source == SecretSource::kStdin) {
    return ReadSecretFromStdin("password", surroundings);
  }
  absl::StatusOr<SecretText> first = Ask("New password: ", surroundings);
  if (!first.ok()) return first;
  const absl::StatusOr<SecretText> second =
      Ask("New password again: ", surroundings);
  if (!second.ok()) return second.status();
  if (first->Reveal() != second->Reveal()) {
    return UsageError("the two passwords are not the same; nothing was sent");
  }
  return first;
}

absl::StatusOr<SecretText> ReadToken(const std::string& argument,
                                     SecretSource source,
                                     Surroundings& surroundings) {
  if (source == SecretSource::kStdin && !argument.empty()) {
    return UsageError(
        "the token is given twice: as an argument and by "
        "--token-stdin");
  }
  if (source == SecretSource::kStdin || argument == "-") {
    return ReadSecretFromStdin("token", surroundings);
  }
  if (argument.empty()) {
    return UsageError(
        "a token is needed: as an argument, or on stdin with - "
        "or --token-stdin");
  }
  return SecretText(argument);
}

absl::Status Confirm(Consent consent, absl::string_view question,
                     Surroundings& surroundings) {
  if (consent == Consent::kGiven) return absl::OkStatus();
  if (!surroundings.terminal.IsInteractive()) {
    return UsageError(
        "this cannot be undone and there is no terminal to ask on; say --yes");
  }
  const std::optional<std::string> answer = surroundings.terminal.ReadLine(
      absl::StrCat(Printable(question), " [y/N] "));
  const std::string word =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer.value_or("")));
  if (word == "y" || word == "yes") return absl::OkStatus();
  return NoError("not confirmed; nothing was done");
}

}  // namespace ostiary::cli
