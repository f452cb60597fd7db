#include "server/http/ops_handler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/http/routes.h"

namespace ostiary::http {
namespace {

Response Text(int status, std::string body) {
  return {status,
          {{"Content-Type", "text/plain; charset=utf-8"},
           {"Cache-Control", "no-store"}},
          std::move(body)};
}

Response Metrics(std::string text) {
  return {200,
          {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
           {"Cache-Control", "no-store"}},
          std::move(text)};
}

bool IsRoute(absl::string_view path) {
  return path == "/healthz" || path == "/readyz" || path == "/metrics";
}

}  // namespace

OpsHandler::OpsHandler(const door::Door& door, Sources sources,
                       const Options& options)
    : door_(door),
      sources_(std::move(sources)),
      hosts_(options.issuer, options.http_hosts) {}

void OpsHandler::Handle(Request request, Done done) { done(Answer(request)); }

Response OpsHandler::Answer(const Request& request) const {
  constexpr absl::string_view kAllowed = "GET, HEAD, OPTIONS";
  if (!hosts_.Allows(request)) return MisdirectedAnswer();
  if (!IsRoute(request.path)) return NotFoundAnswer();
  if (request.method == "OPTIONS") return OptionsAnswer(kAllowed);
  if (request.method != "GET" && request.method != "HEAD")
    return MethodNotAllowedAnswer(kAllowed);
  if (request.path == "/healthz") return Text(200, "ok\n");
  if (request.path == "/readyz") return Readiness();
  return Metrics(sources_.render_metrics());
}

Response OpsHandler::Readiness() const {
  if (!door_.Ready()) return Text(503, "not ready: starting or draining\n");
  const absl::Status store = sources_.ping_store();
  if (!store.ok()) {
    return Text(503, absl::StrCat("not ready: the store: ",
                                  std::string(store.message()), "\n"));
  }
  return Text(200, "ready\n");
}

}  // namespace ostiary::http
