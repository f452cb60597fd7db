// Keeps a number of unary calls in flight for a while, round robin over the
// requests given, and says what a call cost the server.
//
//   rpc_load --target A --method ostiary.v1.TokenService/Verify
//            --server-pid P --seconds 2 --in-flight 64 [--tls-ca FILE] <
//            requests
//
// stdin: one request a line, its bytes in hexadecimal. Prints one line of JSON.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "tests/bench/measure.h"

namespace ostiary::bench {
namespace {

struct Plan {
  std::string target;
  std::string method;
  int server_pid = 0;
  double seconds = 2;
  int in_flight = 64;
  std::string tls_ca;  // PEM; empty: plaintext
};

std::shared_ptr<::grpc::ChannelCredentials> CredentialsOf(const Plan& plan) {
  if (plan.tls_ca.empty()) return ::grpc::InsecureChannelCredentials();
  ::grpc::SslCredentialsOptions options;
  options.pem_root_certs = plan.tls_ca;
  return ::grpc::SslCredentials(options);
}

class Load {
 public:
  Load(const Plan& plan, std::vector<::grpc::ByteBuffer> requests)
      : plan_(plan), requests_(std::move(requests)) {
    ::grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    channel_ = ::grpc::CreateCustomChannel(plan.target, CredentialsOf(plan),
                                           arguments);
    stub_ = std::make_unique<::grpc::GenericStub>(channel_);
  }

  int Run() {
    channel_->WaitForConnected(
        absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
    const absl::Duration cpu = CpuOf(plan_.server_pid);
    const absl::Time began = absl::Now();
    end_ = began + absl::Seconds(plan_.seconds);
    for (int i = 0; i < plan_.in_flight; ++i) Start(new Call());
    void* tag = nullptr;
    bool ok = false;
    while (under_way_ > 0 && queue_.Next(&tag, &ok)) Finished(tag);
    const absl::Duration took = absl::Now() - began;
    const absl::Duration used = CpuOf(plan_.server_pid) - cpu;
    if (latencies_.empty()) {
      std::fprintf(stderr, "rpc_load: no call: %s\n", first_error_.c_str());
      return 1;
    }
    const auto calls = static_cast<double>(latencies_.size());
    std::printf(
        "{\"calls\": %.0f, \"errors\": %ld, \"per_second\": %.0f, "
        "\"cpu_us\": %.3f, \"p50_us\": %.0f, \"p99_us\": %.0f, "
        "\"first_error\": \"%s\"}\n",
        calls, errors_, calls / absl::ToDoubleSeconds(took),
        absl::ToDoubleMicroseconds(used) / calls, Percentile(latencies_, 0.5),
        Percentile(latencies_, 0.99), first_error_.c_str());
    return 0;
  }

 private:
  struct Call {
    std::unique_ptr<::grpc::ClientContext> context;
    std::unique_ptr<::grpc::GenericClientAsyncResponseReader> reader;
    ::grpc::ByteBuffer response;
    ::grpc::Status status;
    absl::Time began;
  };

  void Start(Call* call) {
    if (absl::Now() >= end_) {
      delete call;
      return;
    }
    call->context = std::make_unique<::grpc::ClientContext>();
    call->began = absl::Now();
    call->reader = stub_->PrepareUnaryCall(
        call->context.get(), absl::StrCat("/", plan_.method),
        requests_[next_++ % requests_.size()], &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
    ++under_way_;
  }

  void Finished(void* tag) {
    auto* call = static_cast<Call*>(tag);
    --under_way_;
    latencies_.push_back(absl::ToDoubleMicroseconds(absl::Now() - call->began));
    if (!call->status.ok()) {
      ++errors_;
      if (first_error_.empty()) first_error_ = call->status.error_message();
    }
    Start(call);
  }

  const Plan plan_;
  const std::vector<::grpc::ByteBuffer> requests_;
  std::shared_ptr<::grpc::Channel> channel_;
  std::unique_ptr<::grpc::GenericStub> stub_;
  ::grpc::CompletionQueue queue_;
  absl::Time end_;
  std::size_t next_ = 0;
  int under_way_ = 0;
  long errors_ = 0;
  std::string first_error_;
  std::vector<double> latencies_;
};

std::vector<::grpc::ByteBuffer> ReadRequests() {
  std::vector<::grpc::ByteBuffer> requests;
  for (std::string line; std::getline(std::cin, line);) {
    const ::grpc::Slice slice(absl::HexStringToBytes(line));
    requests.emplace_back(&slice, 1);
  }
  return requests;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int Main(int argc, char** argv) {
  Plan plan;
  std::string tls_ca_file;
  CLI::App app("Loads one method of a gRPC server.");
  app.add_option("--target", plan.target)->required();
  app.add_option("--method", plan.method)->required();
  app.add_option("--server-pid", plan.server_pid)->required();
  app.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 600.0));
  app.add_option("--in-flight", plan.in_flight)->check(CLI::Range(1, 1000));
  app.add_option("--tls-ca", tls_ca_file)->check(CLI::ExistingFile);
  CLI11_PARSE(app, argc, argv);
  if (!tls_ca_file.empty()) plan.tls_ca = ReadFile(tls_ca_file);
  std::vector<::grpc::ByteBuffer> requests = ReadRequests();
  if (requests.empty()) requests.emplace_back();
  return Load(plan, std::move(requests)).Run();
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
