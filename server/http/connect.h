#ifndef OSTIARY_SERVER_HTTP_CONNECT_H_
#define OSTIARY_SERVER_HTTP_CONNECT_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/door/door.h"
#include "server/http/message.h"

namespace ostiary::http {

// Serves one method as the Connect protocol's unary call over POST: a JSON or
// binary message in, one out; an error is {"code", "message", "details"} with
// the HTTP status that goes with the code. So `curl --json` is a client.
//
// The rules of the wire come first, then the door's: 415 unless the content
// type is exactly application/json or application/proto (parameters allowed),
// because a browser sends those across origins only after asking; 415 for a
// compressed body; 413 beyond the method's own bound. `door` and `clock` must
// outlive the call.
void ServeConnect(door::Door& door, const door::MethodRow& row,
                  const Clock& clock, Request request, Handler::Done done);

// What Connect-Timeout-Ms says; without one that can be read, for ever.
absl::Duration TimeoutOf(const Request& request);

// A refusal as it leaves. 401 names the scheme (RFC 6750 section 3), and the
// error only if a token was there and is not good; a refusal that ends by
// itself says when.
Response ConnectError(const absl::Status& status);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_CONNECT_H_
