#ifndef OSTIARY_SERVER_GRPC_ACCEPTOR_H_
#define OSTIARY_SERVER_GRPC_ACCEPTOR_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "server/grpc/listeners.h"
#include "server/grpc/open_connections.h"

namespace ostiary::rpc {

// Listens on TCP and hands every connection on, as long as there are places.
// gRPC's own listener takes any number, and in 1.51 the first accept that fails
// (no descriptor left, or a caller who left before it was accepted) deafens it
// for good: CVE-2023-4785.
//
// Whoever finds no place is closed at once: a client of gRPC takes that for a
// server that is away and comes back later.
//
// Owned by one thread; accepts on one of its own.
class Acceptor {
 public:
  // Takes over a descriptor, which does not block.
  using Take = std::function<void(int fd)>;

  // Listens; callers wait until Start. An error names the address and the
  // cause, as ListenTcp's do.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(
      const std::vector<std::string>& listen, const ConnectionLimits& limits);
  // As Stop.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // In the order asked for.
  std::vector<int> ports() const;

  void Start(Take take);
  // Closes the listeners; no connection is handed on afterwards.
  void Stop();

 private:
  explicit Acceptor(const ConnectionLimits& limits);

  void Run(const Take& take);
  // False: accepting failed for want of something, and must wait.
  bool AcceptFrom(int listener, const Take& take);

  std::vector<TcpListener> listeners_;
  OpenConnections open_;  // the accepting thread's
  Descriptor stop_;       // readable once that shall end
  std::thread thread_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_ACCEPTOR_H_
