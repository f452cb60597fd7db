#include "server/http/request_rules.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace ostiary::http {
namespace {

// Fields of which a second one would be read by one party and not by another.
constexpr absl::string_view kOnce[] = {
    "authorization",    "connect-protocol-version",
    "content-encoding", "connect-timeout-ms",
    "content-length",   "content-type",
    "expect",           "host",
    "origin",           "transfer-encoding",
};

int CountOf(const Request& request, absl::string_view name) {
  return static_cast<int>(std::count_if(
      request.headers.begin(), request.headers.end(),
      [name](const Header& h) { return absl::string_view(h.name) == name; }));
}

bool AnyGivenTwice(const Request& request) {
  return std::any_of(
      std::begin(kOnce), std::end(kOnce),
      [&](absl::string_view name) { return CountOf(request, name) > 1; });
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

bool IsHost(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view(".-_:[]").find(c) != absl::string_view::npos;
  });
}

bool ConnectionSays(const Request& request, absl::string_view option) {
  for (const Header& header : request.headers) {
    if (header.name != "connection") continue;
    for (const absl::string_view token : absl::StrSplit(header.value, ',')) {
      if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(token), option))
        return true;
    }
  }
  return false;
}

int CheckLength(const Request& request, Framing& framing) {
  const bool has_length = CountOf(request, "content-length") > 0;
  if (has_length && !IsDigits(request.Get("content-length"))) return 400;
  if (CountOf(request, "transfer-encoding") == 0) return 0;
  if (has_length || !framing.http_1_1) return 400;
  if (!absl::EqualsIgnoreCase(request.Get("transfer-encoding"), "chunked"))
    return 501;
  framing.chunked = true;
  return 0;
}

int CheckHost(const Request& request, const Framing& framing) {
  if (CountOf(request, "host") == 0) return framing.http_1_1 ? 400 : 0;
  return IsHost(request.Get("host")) ? 0 : 400;
}

int SplitTarget(absl::string_view target, Request& request) {
  const bool whole_server = target == "*" && request.method == "OPTIONS";
  if (!whole_server && !absl::StartsWith(target, "/")) return 400;
  const std::size_t mark = target.find('?');
  request.path = std::string(target.substr(0, mark));
  if (mark != absl::string_view::npos)
    request.query = std::string(target.substr(mark + 1));
  return 0;
}

int CheckExpectation(const Request& request, Framing& framing) {
  const absl::string_view expect = request.Get("expect");
  if (expect.empty()) return 0;
  if (!absl::EqualsIgnoreCase(expect, "100-continue")) return 417;
  framing.expects_continue = framing.http_1_1;
  return 0;
}

}  // namespace

int CheckRequest(absl::string_view target, int version, Request& request,
                 Framing& framing) {
  if (version != 10 && version != 11) return 505;
  framing.http_1_1 = version == 11;
  framing.keep_alive = framing.http_1_1 ? !ConnectionSays(request, "close")
                                        : ConnectionSays(request, "keep-alive");
  if (AnyGivenTwice(request)) return 400;
  if (const int status = CheckHost(request, framing); status != 0)
    return status;
  if (const int status = CheckLength(request, framing); status != 0)
    return status;
  if (const int status = SplitTarget(target, request); status != 0)
    return status;
  return CheckExpectation(request, framing);
}

}  // namespace ostiary::http
