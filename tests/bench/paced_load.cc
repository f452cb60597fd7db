// Starts unary calls on a schedule, whether or not those before have been
// answered, and counts what becomes of them.
//
//   paced_load --target A --method ostiary.v1.TokenService/Verify --rate 200
//              --seconds 10 [--connections 16] [--nice 10] < requests
//
// stdin: one request a line, its bytes in hexadecimal. A time goes from the
// start of a call to its answer; how late the schedule itself was is told
// apart. Prints one line of JSON.

#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
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
  double rate = 200;  // calls a second
  double seconds = 5;
  int connections = 1;
  int most_in_flight = 4000;
  int niceness = 0;
  double deadline_seconds = 20;
};

// What became of calls of one kind.
struct Tally {
  std::vector<double> latencies_us;

  std::string Json(const char* name) {
    const auto count = latencies_us.size();
    if (count == 0) latencies_us.push_back(0);
    return absl::StrCat("\"", name, "\": {\"count\": ", count,
                        ", \"p50_us\": ", Percentile(latencies_us, 0.5),
                        ", \"p99_us\": ", Percentile(latencies_us, 0.99), "}");
  }
};

class Load {
 public:
  Load(const Plan& plan, std::vector<::grpc::ByteBuffer> requests)
      : plan_(plan), requests_(std::move(requests)) {
    for (int i = 0; i < plan.connections; ++i) {
      ::grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      channels_.push_back(::grpc::CreateCustomChannel(
          plan.target, ::grpc::InsecureChannelCredentials(), arguments));
      stubs_.push_back(std::make_unique<::grpc::GenericStub>(channels_.back()));
    }
  }

  int Run() {
    for (const auto& channel : channels_) {
      channel->WaitForConnected(
          absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
    }
    std::thread receiving([this] { Receive(); });
    const absl::Duration cpu = CpuOf(getpid());
    const absl::Time began = absl::Now();
    Send(began);
    sent_ = true;
    const absl::Duration took = absl::Now() - began;
    const absl::Duration used = CpuOf(getpid()) - cpu;
    queue_.Shutdown();  // what is under way still comes
    receiving.join();
    Print(took, used);
    return 0;
  }

 private:
  struct Call {
    ::grpc::ClientContext context;
    std::unique_ptr<::grpc::GenericClientAsyncResponseReader> reader;
    ::grpc::ByteBuffer response;
    ::grpc::Status status;
    absl::Time began;
  };

  void Send(absl::Time began) {
    const absl::Duration apart = absl::Seconds(1 / plan_.rate);
    const auto calls = static_cast<int>(plan_.rate * plan_.seconds);
    for (int i = 0; i < calls; ++i) {
      const absl::Time due = began + i * apart;
      SleepUntil(due);
      if (under_way_.load() >= plan_.most_in_flight) {
        ++not_sent_;
        continue;
      }
      late_us_.push_back(absl::ToDoubleMicroseconds(absl::Now() - due));
      Start(static_cast<std::size_t>(i));
    }
  }

  static void SleepUntil(absl::Time due) {
    const timespec time = absl::ToTimespec(due);
    if (due > absl::Now())
      clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, nullptr);
  }

  void Start(std::size_t number) {
    ++under_way_;
    auto* call = new Call();
    call->context.set_deadline(absl::ToChronoTime(
        absl::Now() + absl::Seconds(plan_.deadline_seconds)));
    call->began = absl::Now();
    call->reader = stubs_[number % stubs_.size()]->PrepareUnaryCall(
        &call->context, absl::StrCat("/", plan_.method),
        requests_[number % requests_.size()], &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
  }

  void Receive() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      --under_way_;
      Count(*call);
    }
  }

  void Count(const Call& call) {
    const double took = absl::ToDoubleMicroseconds(absl::Now() - call.began);
    if (call.status.ok()) {
      if (!sent_) ++answered_meanwhile_;
      return answered_.latencies_us.push_back(took);
    }
    const bool says_when = call.status.error_details().find(
                               "google.rpc.RetryInfo") != std::string::npos;
    if (call.status.error_code() == ::grpc::StatusCode::RESOURCE_EXHAUSTED &&
        says_when)
      return refused_.latencies_us.push_back(took);
    ++errors_;
    if (first_error_.empty()) first_error_ = call.status.error_message();
  }

  void Print(absl::Duration took, absl::Duration used) {
    if (late_us_.empty()) late_us_.push_back(0);
    const double seconds = absl::ToDoubleSeconds(took);
    const std::string answered = answered_.Json("answered");
    const std::string refused = refused_.Json("refused");
    std::printf(
        "{\"seconds\": %.3f, %s, %s, \"answered_meanwhile\": %ld, \"errors\": "
        "%ld, \"not_sent\": %ld, "
        "\"late_p99_us\": %.0f, \"own_cores\": %.3f, \"first_error\": "
        "\"%s\"}\n",
        seconds, answered.c_str(), refused.c_str(), answered_meanwhile_,
        errors_, not_sent_, Percentile(late_us_, 0.99),
        absl::ToDoubleSeconds(used) / seconds, first_error_.c_str());
  }

  const Plan plan_;
  const std::vector<::grpc::ByteBuffer> requests_;
  std::vector<std::shared_ptr<::grpc::Channel>> channels_;
  std::vector<std::unique_ptr<::grpc::GenericStub>> stubs_;
  ::grpc::CompletionQueue queue_;
  std::atomic<int> under_way_{0};
  std::atomic<bool> sent_{false};  // the schedule is over
  // The sender's.
  long not_sent_ = 0;
  std::vector<double> late_us_;
  // The receiver's, until it has ended.
  Tally answered_;
  long answered_meanwhile_ = 0;
  Tally refused_;
  long errors_ = 0;
  std::string first_error_;
};

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("Calls one method of a gRPC server on a schedule.");
  app.add_option("--target", plan.target)->required();
  app.add_option("--method", plan.method)->required();
  app.add_option("--rate", plan.rate)->check(CLI::Range(1.0, 100000.0));
  app.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 600.0));
  app.add_option("--connections", plan.connections)->check(CLI::Range(1, 100));
  app.add_option("--most-in-flight", plan.most_in_flight);
  app.add_option("--nice", plan.niceness)->check(CLI::Range(0, 19));
  app.add_option("--deadline", plan.deadline_seconds);
  CLI11_PARSE(app, argc, argv);
  setpriority(PRIO_PROCESS, 0, plan.niceness);
  prctl(PR_SET_TIMERSLACK, 1000);  // ns
  std::vector<::grpc::ByteBuffer> requests;
  for (std::string line; std::getline(std::cin, line);) {
    const ::grpc::Slice slice(absl::HexStringToBytes(line));
    requests.emplace_back(&slice, 1);
  }
  if (requests.empty()) requests.emplace_back();
  return Load(plan, std::move(requests)).Run();
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
