#include "server/grpc/server.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "grpc/grpc.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/server_credentials.h"
#include "server/grpc/event.h"
#include "server/grpc/limits.h"
#include "server/grpc/listeners.h"
#include "server/grpc/tls_credentials.h"
#include "server/grpc/unknown_methods.h"

namespace ostiary::rpc {
namespace {

// What the destructor grants calls in flight.
constexpr absl::Duration kDefaultPatience = absl::Seconds(5);

// Files made while this lives are their owner's alone.
class PrivateFiles {
 public:
  PrivateFiles() : before_(umask(0177)) {}
  ~PrivateFiles() { umask(before_); }

 private:
  const mode_t before_;
};

std::string UnixUri(const std::string& path) {
  return absl::StrCat("unix:", absl::StrReplaceAll(path, {{"%", "%25"}}));
}

int QueuesFor(int wanted) {
  if (wanted > 0) return wanted;
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return cores <= 4 ? 1 : cores / 4;
}

void Poll(::grpc::ServerCompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
    TakeUp(tag);
    static_cast<Event*>(tag)->Proceed(ok);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(door::Door& door,
                                                      ServerOptions options) {
  absl::StatusOr<std::unique_ptr<Services>> services = Services::Create(door);
  if (!services.ok()) return services.status();
  std::unique_ptr<Server> server(
      new Server(door, std::move(options), *std::move(services)));
  if (absl::Status s = server->Listen(); !s.ok()) return s;
  server->Serve();
  return server;
}

Server::Server(door::Door& door, ServerOptions options,
               std::unique_ptr<Services> services)
    : options_(std::move(options)),
      traffic_(options_.max_calls_in_flight),
      services_(std::move(services)),
      health_(door, services_->names(), options_.max_watches,
              options_.health_interval) {}

Server::~Server() { Drain(kDefaultPatience); }

absl::Status Server::Listen() {
  if (options_.listen.empty() && options_.operator_socket.empty())
    return absl::InvalidArgumentError("gRPC: no address to listen on");
  if (!options_.listen.empty()) {
    auto acceptor = Acceptor::Listen(options_.listen, options_.connections);
    if (!acceptor.ok()) return acceptor.status();
    acceptor_ = *std::move(acceptor);
    ports_ = acceptor_->ports();
  }
  if (!options_.operator_socket.empty()) {
    absl::Status s = CheckSocketPath(options_.operator_socket);
    if (!s.ok()) return s;
  }
  ::grpc::ServerBuilder builder;
  const std::shared_ptr<::grpc::experimental::ExternalConnectionAcceptor> tcp =
      AddListeners(builder);
  if (absl::Status s = Build(builder); !s.ok()) return s;
  if (tcp == nullptr) return absl::OkStatus();
  acceptor_->Start([tcp](int fd) {
    ::grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters
        connection;
    connection.fd = fd;
    tcp->HandleNewConnection(&connection);
  });
  return absl::OkStatus();
}

std::unique_ptr<::grpc::experimental::ExternalConnectionAcceptor>
Server::AddListeners(::grpc::ServerBuilder& builder) {
  if (options_.certificates != nullptr) {
    tls_ = TlsCredentials(*options_.certificates, options_.client_certificates);
  }
  if (!options_.operator_socket.empty()) {
    // Local credentials, so that each call knows it came this way.
    builder.AddListeningPort(UnixUri(options_.operator_socket),
                             ::grpc::experimental::LocalServerCredentials(UDS));
  }
  if (acceptor_ == nullptr) return nullptr;
  using Kind = ::grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  return builder.experimental().AddExternalConnectionAcceptor(
      Kind::FROM_FD,
      tls_ != nullptr ? tls_ : ::grpc::InsecureServerCredentials());
}

absl::Status Server::Build(::grpc::ServerBuilder& builder) {
  SetLimits(options_, services_->LargestRequest(), builder);
  SetReflection(options_.reflection, builder);
  services_->Register(builder);
  health_.Register(builder);
  builder.RegisterAsyncGenericService(&unknown_methods_);
  queues_.resize(static_cast<std::size_t>(QueuesFor(options_.queues)));
  for (Queue& queue : queues_) queue.queue = builder.AddCompletionQueue();
  {
    const PrivateFiles private_files;
    server_ = builder.BuildAndStart();
  }
  if (server_ == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "gRPC cannot listen on '", options_.operator_socket,
        "', though it looked free a moment ago: has another process taken "
        "it?"));
  }
  if (acceptor_ != nullptr && tls_ != nullptr && !AreServed(*tls_)) {
    return absl::FailedPreconditionError(
        absl::StrCat("gRPC does not take the certificates, on '",
                     absl::StrJoin(options_.listen, ", "), "'"));
  }
  if (options_.operator_socket.empty()) return absl::OkStatus();
  return CheckSocketIsPrivate(options_.operator_socket);
}

void Server::Serve() {
  for (Queue& queue : queues_) {
    queue.slots = services_->Arm(traffic_, *queue.queue);
    queue.slots.push_back(health_.Arm(traffic_, *queue.queue));
    UnknownMethodCall::Arm(unknown_methods_, traffic_, *queue.queue);
  }
  for (Queue& queue : queues_)
    queue.poller = std::thread([&queue] { Poll(*queue.queue); });
}

// The order is what keeps the process alive: an operation on a queue that has
// been shut down aborts it.
void Server::Drain(absl::Duration patience) {
  if (std::exchange(drained_, true)) return;
  if (acceptor_ != nullptr) acceptor_->Stop();
  if (server_ != nullptr) {
    health_.Drain();
    services_->DrainStreams();
    traffic_.Close();
    ShutDownListeners(absl::Now() + patience);
    if (options_.wait_for_lanes) options_.wait_for_lanes();
    traffic_.WaitUntilQuiet(absl::InfiniteFuture());
  }
  for (Queue& queue : queues_) queue.queue->Shutdown();
  for (Queue& queue : queues_) {
    if (queue.poller.joinable()) queue.poller.join();
    Poll(*queue.queue);  // a queue must be empty when it is destroyed
  }
}

// Shutdown waits its whole deadline for clients that sit idle on a connection
// and do not read. Once nothing of ours is armed or running, there is nothing
// left to wait for.
void Server::ShutDownListeners(absl::Time deadline) {
  std::thread ends_early([&] {
    if (traffic_.WaitUntilQuiet(deadline))
      grpc_server_cancel_all_calls(server_->c_server());
  });
  server_->Shutdown(absl::ToChronoTime(deadline));
  ends_early.join();
}

}  // namespace ostiary::rpc
