// Keeps a number of Refresh calls in flight for a while and says what one cost
// the server. Each refresh token is good for one call, so every session is a
// chain: its next call is made from its last answer.
//
//   refresh_load --target A --server-pid P --seconds 2 --in-flight 64
//                --tokens FILE < password
//
// FILE holds a refresh token a line; where it is missing, --sessions of them
// are opened first for --identifier. It is written anew at the end, for the
// next round. Prints one line of JSON.

#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "ostiary/v1/auth_service.grpc.pb.h"
#include "tests/bench/measure.h"

namespace ostiary::bench {
namespace {

struct Plan {
  std::string target;
  std::string tokens_file;
  std::string identifier = "bench";
  int server_pid = 0;
  int sessions = 256;
  int in_flight = 64;
  double seconds = 2;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "refresh_load: %s\n", what.c_str());
  std::exit(1);
}

std::deque<std::string> ReadTokens(const std::string& path) {
  std::deque<std::string> tokens;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) tokens.push_back(line);
  return tokens;
}

class Load {
 public:
  explicit Load(const Plan& plan) : plan_(plan) {
    ::grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    stub_ = v1::AuthService::NewStub(::grpc::CreateCustomChannel(
        plan.target, ::grpc::InsecureChannelCredentials(), arguments));
    tokens_ = ReadTokens(plan.tokens_file);
    if (tokens_.empty()) OpenSessions();
  }

  int Run() {
    const absl::Duration cpu = CpuOf(plan_.server_pid);
    const absl::Time began = absl::Now();
    end_ = began + absl::Seconds(plan_.seconds);
    for (int i = 0; i < plan_.in_flight; ++i) Start(new Call());
    void* tag = nullptr;
    bool ok = false;
    while (under_way_ > 0 && queue_.Next(&tag, &ok))
      Finished(static_cast<Call*>(tag));
    const absl::Duration took = absl::Now() - began;
    const absl::Duration used = CpuOf(plan_.server_pid) - cpu;
    if (latencies_.empty()) Fail("no call: " + first_error_);
    WriteTokens();
    Print(took, used);
    return 0;
  }

 private:
  struct Call {
    std::unique_ptr<::grpc::ClientContext> context;
    std::unique_ptr<::grpc::ClientAsyncResponseReader<v1::RefreshResponse>>
        reader;
    v1::RefreshRequest request;
    v1::RefreshResponse response;
    ::grpc::Status status;
    absl::Time began;
  };

  void OpenSessions() {
    std::string password;
    std::getline(std::cin, password);
    v1::SignInWithPasswordRequest request;
    request.set_identifier(plan_.identifier);
    request.set_password(password);
    for (int i = 0; i < plan_.sessions; ++i) {
      ::grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
      v1::SignInWithPasswordResponse response;
      const ::grpc::Status status =
          stub_->SignInWithPassword(&context, request, &response);
      if (!status.ok()) Fail("sign-in: " + status.error_message());
      tokens_.push_back(response.tokens().refresh_token());
    }
  }

  void Start(Call* call) {
    if (absl::Now() >= end_ || tokens_.empty()) {
      delete call;
      return;
    }
    // The token that has waited longest: sessions take turns.
    call->request.set_refresh_token(tokens_.front());
    tokens_.pop_front();
    call->response.Clear();
    call->context = std::make_unique<::grpc::ClientContext>();
    call->began = absl::Now();
    call->reader =
        stub_->PrepareAsyncRefresh(call->context.get(), call->request, &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
    ++under_way_;
  }

  void Finished(Call* call) {
    --under_way_;
    latencies_.push_back(absl::ToDoubleMicroseconds(absl::Now() - call->began));
    if (call->status.ok()) {
      tokens_.push_back(call->response.tokens().refresh_token());
    } else {
      ++errors_;
      if (first_error_.empty()) first_error_ = call->status.error_message();
    }
    Start(call);
  }

  void WriteTokens() const {
    std::ofstream file(plan_.tokens_file, std::ios::trunc);
    for (const std::string& token : tokens_) file << token << '\n';
  }

  void Print(absl::Duration took, absl::Duration used) {
    const auto calls = static_cast<double>(latencies_.size());
    std::printf(
        "{\"calls\": %.0f, \"errors\": %ld, \"per_second\": %.0f, "
        "\"cpu_us\": %.3f, \"p50_us\": %.0f, \"p99_us\": %.0f, "
        "\"first_error\": \"%s\"}\n",
        calls, errors_, calls / absl::ToDoubleSeconds(took),
        absl::ToDoubleMicroseconds(used) / calls, Percentile(latencies_, 0.5),
        Percentile(latencies_, 0.99), first_error_.c_str());
  }

  const Plan plan_;
  std::unique_ptr<v1::AuthService::Stub> stub_;
  ::grpc::CompletionQueue queue_;
  std::deque<std::string> tokens_;
  absl::Time end_;
  int under_way_ = 0;
  long errors_ = 0;
  std::string first_error_;
  std::vector<double> latencies_;
};

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("Loads Refresh with chains of refresh tokens.");
  app.add_option("--target", plan.target)->required();
  app.add_option("--server-pid", plan.server_pid)->required();
  app.add_option("--tokens", plan.tokens_file)->required();
  app.add_option("--identifier", plan.identifier);
  app.add_option("--sessions", plan.sessions)->check(CLI::Range(1, 10000));
  app.add_option("--in-flight", plan.in_flight)->check(CLI::Range(1, 1000));
  app.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 600.0));
  CLI11_PARSE(app, argc, argv);
  return Load(plan).Run();
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
