#include "server/http/public_handler.h"

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/base/reason.h"
#include "server/http/connect.h"
#include "server/http/forward_auth.h"
#include "server/http/response_writer.h"
#include "server/http/routes.h"

namespace ostiary::http {
namespace {

// If-None-Match names what the caller has: entity tags, or "*" for anything.
bool CallerHas(absl::string_view if_none_match, absl::string_view etag) {
  for (absl::string_view tag : absl::StrSplit(if_none_match, ',')) {
    tag = absl::StripAsciiWhitespace(tag);
    absl::ConsumePrefix(&tag, "W/");
    if (tag == "*" || (tag == etag && !etag.empty())) return true;
  }
  return false;
}

Response UnknownMethod() {
  Response response = ConnectError(Refuse(Reason::kMethodUnknown));
  response.status = 404;
  return response;
}

// Lets the page that called read the answer. Without credentials: this API
// has no cookies.
void AllowOrigin(absl::string_view origin, Response& response) {
  response.headers.push_back({"Vary", "Origin"});
  if (origin.empty()) return;
  response.headers.push_back(
      {"Access-Control-Allow-Origin", std::string(origin)});
  response.headers.push_back(
      {"Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate"});
}

}  // namespace

PublicHandler::PublicHandler(door::Door& door, const Clock& clock,
                             const Options& options)
    : door_(door),
      clock_(clock),
      hosts_(options.issuer, options.http_hosts),
      origins_(options.issuer, options.cors_origins) {}

absl::Duration PublicHandler::PatienceOf(const Request& request) const {
  return TimeoutOf(request);
}

Response PublicHandler::Refusal(absl::string_view path, int status) const {
  return path == kForwardAuthPath ? UndecidedForwardAuth() : WireError(status);
}

void PublicHandler::Handle(Request request, Done done) {
  if (request.path == kForwardAuthPath)
    return done(ServeForwardAuth(door_, request));
  if (!hosts_.Allows(request)) return done(MisdirectedAnswer());
  if (request.path == "*")
    return done(OptionsAnswer("GET, HEAD, POST, OPTIONS"));
  if (const auto document = door_.FindDocument(request.path))
    return done(ServeDocument(request, *document));
  const absl::string_view name =
      absl::StripPrefix(absl::string_view(request.path), "/");
  if (const door::MethodRow* const row = door_.Find(name); row != nullptr)
    return ServeMethod(*row, std::move(request), std::move(done));
  if (request.method == "POST") return done(UnknownMethod());
  done(NotFoundAnswer());
}

Response PublicHandler::ServeDocument(const Request& request,
                                      const door::Document& document) const {
  constexpr absl::string_view kAllowed = "GET, HEAD, OPTIONS";
  if (request.method == "OPTIONS") {
    Response response = OptionsAnswer(kAllowed);
    response.headers.push_back({"Access-Control-Allow-Origin", "*"});
    response.headers.push_back({"Access-Control-Allow-Methods", "GET, HEAD"});
    response.headers.push_back(
        {"Access-Control-Allow-Headers", "If-None-Match"});
    response.headers.push_back({"Access-Control-Max-Age", "86400"});
    return response;
  }
  if (request.method != "GET" && request.method != "HEAD")
    return MethodNotAllowedAnswer(kAllowed);
  Response response;
  response.headers = {{"ETag", document.etag},
                      {"Cache-Control", document.cache_control},
                      {"Access-Control-Allow-Origin", "*"},
                      {"Access-Control-Expose-Headers", "ETag"}};
  if (CallerHas(request.Get("if-none-match"), document.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.push_back({"Content-Type", document.content_type});
  response.body = document.body;
  return response;
}

Response PublicHandler::Preflight(const Request& request) const {
  Response response = OptionsAnswer("POST, OPTIONS");
  const absl::string_view origin = request.Get("origin");
  if (origin.empty() || !origins_.Allows(request)) return response;
  AllowOrigin(origin, response);
  response.headers.push_back({"Access-Control-Allow-Methods", "POST"});
  response.headers.push_back(
      {"Access-Control-Allow-Headers",
       "Authorization, Content-Type, Connect-Protocol-Version, "
       "Connect-Timeout-Ms"});
  response.headers.push_back({"Access-Control-Max-Age", "7200"});
  return response;
}

void PublicHandler::ServeMethod(const door::MethodRow& row, Request request,
                                Done done) {
  if (request.method == "OPTIONS") return done(Preflight(request));
  if (request.method != "POST")
    return done(MethodNotAllowedAnswer("POST, OPTIONS"));
  if (!origins_.Allows(request)) return done(ForeignOriginAnswer());
  const std::string origin(request.Get("origin"));
  ServeConnect(door_, row, clock_, std::move(request),
               [origin, done = std::move(done)](Response response) mutable {
                 AllowOrigin(origin, response);
                 done(std::move(response));
               });
}

}  // namespace ostiary::http
