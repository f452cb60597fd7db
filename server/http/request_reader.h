#ifndef OSTIARY_SERVER_HTTP_REQUEST_READER_H_
#define OSTIARY_SERVER_HTTP_REQUEST_READER_H_

#include "server/http/asio.h"
#include "server/http/deadline.h"
#include "server/http/limits.h"
#include "server/http/message.h"
#include "server/http/read_buffer.h"
#include "server/http/request_rules.h"
#include "server/http/stream.h"

namespace ostiary::http {

// Takes requests off one connection, one after another.
//
// Not thread-safe: used on the server's own thread.
class RequestReader {
 public:
  // All must outlive the reader.
  RequestReader(Stream& stream, Deadline& deadline, const Limits& limits);

  enum class Outcome {
    kRequest,
    // Answer with `status` and close: what follows on the connection cannot
    // be told apart from the rest of this request.
    kRefused,
    // The peer left or its time was up.
    kGone,
  };
  struct Arrival {
    Outcome outcome = Outcome::kGone;
    int status = 0;
    Framing framing;
    Request request;
  };

  // Waits for the first byte of a request. False: the peer left or its time
  // was up. The deadline is the caller's.
  Task<bool> AwaitFirstByte();
  // The request that has begun. Sets the deadlines for its header and body.
  Task<Arrival> Read();

  // Reads and drops what the peer still sends, up to a bound: closing on
  // unread bytes resets the connection, and the peer would lose our answer.
  Task<void> Discard();

 private:
  // False: nothing more will come.
  Task<bool> Fill();

  Stream& stream_;
  Deadline& deadline_;
  const Limits& limits_;
  ReadBuffer buffer_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_REQUEST_READER_H_
