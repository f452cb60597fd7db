#include "client/cli/token_inspect.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "client/cli/failure.h"
#include "client/cli/json_value.h"
#include "client/cli/printable.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "client/jwt/base64url.h"
#include "client/jwt/token.h"

namespace ostiary::cli {
namespace {

std::optional<boost::json::object> DecodePart(absl::string_view part) {
  const std::optional<std::string> json = jwt::Base64UrlDecode(part);
  if (!json) return std::nullopt;
  return ParseJsonObject(*json);
}

bool IsTime(absl::string_view name) {
  return name == "exp" || name == "iat" || name == "nbf" || name == "auth_time";
}

std::string ValueText(absl::string_view name, const boost::json::value& value) {
  std::string text = boost::json::serialize(value);
  if (!IsTime(name) || !value.is_int64()) return text;
  const absl::Time time = absl::FromUnixSeconds(value.get_int64());
  return text + "  " +
         absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

void WriteMembers(absl::string_view heading, const boost::json::object& object,
                  std::ostream& out) {
  out << heading << '\n';
  for (const auto& member : object) {
    const absl::string_view name(member.key().data(), member.key().size());
    out << "  " << Printable(name) << ": "
        << Printable(ValueText(name, member.value())) << '\n';
  }
}

void WriteTable(const InspectedToken& token, std::ostream& out) {
  out << "NOT VERIFIED: anyone can write such a token; nothing below is "
         "proven.\n";
  WriteMembers("header", token.header, out);
  WriteMembers("claims", token.claims, out);
}

void WriteJson(const InspectedToken& token, std::ostream& out) {
  const boost::json::value answer = {
      {"verified", false}, {"header", token.header}, {"claims", token.claims}};
  out << Printable(boost::json::serialize(answer)) << '\n';
}

struct InspectFlags {
  std::string token;
  bool token_stdin = false;
};

absl::StatusOr<ExitCode> Inspect(Invocation& run, const InspectFlags& flags) {
  const absl::StatusOr<SecretText> text = ReadToken(
      flags.token,
      flags.token_stdin ? SecretSource::kStdin : SecretSource::kTerminal,
      run.surroundings());
  if (!text.ok()) return text.status();
  if (absl::StartsWith(text->Reveal(), "ort_")) {
    return NoError(
        "this is a refresh token; it says nothing to anyone but the server");
  }
  const std::optional<InspectedToken> token = InspectToken(text->Reveal());
  if (!token) return NoError("this is not a signed token (JWS, RFC 7515)");
  if (run.format() == Format::kJson) {
    WriteJson(*token, run.out());
  } else {
    WriteTable(*token, run.out());
  }
  return ExitCode::kOk;
}

}  // namespace

std::optional<InspectedToken> InspectToken(absl::string_view text) {
  if (text.size() > jwt::kMaxTokenBytes) return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts.size() != 3) return std::nullopt;
  std::optional<boost::json::object> header = DecodePart(parts[0]);
  std::optional<boost::json::object> claims = DecodePart(parts[1]);
  if (!header || !claims) return std::nullopt;
  return InspectedToken{*std::move(header), *std::move(claims)};
}

void AddTokenInspect(Registry& registry, CLI::App& token) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App& command =
      registry.Add(token, "inspect",
                   "Shows what a token says, NOT VERIFIED. Needs no server.",
                   "ostiary token inspect - < token",
                   [flags](Invocation& run) { return Inspect(run, *flags); });
  command.add_option("token", flags->token, "The token, or - for stdin");
  command.add_flag("--token-stdin", flags->token_stdin, "Read it from stdin");
}

}  // namespace ostiary::cli
