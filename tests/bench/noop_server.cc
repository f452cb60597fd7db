// What gRPC itself costs: answers Verify with an empty message and does nothing
// else. On the async API with one queue and one thread, as ostiaryd is built,
// or on the callback API, as most servers are. `signature` is the async one
// again, but each call checks an ES256 signature with OpenSSL and nothing else:
// what nobody who checks new tokens can do without. `refuse` is the async one,
// but calls without a token are refused, as a server that is busy refuses.
//
// Prints "port N" and serves until stdin ends; over TLS if it is given a
// certificate and its key.

#include <openssl/ec.h>
#include <openssl/evp.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::bench {
namespace {

using Tokens = v1::TokenService;
using AsyncVerify = Tokens::WithAsyncMethod_Verify<Tokens::Service>;

// A signature of a token's size, checked again and again with a key and a
// context made once.
class Signature {
 public:
  Signature() : key_(EVP_EC_gen("P-256")) {
    EVP_MD_CTX* const signing = EVP_MD_CTX_new();
    EVP_DigestSignInit(signing, nullptr, EVP_sha256(), nullptr, key_);
    std::size_t size = 0;
    EVP_DigestSign(signing, nullptr, &size, text_.data(), text_.size());
    signature_.resize(size);
    EVP_DigestSign(signing, signature_.data(), &size, text_.data(),
                   text_.size());
    signature_.resize(size);
    EVP_MD_CTX_free(signing);
    EVP_DigestVerifyInit(checking_, nullptr, EVP_sha256(), nullptr, key_);
  }

  void Check() {
    EVP_MD_CTX_copy_ex(copy_, checking_);
    if (EVP_DigestVerify(copy_, signature_.data(), signature_.size(),
                         text_.data(), text_.size()) != 1)
      std::abort();
  }

 private:
  EVP_PKEY* const key_;
  EVP_MD_CTX* const checking_ = EVP_MD_CTX_new();
  EVP_MD_CTX* const copy_ = EVP_MD_CTX_new();
  const std::vector<unsigned char> text_ = std::vector<unsigned char>(366, 'x');
  std::vector<unsigned char> signature_;
};

::grpc::Status Busy() {
  google::rpc::Status status;
  status.set_code(::grpc::StatusCode::RESOURCE_EXHAUSTED);
  status.set_message("The server is busy; come back later.");
  google::rpc::ErrorInfo info;
  info.set_reason("OVERLOADED");
  info.set_domain("ostiary.dev");
  status.add_details()->PackFrom(info);
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  status.add_details()->PackFrom(retry);
  return ::grpc::Status(::grpc::StatusCode::RESOURCE_EXHAUSTED,
                        status.message(), status.SerializeAsString());
}

// What the async server does with a call.
struct Deed {
  Signature* signature = nullptr;  // checked, if there is one
  bool refuses = false;            // what has no token
};

// Everything that comes back from the queue.
struct Event {
  virtual ~Event() = default;
  virtual void Proceed(bool ok) = 0;
};

class VerifyCall final : public Event {
 public:
  VerifyCall(AsyncVerify& service, ::grpc::ServerCompletionQueue& queue,
             const Deed& deed)
      : service_(service), queue_(queue), deed_(deed) {
    service_.RequestVerify(&call_, &request_, &writer_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) override {
    if (!ok || answered_) {
      delete this;
      return;
    }
    new VerifyCall(service_, queue_, deed_);
    answered_ = true;
    if (deed_.refuses && request_.token().empty()) {
      static const ::grpc::Status busy = Busy();
      return writer_.FinishWithError(busy, this);
    }
    if (deed_.signature != nullptr) deed_.signature->Check();
    writer_.Finish(response_, ::grpc::Status::OK, this);
  }

 private:
  AsyncVerify& service_;
  ::grpc::ServerCompletionQueue& queue_;
  const Deed& deed_;
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

int ServeAsync(const Place& place, const Deed& deed) {
  AsyncVerify verify;
  ::grpc::ServerBuilder builder;
  int port = 0;
  Listen(builder, place, port);
  builder.RegisterService(&verify);
  auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  for (int i = 0; i < 128; ++i) new VerifyCall(verify, *queue, deed);
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
  const std::string kind = argc > 1 ? argv[1] : "";
  if (kind == "async") return ostiary::bench::ServeAsync(place, {});
  if (kind == "refuse")
    return ostiary::bench::ServeAsync(place, {.refuses = true});
  if (kind == "signature") {
    ostiary::bench::Signature signature;
    return ostiary::bench::ServeAsync(place, {.signature = &signature});
  }
  if (kind == "callback") return ostiary::bench::ServeCallback(place);
  std::fprintf(stderr,
               "noop_server async|callback|signature|refuse [address "
               "[certificate key]]\n");
  return 2;
}
