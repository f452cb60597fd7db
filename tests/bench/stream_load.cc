// Keeps a number of streams busy for a while: each sends a request, reads the
// answer and sends the next one. Says what a request cost the server.
//
//   stream_load --target A --method ostiary.v1.TokenService/VerifyStream
//               --server-pid P --seconds 2 --streams 8 < request
//
// stdin: the request's bytes in hexadecimal. Prints one line of JSON.

#include <cstdio>
#include <iostream>
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
  int streams = 8;
};

struct Counts {
  absl::Time end;
  long answers = 0;
  int open = 0;
  std::string first_error;
};

// One stream; every operation of it brings this back, one at a time.
class Stream {
 public:
  Stream(::grpc::GenericStub& stub, const std::string& method,
         const ::grpc::ByteBuffer& request, ::grpc::CompletionQueue& queue,
         Counts& counts)
      : request_(request),
        counts_(counts),
        stream_(stub.PrepareCall(&call_, absl::StrCat("/", method), &queue)) {
    ++counts_.open;
    stream_->StartCall(this);
  }

  void Proceed(bool ok) {
    if (stage_ == Stage::kFinishing) {
      if (!status_.ok()) counts_.first_error = status_.error_message();
      --counts_.open;
      return;
    }
    if (!ok || (stage_ == Stage::kReading && absl::Now() >= counts_.end))
      return Finish(ok);
    switch (stage_) {
      case Stage::kReading:
        ++counts_.answers;
        [[fallthrough]];
      case Stage::kStarting:
        stage_ = Stage::kWriting;
        return stream_->Write(request_, this);
      case Stage::kWriting:
        stage_ = Stage::kReading;
        return stream_->Read(&response_, this);
      case Stage::kFinishing:
        return;
    }
  }

 private:
  enum class Stage { kStarting, kWriting, kReading, kFinishing };

  void Finish(bool cancel) {
    // The server would wait for more: a stream that we end is no error.
    if (cancel) call_.TryCancel();
    stage_ = Stage::kFinishing;
    stream_->Finish(cancel ? &ignored_ : &status_, this);
  }

  const ::grpc::ByteBuffer& request_;
  Counts& counts_;
  ::grpc::ClientContext call_;
  std::unique_ptr<::grpc::GenericClientAsyncReaderWriter> stream_;
  ::grpc::ByteBuffer response_;
  ::grpc::Status status_;
  ::grpc::Status ignored_;
  Stage stage_ = Stage::kStarting;
};

int Load(const Plan& plan, const ::grpc::ByteBuffer& request) {
  const auto channel =
      ::grpc::CreateChannel(plan.target, ::grpc::InsecureChannelCredentials());
  ::grpc::GenericStub stub(channel);
  ::grpc::CompletionQueue queue;
  channel->WaitForConnected(
      absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  Counts counts;
  const absl::Duration cpu = CpuOf(plan.server_pid);
  counts.end = absl::Now() + absl::Seconds(plan.seconds);
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < plan.streams; ++i) {
    streams.push_back(
        std::make_unique<Stream>(stub, plan.method, request, queue, counts));
  }
  void* tag = nullptr;
  bool ok = false;
  while (counts.open > 0 && queue.Next(&tag, &ok))
    static_cast<Stream*>(tag)->Proceed(ok);
  const absl::Duration used = CpuOf(plan.server_pid) - cpu;
  if (counts.answers == 0 || !counts.first_error.empty()) {
    std::fprintf(stderr, "stream_load: %s\n", counts.first_error.c_str());
    return 1;
  }
  std::printf(
      "{\"answers\": %ld, \"cpu_us\": %.3f}\n", counts.answers,
      absl::ToDoubleMicroseconds(used) / static_cast<double>(counts.answers));
  return 0;
}

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("Loads a method of a gRPC server that answers on a stream.");
  app.add_option("--target", plan.target)->required();
  app.add_option("--method", plan.method)->required();
  app.add_option("--server-pid", plan.server_pid)->required();
  app.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 600.0));
  app.add_option("--streams", plan.streams)->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  std::string line;
  std::getline(std::cin, line);
  const ::grpc::Slice slice(absl::HexStringToBytes(line));
  return Load(plan, ::grpc::ByteBuffer(&slice, 1));
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
