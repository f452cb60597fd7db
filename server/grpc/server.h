#ifndef OSTIARY_SERVER_GRPC_SERVER_H_
#define OSTIARY_SERVER_GRPC_SERVER_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "server/door/door.h"
#include "server/grpc/acceptor.h"
#include "server/grpc/health.h"
#include "server/grpc/options.h"
#include "server/grpc/services.h"
#include "server/grpc/traffic.h"

namespace ostiary::rpc {

// The gRPC listeners of the house, served through its door.
//
// Owned and drained by one thread.
class Server {
 public:
  // Listens and serves. Changes the process's umask for a moment while it binds
  // the operator's socket: start it before other threads make files.
  //
  // An error names the address, path or method, and what is wrong with it.
  // `door` must outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(door::Door& door,
                                                       ServerOptions options);
  // Drains if that has not been done.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Of the TCP listeners, in the order asked for.
  const std::vector<int>& ports() const { return ports_; }

  // Ends watches and takes no new calls, lets those in flight end, cancels them
  // after `patience`, waits for the lanes. Returns when no thread of the server
  // is left: as soon as nothing is in flight, even if idle clients hold their
  // connections open. A second call does nothing.
  void Drain(absl::Duration patience);

 private:
  struct Queue {
    std::unique_ptr<::grpc::ServerCompletionQueue> queue;
    std::vector<std::unique_ptr<CallSlots>> slots;
    std::thread poller;
  };

  Server(door::Door& door, ServerOptions options,
         std::unique_ptr<Services> services);

  absl::Status Listen();
  // What takes the connections of TCP; null: none is listened on.
  std::unique_ptr<::grpc::experimental::ExternalConnectionAcceptor>
  AddListeners(::grpc::ServerBuilder& builder);
  absl::Status Build(::grpc::ServerBuilder& builder);
  void Serve();
  void ShutDownListeners(absl::Time deadline);

  const ServerOptions options_;
  Traffic traffic_;
  const std::unique_ptr<Services> services_;
  Health health_;
  ::grpc::AsyncGenericService unknown_methods_;
  std::shared_ptr<::grpc::ServerCredentials> tls_;  // gRPC does not keep it
  std::unique_ptr<Acceptor> acceptor_;              // null: no TCP
  std::vector<int> ports_;
  bool drained_ = false;
  std::vector<Queue> queues_;
  std::unique_ptr<::grpc::Server> server_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_SERVER_H_
