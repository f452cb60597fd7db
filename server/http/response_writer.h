#ifndef OSTIARY_SERVER_HTTP_RESPONSE_WRITER_H_
#define OSTIARY_SERVER_HTTP_RESPONSE_WRITER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/http/message.h"

namespace ostiary::http {

// The connection's part of an answer.
struct AnswerFrame {
  enum class Body { kSent, kLeftOut };  // kLeftOut: the request was a HEAD
  enum class Connection { kKeep, kKeepHttp10, kClose };

  absl::Time now;
  Body body = Body::kSent;
  Connection connection = Connection::kClose;
  // Tell browsers to come back over TLS only.
  enum class Transport { kPlain, kTls } transport = Transport::kPlain;
};

// The bytes of an answer. A header with CR, LF or NUL inside would let its
// author write headers and answers of their own (response splitting): the
// whole answer becomes a 500.
std::string WriteAnswer(const Response& response, const AnswerFrame& frame);

// {"code": ..., "message": ..., "details": [ErrorInfo]}: the shape of every
// error body. `reason` is UPPER_SNAKE_CASE and never renamed.
Response ErrorAnswer(int status, absl::string_view code,
                     absl::string_view reason, absl::string_view message);
// The same for a refusal that the wire itself makes.
Response WireError(int status);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_RESPONSE_WRITER_H_
