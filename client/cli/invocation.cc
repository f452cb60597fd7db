#include "client/cli/invocation.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/failure.h"
#include "client/cli/file.h"

namespace ostiary::cli {
namespace {

constexpr char kDefaultSocket[] = "./ostiary-data/ostiary.sock";
constexpr absl::Duration kShortestTimeout = absl::Milliseconds(1);
constexpr absl::Duration kLongestTimeout = absl::Minutes(10);

absl::StatusOr<Format> ParseFormat(const std::string& text) {
  if (text == "table") return Format::kTable;
  if (text == "json") return Format::kJson;
  return UsageError(absl::StrCat("--output: \"", text,
                                 "\" is not a format; there are table and "
                                 "json"));
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDurationFlag(absl::string_view option,
                                                 const std::string& text,
                                                 absl::Duration least,
                                                 absl::Duration most) {
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) && duration >= least &&
      duration <= most) {
    return duration;
  }
  return UsageError(
      absl::StrCat(option, ": \"", text, "\" is not a duration between ",
                   absl::FormatDuration(least), " and ",
                   absl::FormatDuration(most), ", written like 10s or 1m30s"));
}

absl::StatusOr<std::unique_ptr<Invocation>> Invocation::Create(
    GlobalFlags flags, Surroundings& surroundings) {
  const absl::StatusOr<Format> format = ParseFormat(flags.output);
  if (!format.ok()) return format.status();
  const absl::StatusOr<absl::Duration> timeout = ParseDurationFlag(
      "--timeout", flags.timeout, kShortestTimeout, kLongestTimeout);
  if (!timeout.ok()) return timeout.status();
  return std::unique_ptr<Invocation>(
      new Invocation(std::move(flags), surroundings, *format, *timeout));
}

Invocation::Invocation(GlobalFlags flags, Surroundings& surroundings,
                       Format format, absl::Duration timeout)
    : flags_(std::move(flags)),
      surroundings_(surroundings),
      format_(format),
      timeout_(timeout) {}

absl::StatusOr<Connection*> Invocation::connection() {
  if (connection_ != nullptr) return connection_.get();
  absl::StatusOr<Place> place = FindPlace();
  if (!place.ok()) return place.status();
  absl::StatusOr<SecretText> token = FindToken();
  if (!token.ok()) return token.status();
  auto opened =
      Connection::Open({*std::move(place), *std::move(token), timeout_});
  if (!opened.ok()) return opened.status();
  connection_ = *std::move(opened);
  return connection_.get();
}

absl::StatusOr<ExitCode> Invocation::Answer(
    const google::protobuf::Message& message) {
  absl::Status shown = Show(message, format_, out());
  if (!shown.ok()) return shown;
  return ExitCode::kOk;
}

absl::StatusOr<Place> Invocation::FindPlace() const {
  if (!flags_.socket.empty() && !flags_.server.empty()) {
    return UsageError("--socket and --server: only one of them can be meant");
  }
  Place place{flags_.socket,   flags_.server,  flags_.tls_ca,
              flags_.tls_cert, flags_.tls_key, flags_.allow_plaintext};
  if (place.socket.empty() && place.server.empty()) {
    place.socket =
        surroundings_.environment("OSTIARY_SOCKET").value_or(kDefaultSocket);
  }
  return place;
}

absl::StatusOr<SecretText> Invocation::FindToken() const {
  if (flags_.token_file.empty()) {
    return SecretText(surroundings_.environment("OSTIARY_TOKEN").value_or(""));
  }
  absl::StatusOr<std::string> text =
      ReadFile("--token-file", flags_.token_file);
  if (!text.ok()) return text.status();
  SecretText token{std::string(absl::StripAsciiWhitespace(*text))};
  Wipe(*text);
  if (token.empty()) {
    return UsageError(
        absl::StrCat("--token-file: ", flags_.token_file, " is empty"));
  }
  return token;
}

}  // namespace ostiary::cli
