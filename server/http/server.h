#ifndef OSTIARY_SERVER_HTTP_SERVER_H_
#define OSTIARY_SERVER_HTTP_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/certificates.h"
#include "server/base/clock.h"
#include "server/http/limits.h"
#include "server/http/message.h"

namespace ostiary::http {

struct ServerOptions {
  // "127.0.0.1:8080", "[::1]:8080", "localhost:8080"; port 0: any free one.
  std::vector<std::string> listen;
  // Null: plain HTTP. Else TLS with the store's current pair, looked up at
  // every accept. Must outlive the server.
  const CertificateStore* certificates = nullptr;
  Limits limits;
};

// HTTP/1.1 and 1.0 on one thread of its own.
//
// Thread-safe.
class Server {
 public:
  // Listens and serves at once. `handler` and `clock` must outlive the server.
  // An error names the address and what the system said about it.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const ServerOptions& options, const Clock& clock, Handler& handler);

  // As Drain with no time at all.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The addresses in use, in the order asked for, with their real ports.
  const std::vector<std::string>& addresses() const;
  // The ports alone.
  const std::vector<int>& ports() const;

  // Stops accepting and closes idle connections; requests under way are
  // answered with "Connection: close". Returns once all have gone; after
  // `patience` the rest is cut off. Later calls return at once. An answer that
  // a handler gives after that is dropped.
  void Drain(absl::Duration patience);

 private:
  class Loop;
  explicit Server(std::unique_ptr<Loop> loop);

  const std::unique_ptr<Loop> loop_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_SERVER_H_
