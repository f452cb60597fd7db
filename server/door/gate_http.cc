#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/reason.h"
#include "server/door/gate.h"

// The policy in the query of the URL that the gateway's configuration names.
namespace ostiary::door {
namespace {

constexpr std::size_t kMaxQueryBytes = 2048;

bool IsHexDigit(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c));
}

// "read+write" and "read%20write" are "read write".
absl::StatusOr<std::string> Decode(absl::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else if (i + 2 < text.size() && IsHexDigit(text[i + 1]) &&
               IsHexDigit(text[i + 2])) {
      out.append(absl::HexStringToBytes(std::string(text.substr(i + 1, 2))));
      i += 2;
    } else {
      return RefuseField("policy", "% must be followed by two hex digits");
    }
  }
  return out;
}

// Some gateways (Caddy) hand on the client's query where their configuration
// names a URL without one: "/orders?anonymous=allow" would open the route.
bool IsTheClients(absl::string_view query,
                  const std::vector<std::string>& client_urls) {
  for (const std::string& url : client_urls) {
    const std::size_t mark = url.find('?');
    if (mark == std::string::npos) continue;
    const absl::string_view theirs = absl::string_view(url).substr(mark + 1);
    if (theirs.empty()) continue;
    if (query == theirs || absl::EndsWith(query, absl::StrCat("&", theirs)))
      return true;
  }
  return false;
}

absl::StatusOr<std::vector<flow::PolicyLine>> ReadQuery(
    const ForwardedCheck& asked) {
  const absl::string_view query = asked.policy;
  std::vector<flow::PolicyLine> lines;
  if (query.empty()) return lines;
  if (IsTheClients(query, asked.client_urls)) {
    return RefuseField("policy",
                       "is the client's own query: name one in the gateway's "
                       "configuration, such as /forward-auth?audience=api");
  }
  if (query.size() > kMaxQueryBytes)
    return RefuseField("policy", "is longer than 2048 bytes");
  // A gateway that puts the client's path behind our URL would let the client
  // write policy ("/orders&anonymous=allow"). Such a path holds a slash.
  if (query.find_first_of("/?#") != absl::string_view::npos) {
    return RefuseField("policy",
                       "/ ? # must be written %2F %3F %23: is the client's "
                       "path part of the URL?");
  }
  for (const absl::string_view pair : absl::StrSplit(query, '&')) {
    const std::size_t equals = pair.find('=');
    if (equals == absl::string_view::npos)
      return RefuseField("policy", "must be key=value&key=value");
    auto key = Decode(pair.substr(0, equals));
    if (!key.ok()) return key.status();
    auto value = Decode(pair.substr(equals + 1));
    if (!value.ok()) return value.status();
    lines.push_back({*std::move(key), *std::move(value)});
  }
  return lines;
}

}  // namespace

GateAnswer AnswerForwarded(Gate& gate, const ForwardedCheck& asked) {
  Gate::Decision decision = gate.Decide(ReadQuery(asked), asked.authorization);
  GateAnswer answer{decision.status, std::move(decision.identity),
                    std::move(decision.body)};
  if (!answer.body.empty())
    answer.headers.emplace_back("Content-Type", "application/json");
  if (!decision.challenge.empty()) {
    answer.headers.emplace_back("WWW-Authenticate",
                                std::move(decision.challenge));
  }
  return answer;
}

}  // namespace ostiary::door
