#ifndef OSTIARY_SERVER_HTTP_HEADER_SCANNER_H_
#define OSTIARY_SERVER_HTTP_HEADER_SCANNER_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "server/http/limits.h"

namespace ostiary::http {

// Finds the end of a request's header and holds it to the limits before
// anything parses it. Stricter than the parser behind it where leniency lets
// two servers in a row see two different requests: a bare LF or CR, a NUL and
// a folded line are refused (RFC 9112 sections 2.2, 5.2 and 11.2).
class HeaderScanner {
 public:
  explicit HeaderScanner(const Limits& limits) : limits_(limits) {}

  enum class State { kNeedMore, kComplete, kRefused };

  // `received` is all that has arrived since the header began; only the part
  // that is new since the last call is looked at.
  State Scan(absl::string_view received);

  // kComplete: the header's size with its empty line.
  std::size_t size() const { return at_; }
  // kRefused: 400, 414 or 431.
  int status() const { return status_; }

 private:
  State Refuse(int status);
  // At the LF of a line that is not the last; false: over a limit.
  bool CountLine();

  const Limits& limits_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t lines_ = 0;  // complete ones: the request line and the fields
  bool after_cr_ = false;
  int status_ = 0;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_HEADER_SCANNER_H_
