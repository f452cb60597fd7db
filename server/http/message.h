#ifndef OSTIARY_SERVER_HTTP_MESSAGE_H_
#define OSTIARY_SERVER_HTTP_MESSAGE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/secret.h"

namespace ostiary::http {

struct Header {
  std::string name;
  std::string value;
};

// A request that has passed every check of the wire: one Host at most, one
// meaning of its length, within all limits.
struct Request {
  std::string method;  // "POST"
  std::string path;    // begins with "/", as sent, without the query
  std::string query;   // after "?", as sent
  // Names in lower case, in the order received. The fields that must have one
  // meaning (host, authorization, origin, content-type...) occur once at most.
  std::vector<Header> headers;
  SecretBytes body;  // passwords come in here
  // Without port; an IPv4 address never in its IPv6 form.
  std::string peer_address;
  // The connection arrived at a loopback address.
  bool arrived_at_loopback = false;
  // After this long the server answers 504 by itself.
  absl::Duration time_to_answer = absl::InfiniteDuration();
  // True once nobody waits for the answer. May be empty. Thread-safe.
  std::function<bool()> cancelled;

  // The value of the first field of that lower-case name; empty: none.
  absl::string_view Get(absl::string_view name) const {
    for (const Header& header : headers) {
      if (absl::string_view(header.name) == name) return header.value;
    }
    return {};
  }
};

// What a handler answers. Length, date and connection are the server's to add.
struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
};

// Answers the requests of one server.
//
// Thread-safe.
class Handler {
 public:
  // Called exactly once, on any thread, before or after Handle returns.
  using Done = absl::AnyInvocable<void(Response)>;

  virtual ~Handler() = default;
  // Runs on the server's own thread: it must not wait.
  virtual void Handle(Request request, Done done) = 0;
  // How long whoever sent the request says that it will wait.
  virtual absl::Duration PatienceOf(const Request&) const {
    return absl::InfiniteDuration();
  }
  // The answer to a request for `path` (empty: unknown) that the wire itself
  // refuses with `status` and does not hand on.
  virtual Response Refusal(absl::string_view path, int status) const;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_MESSAGE_H_
