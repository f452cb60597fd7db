#include "server/http/origins.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/http/asio.h"
#include "server/http/listen_address.h"

namespace ostiary::http {
namespace {

// What stands between brackets, with nothing but a port behind them; empty if
// it is not like that.
std::string BracketedName(absl::string_view authority) {
  const std::size_t end = authority.find(']');
  if (end == absl::string_view::npos) return "";
  const absl::string_view rest = authority.substr(end + 1);
  if (!rest.empty() && rest.front() != ':') return "";
  return absl::AsciiStrToLower(authority.substr(1, end - 1));
}

// "example.com:8080" without its port, "[::1]:8080" without brackets, in lower
// case.
std::string HostName(absl::string_view authority) {
  if (absl::StartsWith(authority, "[")) return BracketedName(authority);
  absl::string_view name = authority.substr(0, authority.find(':'));
  absl::ConsumeSuffix(&name, ".");
  return absl::AsciiStrToLower(name);
}

bool IsLoopbackName(const std::string& name) {
  if (name == "localhost") return true;
  error_code ec;
  const asio::ip::address address = asio::ip::make_address(name, ec);
  return !ec && IsLoopback(address);
}

// "https://example.com/path" is the host at "example.com".
absl::string_view AuthorityOf(absl::string_view url) {
  const std::size_t begin = url.find("://");
  if (begin == absl::string_view::npos) return {};
  url.remove_prefix(begin + 3);
  return url.substr(0, url.find('/'));
}

// As browsers write it: lower case, no default port, no path.
std::string OriginOf(absl::string_view url) {
  const std::string scheme =
      absl::AsciiStrToLower(url.substr(0, url.find("://")));
  std::string authority = absl::AsciiStrToLower(AuthorityOf(url));
  const absl::string_view default_port = scheme == "https" ? ":443" : ":80";
  if (absl::EndsWith(authority, default_port))
    authority.resize(authority.size() - default_port.size());
  return absl::StrCat(scheme, "://", authority);
}

}  // namespace

HostRule::HostRule(absl::string_view issuer,
                   const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) names_.insert(HostName(host));
  const absl::string_view authority = AuthorityOf(issuer);
  if (!authority.empty()) names_.insert(HostName(authority));
}

bool HostRule::Allows(const Request& request) const {
  if (!request.arrived_at_loopback) return true;
  const std::string name = HostName(request.Get("host"));
  return !name.empty() && (IsLoopbackName(name) || names_.contains(name));
}

OriginRule::OriginRule(absl::string_view issuer,
                       const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) origins_.insert(OriginOf(origin));
  if (!AuthorityOf(issuer).empty()) origins_.insert(OriginOf(issuer));
}

bool OriginRule::Allows(const Request& request) const {
  const absl::string_view origin = request.Get("origin");
  return origin.empty() || origins_.contains(std::string(origin));
}

}  // namespace ostiary::http
