#ifndef OSTIARY_SERVER_HTTP_ROUTES_H_
#define OSTIARY_SERVER_HTTP_ROUTES_H_

#include "absl/strings/string_view.h"
#include "server/http/message.h"

// The answers of a router that has found nobody to serve a request.
namespace ostiary::http {

// 404.
Response NotFoundAnswer();
// 405. `allowed` is the value of the Allow header.
Response MethodNotAllowedAnswer(absl::string_view allowed);
// 204 to OPTIONS.
Response OptionsAnswer(absl::string_view allowed);
// 421: Host names a server that is not this one.
Response MisdirectedAnswer();
// 403: a web page of another origin asks.
Response ForeignOriginAnswer();

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_ROUTES_H_
