#ifndef OSTIARY_SERVER_HTTP_LIMITS_H_
#define OSTIARY_SERVER_HTTP_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace ostiary::http {

// What one server grants to strangers. All sizes in bytes; a thing of exactly
// the limit passes.
struct Limits {
  std::size_t request_line = 8 * 1024;  // without CRLF; beyond: 414
  std::size_t header = 16 * 1024;       // with the request line; beyond: 431
  std::size_t header_fields = 64;       // beyond: 431
  std::size_t body = 64 * 1024;         // decoded; beyond: 413

  // From the first byte of a request (or the accept, with TLS the handshake)
  // to the end of its header. One deadline, so that a drip of bytes does not
  // prolong it; beyond: closed.
  absl::Duration header_time = absl::Seconds(5);
  // For the whole body, and for the peer to take an answer; beyond: closed.
  absl::Duration body_time = absl::Seconds(10);
  // Between requests; beyond: closed.
  absl::Duration idle_time = absl::Seconds(60);
  // For the handler; beyond: 504.
  absl::Duration handler_time = absl::Seconds(30);

  // Beyond: 503 without TLS, closed with it. Addresses of one IPv6 /64 count
  // as one: whoever has one of them has them all.
  int connections = 1024;
  int connections_per_address = 256;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_LIMITS_H_
