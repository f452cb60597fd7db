// What gRPC itself costs: answers Verify with an empty message and does nothing
// else. On the async API with one queue and one thread, as ostiaryd is built,
// or on the callback API, as most servers are.
//
// Prints "port N" and serves until stdin ends; over TLS if it is given a
// certificate and its key.

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
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

struct Place {
  std::string address = "127.0.0.1:0";
  std::string certificate;  // PEM; empty: plaintext
  std::string key;
};

std::shared_ptr<::grpc::ServerCredentials> CredentialsOf(const Place& place) {
  if (place.certificate.empty()) return ::grpc::InsecureServerCredentials();
  ::grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({place.key, place.certificate});
  return ::grpc::SslServerCredentials(options);
}

void Listen(::grpc::ServerBuilder& builder, const Place& place, int& port) {
  builder.AddListeningPort(place.address, CredentialsOf(place), &port);
}

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int ServeAsync(const Place& place) {
  AsyncVerify verify;
  ::grpc::ServerBuilder builder;
  int port = 0;
  Listen(builder, place, port);
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

int ServeCallback(const Place& place) {
  CallbackVerify service;
  ::grpc::ServerBuilder builder;
  int port = 0;
  Listen(builder, place, port);
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
  ostiary::bench::Place place;
  if (argc > 2) place.address = argv[2];
  if (argc > 4) {
    place.certificate = ostiary::bench::ReadFile(argv[3]);
    place.key = ostiary::bench::ReadFile(argv[4]);
  }
  if (argc > 1 && std::strcmp(argv[1], "async") == 0)
    return ostiary::bench::ServeAsync(place);
  if (argc > 1 && std::strcmp(argv[1], "callback") == 0)
    return ostiary::bench::ServeCallback(place);
  std::fprintf(stderr,
               "noop_server async|callback [address [certificate key]]\n");
  return 2;
}
