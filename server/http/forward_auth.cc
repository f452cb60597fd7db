#include "server/http/forward_auth.h"

#include <string>
#include <utility>

namespace ostiary::http {
namespace {

bool TellsClientUrl(absl::string_view name) {
  return name == "x-forwarded-uri" || name == "x-original-uri" ||
         name == "x-original-url";
}

Response ToResponse(door::GateAnswer answer) {
  Response response;
  response.status = answer.status;
  for (auto& [name, value] : answer.headers)
    response.headers.push_back({std::move(name), std::move(value)});
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = std::move(answer.body);
  return response;
}

}  // namespace

Response ServeForwardAuth(door::Door& door, const Request& request) {
  door::ForwardedCheck asked;
  asked.policy = request.query;
  for (const Header& header : request.headers) {
    if (header.name == "authorization")
      asked.authorization.push_back(header.value);
    if (TellsClientUrl(header.name)) asked.client_urls.push_back(header.value);
  }
  return ToResponse(door.AskGate(asked));
}

Response UndecidedForwardAuth() { return ToResponse({}); }

}  // namespace ostiary::http
