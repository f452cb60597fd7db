// What gRPC itself costs: answers Verify with an empty message and does nothing
// else. On the async API with one queue and one thread, as ostiaryd is built,
// or on the callback API, as most servers are. `signature` is the async one
// again, but each call checks an ES256 signature with OpenSSL and nothing else:
// what nobody who checks new tokens can do without.
//
// Prints "port N" and serves until stdin ends; over TLS if it is given a
// certificate and its key.

#include <openssl/ec.h>
#include <openssl/evp.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

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

// Everything that comes back from the queue.
struct Event {
  virtual ~Event() = default;
  virtual void Proceed(bool ok) = 0;
};

class VerifyCall final : public Event {
 public:
  VerifyCall(AsyncVerify& service, ::grpc::ServerCompletionQueue& queue,
             Signature* signature)
      : service_(service), queue_(queue), signature_(signature) {
    service_.RequestVerify(&call_, &request_, &writer_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) override {
    if (!ok || answered_) {
      delete this;
      return;
    }
    new VerifyCall(service_, queue_, signature_);
    answered_ = true;
    if (signature_ != nullptr) signature_->Check();
    writer_.Finish(response_, ::grpc::Status::OK, this);
  }

 private:
  AsyncVerify& service_;
  ::grpc::ServerCompletionQueue& queue_;
  Signature* const signature_;  // null: do nothing
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

int ServeAsync(const Place& place, Signature* signature) {
  AsyncVerify verify;
  ::grpc::ServerBuilder builder;
  int port = 0;
  Listen(builder, place, port);
  builder.RegisterService(&verify);
  auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  for (int i = 0; i < 128; ++i) new VerifyCall(verify, *queue, signature);
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
    return ostiary::bench::ServeAsync(place, nullptr);
  if (argc > 1 && std::strcmp(argv[1], "signature") == 0) {
    ostiary::bench::Signature signature;
    return ostiary::bench::ServeAsync(place, &signature);
  }
  if (argc > 1 && std::strcmp(argv[1], "callback") == 0)
    return ostiary::bench::ServeCallback(place);
  std::fprintf(
      stderr,
      "noop_server async|callback|signature [address [certificate key]]\n");
  return 2;
}
