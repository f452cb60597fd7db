#ifndef OSTIARY_SERVER_HTTP_REQUEST_RULES_H_
#define OSTIARY_SERVER_HTTP_REQUEST_RULES_H_

#include "absl/strings/string_view.h"
#include "server/http/message.h"

namespace ostiary::http {

// What a request's header says about the connection it came on.
struct Framing {
  bool http_1_1 = true;
  bool keep_alive = false;
  bool expects_continue = false;
  bool chunked = false;
};

// The rules that the parser leaves to us. `request` has its method and its
// headers; path and query are filled in from `target`. Returns 0, or the
// status of the refusal, after which the connection must be closed: two
// readers could disagree about where the next request begins.
//
// 400: no Host or two, two of any field that must have one meaning,
// Content-Length beside Transfer-Encoding, a target that is not a path (we are
// nobody's proxy). 417: an expectation that is not 100-continue. 501: a
// transfer coding other than chunked. 505: not HTTP/1.0 or 1.1.
int CheckRequest(absl::string_view target, int version, Request& request,
                 Framing& framing);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_REQUEST_RULES_H_
