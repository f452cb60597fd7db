#include "server/http/routes.h"

#include <string>

#include "server/http/response_writer.h"

namespace ostiary::http {

Response NotFoundAnswer() {
  return ErrorAnswer(404, "not_found", "PATH_UNKNOWN",
                     "There is nothing at this path.");
}

Response MethodNotAllowedAnswer(absl::string_view allowed) {
  Response response =
      ErrorAnswer(405, "unimplemented", "HTTP_METHOD_NOT_ALLOWED",
                  "This path does not take this method.");
  response.headers.push_back({"Allow", std::string(allowed)});
  return response;
}

Response OptionsAnswer(absl::string_view allowed) {
  Response response;
  response.status = 204;
  response.headers = {{"Allow", std::string(allowed)}};
  return response;
}

Response MisdirectedAnswer() {
  return ErrorAnswer(421, "invalid_argument", "HOST_NOT_SERVED",
                     "The Host header does not name this server. On loopback "
                     "it must be a loopback address, localhost, the issuer's "
                     "host or one of --http-hosts.");
}

Response ForeignOriginAnswer() {
  return ErrorAnswer(403, "permission_denied", "ORIGIN_NOT_ALLOWED",
                     "Web pages of this origin may not call this server: "
                     "--cors-origins does not list it.");
}

}  // namespace ostiary::http
