// Holds a number of Watch streams, revokes through the server's own RPC, and
// says what telling them costs the server and how soon each one has it.
//
//   watch_load --port N --revoke-target A --streams 100 --rounds 50 --burst 1
//              --server-pid P
//
// One round: `burst` revocations at once, until every stream has been sent all
// of them. The time of a delivery goes from the answer of the (last) Revoke to
// the bytes on the stream's socket. Prints one line of JSON.

#include <sys/epoll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"
#include "tests/bench/bare_stream.h"
#include "tests/bench/measure.h"

namespace ostiary::bench {
namespace {

constexpr char kWatch[] = "/ostiary.v1.RevocationService/Watch";

struct Plan {
  int port = 0;
  std::string revoke_target;
  int streams = 100;
  int rounds = 50;
  int burst = 1;
  int settle_ms = 1200;  // more than a heartbeat apart
  int server_pid = 0;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "watch_load: %s\n", what.c_str());
  std::exit(1);
}

// Revokes clients that nobody has: a row of the ledger each.
class Revoker {
 public:
  explicit Revoker(const std::string& target)
      : stub_(v1::TokenService::NewStub(::grpc::CreateChannel(
            target, absl::StartsWith(target, "unix:")
                        ? ::grpc::experimental::LocalCredentials(UDS)
                        : ::grpc::InsecureChannelCredentials()))) {}

  // All at once; returns when the last has been answered.
  void Revoke(int count) {
    std::vector<Call> calls(static_cast<std::size_t>(count));
    for (Call& call : calls) {
      v1::RevokeRequest request;
      request.set_client_id(absl::StrCat("cli_bench", next_++));
      call.reader = stub_->AsyncRevoke(&call.context, request, &queue_);
      call.reader->Finish(&call.response, &call.status, &call);
    }
    for (int i = 0; i < count; ++i) {
      void* tag = nullptr;
      bool ok = false;
      queue_.Next(&tag, &ok);
      const ::grpc::Status& status = static_cast<Call*>(tag)->status;
      if (!status.ok()) Fail(absl::StrCat("Revoke: ", status.error_message()));
    }
  }

 private:
  struct Call {
    ::grpc::ClientContext context;
    v1::RevokeResponse response;
    ::grpc::Status status;
    std::unique_ptr<::grpc::ClientAsyncResponseReader<v1::RevokeResponse>>
        reader;
  };

  std::unique_ptr<v1::TokenService::Stub> stub_;
  ::grpc::CompletionQueue queue_;
  int next_ = 0;
};

// The streams, and what they have been sent.
class Watchers {
 public:
  explicit Watchers(const Plan& plan)
      : settle_(absl::Milliseconds(plan.settle_ms)), epoll_(epoll_create1(0)) {
    v1::WatchRequest request;
    request.set_compact(true);
    states_.resize(static_cast<std::size_t>(plan.streams));
    for (std::size_t i = 0; i < states_.size(); ++i) {
      states_[i].stream = std::make_unique<BareStream>(
          plan.port, kWatch, request.SerializeAsString());
      epoll_event event = {};
      event.events = EPOLLIN;
      event.data.u64 = i;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, states_[i].stream->fd(), &event);
      while (!states_[i].ready) Poll(absl::Seconds(20));
    }
    CatchUp();
  }

  struct Arrival {
    absl::Time time;
    int rows;
  };

  // Returns once each has been sent `rows` more, or fails after 20 s. The
  // arrivals of their deltas since the last call.
  std::vector<Arrival> Await(int rows) {
    waiting_ = states_.size();
    wanted_ = rows;
    arrivals_.clear();
    for (State& state : states_) {
      if (state.rows >= rows) --waiting_;
    }
    while (waiting_ > 0) Poll(absl::Seconds(20));
    for (State& state : states_) state.rows -= rows;
    wanted_ = -1;
    return std::exchange(arrivals_, {});
  }

  long messages() const { return messages_; }
  const std::string& last_delta() const { return last_delta_; }

 private:
  struct State {
    std::unique_ptr<BareStream> stream;
    bool ready = false;
    int rows = 0;
  };

  // A snapshot may be older than the head; what has been revoked since comes
  // next, and is none of the rounds'.
  void CatchUp() {
    if (states_.empty()) return;
    const absl::Time end = absl::Now() + settle_;
    while (absl::Now() < end) Take(absl::Milliseconds(10));
    for (State& state : states_) state.rows = 0;
  }

  void Poll(absl::Duration most) {
    if (Take(most) == 0) Fail("nothing came for long");
  }

  int Take(absl::Duration most) {
    epoll_event ready[256];
    const int count = epoll_wait(
        epoll_, ready, 256, static_cast<int>(absl::ToInt64Milliseconds(most)));
    for (int i = 0; i < count; ++i) {
      State& state = states_[ready[i].data.u64];
      const absl::Time now = absl::Now();
      state.stream->Receive([&](absl::string_view message) {
        Take(state, now, std::string(message));
      });
    }
    return count;
  }

  void Take(State& state, absl::Time now, const std::string& message) {
    ++messages_;
    v1::WatchResponse response;
    if (!response.ParseFromString(message)) Fail("no message of Watch");
    if (response.snapshot().last()) state.ready = true;
    if (!response.has_delta()) return;
    state.ready = true;
    const int before = state.rows;
    state.rows += response.delta().entries_size();
    arrivals_.push_back({now, response.delta().entries_size()});
    if (before < wanted_ && state.rows >= wanted_) --waiting_;
    last_delta_ = message;
  }

  const absl::Duration settle_;
  const int epoll_;
  std::vector<State> states_;
  std::vector<Arrival> arrivals_;
  std::size_t waiting_ = 0;
  int wanted_ = -1;
  long messages_ = 0;
  std::string last_delta_;
};

struct Samples {
  std::vector<double> ms;
  long deltas = 0;
};

void RunRound(const Plan& plan, Revoker& revoker, Watchers& watchers,
              Samples& samples) {
  absl::Time answered;
  std::thread revoking([&] {
    revoker.Revoke(plan.burst);
    answered = absl::Now();
  });
  const auto arrivals = watchers.Await(plan.burst);
  revoking.join();
  samples.deltas += static_cast<long>(arrivals.size());
  for (const Watchers::Arrival& arrival : arrivals)
    samples.ms.push_back(absl::ToDoubleMilliseconds(arrival.time - answered));
  // Other windows, and other moments of the heartbeat.
  absl::SleepFor(absl::Milliseconds(7));
}

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("Measures the feed's fan-out.");
  app.add_option("--port", plan.port)->required();
  app.add_option("--revoke-target", plan.revoke_target)->required();
  app.add_option("--streams", plan.streams)->check(CLI::Range(0, 5000));
  app.add_option("--rounds", plan.rounds)->check(CLI::Range(1, 100000));
  app.add_option("--burst", plan.burst)->check(CLI::Range(1, 1000));
  app.add_option("--settle-ms", plan.settle_ms)->check(CLI::Range(0, 10000));
  app.add_option("--server-pid", plan.server_pid)->required();
  CLI11_PARSE(app, argc, argv);

  Revoker revoker(plan.revoke_target);
  revoker.Revoke(1);
  const std::size_t idle = ResidentBytes(plan.server_pid);
  Watchers watchers(plan);
  Samples samples;
  for (int i = 0; i < 3; ++i) RunRound(plan, revoker, watchers, samples);
  const std::size_t watched = ResidentBytes(plan.server_pid);
  samples = {};
  const long messages = watchers.messages();
  const absl::Duration cpu = CpuOf(plan.server_pid);
  const absl::Time began = absl::Now();
  for (int i = 0; i < plan.rounds; ++i)
    RunRound(plan, revoker, watchers, samples);
  const absl::Duration used = CpuOf(plan.server_pid) - cpu;
  const absl::Duration took = absl::Now() - began;
  if (samples.ms.empty()) samples.ms.push_back(0);
  const auto rounds = static_cast<double>(plan.rounds);
  std::printf(
      "{\"streams\": %d, \"rounds\": %d, \"burst\": %d, \"deltas\": %ld, "
      "\"messages\": %ld, \"cpu_us_a_round\": %.1f, \"ms_a_round\": %.2f, "
      "\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"kib_a_stream\": %.1f, "
      "\"last_delta\": \"%s\"}\n",
      plan.streams, plan.rounds, plan.burst, samples.deltas,
      watchers.messages() - messages, absl::ToDoubleMicroseconds(used) / rounds,
      absl::ToDoubleMilliseconds(took) / rounds, Percentile(samples.ms, 0.5),
      Percentile(samples.ms, 0.99),
      plan.streams == 0
          ? 0.0
          : (static_cast<double>(watched) - static_cast<double>(idle)) / 1024 /
                plan.streams,
      absl::BytesToHexString(watchers.last_delta()).c_str());
  return 0;
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
