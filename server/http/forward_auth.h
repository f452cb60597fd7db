#ifndef OSTIARY_SERVER_HTTP_FORWARD_AUTH_H_
#define OSTIARY_SERVER_HTTP_FORWARD_AUTH_H_

#include "absl/strings/string_view.h"
#include "server/door/door.h"
#include "server/http/message.h"

// What nginx (auth_request), Traefik (forwardAuth) and Caddy (forward_auth) ask
// before they let a request pass. The gateway hands on the client's headers,
// method and Host; none of them gives anything here but `authorization`. So no
// rule about Host, Origin, method or content type applies: a page that reached
// this by DNS rebinding would learn about a token it must hold already.
namespace ostiary::http {

inline constexpr absl::string_view kForwardAuthPath = "/forward-auth";

// 200 (with the identity headers), 401, 403 or 503. A gateway takes any other
// status for a fault of its own, and some let it through to the client.
Response ServeForwardAuth(door::Door& door, const Request& request);
// The 503 to a request that could not be read.
Response UndecidedForwardAuth();

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_FORWARD_AUTH_H_
