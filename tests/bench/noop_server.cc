// What gRPC itself costs: answers Verify with an empty message and does nothing
// else. On the async API with one queue and one thread, as ostiaryd is built,
// or on the callback API, as most servers are.
//
// Prints "port N" and serves until stdin ends.

#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "grpcpp/grpcpp.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::bench {
namespace {

using Tokens = v1::TokenService;
using AsyncVerify = Tokens::WithAsyncMethod_Verify<Tokens::Service>;

// Everything that comes back from the queue.
struct Event {
  virtual ~Event() = default;
  virtual void Proceed(bool ok) = 0;
};

class VerifyCall final : public Event {
 public:
  VerifyCall(AsyncVerify& service, ::grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue) {
    service_.RequestVerify(&call_, &request_, &writer_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) override {
    if (!ok || answered_) {
      delete this;
      return;
    }
    new VerifyCall(service_, queue_);
    answered_ = true;
    writer_.Finish(response_, ::grpc::Status::OK, this);
  }

 private:
  AsyncVerify& service_;
  ::grpc::ServerCompletionQueue& queue_;
  ::grpc::ServerContext call_;
  v1::VerifyRequest request_;
  v1::VerifyResponse response_;
  ::grpc::ServerAsyncResponseWriter<v1::VerifyResponse> writer_{&call_};
  bool answered_ = false;
};

class CallbackVerify final : public Tokens::CallbackService {
  ::grpc::ServerUnaryReactor* Verify(::grpc::CallbackServerContext* call,
                                     const v1::VerifyRequest*,
                                     v1::VerifyResponse*) override {
    ::grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
    reactor->Finish(::grpc::Status::OK);
    return reactor;
  }
};

void Listen(::grpc::ServerBuilder& builder, const std::string& address,
            int& port) {
  builder.AddListeningPort(address, ::grpc::InsecureServerCredentials(), &port);
}

int ServeAsync(const std::string& address) {
  AsyncVerify verify;
  ::grpc::ServerBuilder builder;
  int port = 0;
  Listen(builder, address, port);
  builder.RegisterService(&verify);
  auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  for (int i = 0; i < 128; ++i) new VerifyCall(verify, *queue);
  std::thread poller([&] {
    void* tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) static_cast<Event*>(tag)->Proceed(ok);
  });
  poller.detach();
  std::printf("port %d\n", port);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  std::_Exit(0);
}

int ServeCallback(const std::string& address) {
  CallbackVerify service;
  ::grpc::ServerBuilder builder;
  int port = 0;
  Listen(builder, address, port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("port %d\n", port);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  std::_Exit(0);
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) {
  const std::string address = argc > 2 ? argv[2] : "127.0.0.1:0";
  if (argc > 1 && std::strcmp(argv[1], "async") == 0)
    return ostiary::bench::ServeAsync(address);
  if (argc > 1 && std::strcmp(argv[1], "callback") == 0)
    return ostiary::bench::ServeCallback(address);
  std::fprintf(stderr, "noop_server async|callback [address]\n");
  return 2;
}
