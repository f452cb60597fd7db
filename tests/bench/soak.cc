// The mixed work of a small installation, at a steady rate for a long time:
// what grows, and what becomes slower?
//
//   soak --target A --server-pid P --accounts N --seconds S --windows W
//
// Sign-ins of the accounts "user0".."user<N-1>", refreshes of their sessions,
// verifications of the tokens that come of it, revocations, and verifiers that
// watch. Calls are made when they are due, whether the ones before have been
// answered or not. For each of W equal windows of time: the percentiles of each
// method and the server's memory at its end. Prints one line of JSON.

#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "ostiary/v1/auth_service.grpc.pb.h"
#include "ostiary/v1/revocation_service.grpc.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"
#include "tests/bench/measure.h"

namespace ostiary::bench {
namespace {

constexpr char kPassword[] = "of many a round";
constexpr std::size_t kMostSessions = 2000;
constexpr std::size_t kMostTokens = 2000;

struct Plan {
  std::string target;
  int server_pid = 0;
  int accounts = 1000;
  double seconds = 900;
  int windows = 15;
  double sign_ins = 4;  // a second, as all of these
  double refreshes = 40;
  double verifies = 400;
  double revokes = 2;
  int watchers = 10;
};

// Anything that comes back from the queue.
struct Event {
  virtual ~Event() = default;
  virtual void Proceed(bool ok) = 0;
};

// One kind of call: when the next is due, and how the ones of this window did.
struct Kind {
  const char* name;
  double rate;
  absl::Time due;
  std::vector<double> latencies = {};
  long errors = 0;
};

template <typename Request, typename Response>
struct Call final : Event {
  ::grpc::ClientContext context;
  std::unique_ptr<::grpc::ClientAsyncResponseReader<Response>> reader;
  Request request;
  Response response;
  ::grpc::Status status;
  absl::Time began = absl::Now();
  Kind* kind = nullptr;
  int* under_way = nullptr;
  std::function<void(Response& response)> then;

  void Proceed(bool) override {
    --*under_way;
    kind->latencies.push_back(absl::ToDoubleMicroseconds(absl::Now() - began));
    if (status.ok()) {
      if (then) then(response);
    } else {
      ++kind->errors;
    }
    delete this;
  }
};

// Reads one stream for as long as it lasts.
struct Watcher final : Event {
  ::grpc::ClientContext context;
  std::unique_ptr<::grpc::ClientAsyncReader<v1::WatchResponse>> reader;
  v1::WatchResponse response;
  long* frames = nullptr;

  void Proceed(bool ok) override {
    if (!ok) return;
    ++*frames;
    reader->Read(&response, this);
  }
};

class Soak {
 public:
  explicit Soak(const Plan& plan) : plan_(plan) {
    ::grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    channel_ = ::grpc::CreateCustomChannel(
        plan.target, ::grpc::InsecureChannelCredentials(), arguments);
    auth_ = v1::AuthService::NewStub(channel_);
    tokens_ = v1::TokenService::NewStub(channel_);
    revocations_ = v1::RevocationService::NewStub(channel_);
  }

  int Run() {
    Watch();
    FirstSessions();
    began_ = absl::Now();
    for (Kind& kind : kinds_) {
      kind.due = began_;
      kind.latencies.clear();
    }
    const absl::Duration window = absl::Seconds(plan_.seconds) / plan_.windows;
    for (int i = 1; i <= plan_.windows; ++i) {
      DriveUntil(began_ + window * i);
      CloseWindow();
    }
    Print();
    std::fflush(stdout);
    _exit(0);  // streams and calls under way go with it
  }

 private:
  enum Which { kSignIn, kRefresh, kVerify, kRevoke };

  void Watch() {
    for (int i = 0; i < plan_.watchers; ++i) {
      auto watcher = std::make_unique<Watcher>();
      v1::WatchRequest request;
      request.set_compact(true);
      watcher->frames = &frames_;
      watcher->reader =
          revocations_->PrepareAsyncWatch(&watcher->context, request, &queue_);
      watcher->reader->StartCall(&started_);
      watcher->reader->Read(&watcher->response, watcher.get());
      watchers_.push_back(std::move(watcher));
    }
  }

  void FirstSessions() {
    for (int i = 0; i < 100; ++i) SignIn();
    const absl::Time end = absl::Now() + absl::Seconds(30);
    while (under_way_ > 0 && absl::Now() < end) Turn(end);
    if (sessions_.empty()) {
      std::fprintf(stderr, "soak: nobody could sign in\n");
      std::exit(1);
    }
  }

  void DriveUntil(absl::Time end) {
    for (;;) {
      absl::Time next = end;
      for (int which = 0; which < 4; ++which) {
        Kind& kind = kinds_[which];
        while (kind.due <= absl::Now()) {
          Make(static_cast<Which>(which));
          kind.due += absl::Seconds(1) / kind.rate;
        }
        next = std::min(next, kind.due);
      }
      if (absl::Now() >= end) return;
      Turn(next);
    }
  }

  // Waits for one event, at most until `deadline`.
  void Turn(absl::Time deadline) {
    void* tag = nullptr;
    bool ok = false;
    const auto got = queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(deadline));
    if (got == ::grpc::CompletionQueue::GOT_EVENT)
      static_cast<Event*>(tag)->Proceed(ok);
  }

  void Make(Which which) {
    switch (which) {
      case kSignIn:
        return SignIn();
      case kRefresh:
        return Refresh();
      case kVerify:
        return Verify();
      case kRevoke:
        return Revoke();
    }
  }

  template <typename Request, typename Response>
  Call<Request, Response>* NewCall(
      Which which, std::function<void(Response& response)> then) {
    auto* call = new Call<Request, Response>();
    call->kind = &kinds_[which];
    call->context.set_deadline(
        absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    call->under_way = &under_way_;
    ++under_way_;
    call->then = std::move(then);
    return call;
  }

  template <typename OneCall>
  static void Send(OneCall* call) {
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
  }

  void SignIn() {
    using Response = v1::SignInWithPasswordResponse;
    auto* call = NewCall<v1::SignInWithPasswordRequest, Response>(
        kSignIn, [this](Response& response) {
          // Every other one is revoked later on, the rest live on.
          if (++signed_in_ % 2 == 0) {
            doomed_.push_back(response.tokens().access_token());
          } else {
            Keep(*response.mutable_tokens());
          }
        });
    call->request.set_identifier(absl::StrCat(
        "user", random_() % static_cast<unsigned>(plan_.accounts)));
    call->request.set_password(kPassword);
    call->reader = auth_->PrepareAsyncSignInWithPassword(
        &call->context, call->request, &queue_);
    Send(call);
  }

  void Refresh() {
    if (sessions_.empty()) return;
    using Response = v1::RefreshResponse;
    auto* call = NewCall<v1::RefreshRequest, Response>(
        kRefresh,
        [this](Response& response) { Keep(*response.mutable_tokens()); });
    call->request.set_refresh_token(sessions_.front());
    sessions_.pop_front();
    call->reader =
        auth_->PrepareAsyncRefresh(&call->context, call->request, &queue_);
    Send(call);
  }

  void Verify() {
    if (access_.empty()) return;
    auto* call =
        NewCall<v1::VerifyRequest, v1::VerifyResponse>(kVerify, nullptr);
    call->request.set_token(access_[random_() % access_.size()]);
    call->reader =
        tokens_->PrepareAsyncVerify(&call->context, call->request, &queue_);
    Send(call);
  }

  void Revoke() {
    if (doomed_.empty()) return;
    auto* call =
        NewCall<v1::RevokeRequest, v1::RevokeResponse>(kRevoke, nullptr);
    call->request.set_token(doomed_.front());
    doomed_.pop_front();
    call->reader =
        tokens_->PrepareAsyncRevoke(&call->context, call->request, &queue_);
    Send(call);
  }

  // The newest of both; what is older is left alone, as people leave.
  void Keep(v1::TokenSet& tokens) {
    sessions_.push_back(std::move(*tokens.mutable_refresh_token()));
    access_.push_back(std::move(*tokens.mutable_access_token()));
    if (sessions_.size() > kMostSessions) sessions_.pop_front();
    if (access_.size() > kMostTokens) access_.pop_front();
  }

  void CloseWindow() {
    std::vector<std::string> parts;
    for (Kind& kind : kinds_) {
      const auto calls = kind.latencies.size();
      if (calls == 0) kind.latencies.push_back(0);
      parts.push_back(absl::StrCat(
          "\"", kind.name, "\": {\"calls\": ", calls,
          ", \"errors\": ", kind.errors,
          ", \"p50_us\": ", static_cast<long>(Percentile(kind.latencies, 0.5)),
          ", \"p99_us\": ", static_cast<long>(Percentile(kind.latencies, 0.99)),
          "}"));
      kind.latencies.clear();
      kind.errors = 0;
    }
    const absl::Duration cpu = CpuOf(plan_.server_pid);
    windows_.push_back(
        absl::StrCat("{", absl::StrJoin(parts, ", "),
                     ", \"rss_kib\": ", ResidentBytes(plan_.server_pid) / 1024,
                     ", \"own_kib\": ", OwnBytes(plan_.server_pid) / 1024,
                     ", \"cpu_seconds\": ", absl::ToDoubleSeconds(cpu), "}"));
    std::fprintf(stderr, "%s\n", windows_.back().c_str());
  }

  void Print() const {
    std::printf("{\"frames\": %ld, \"windows\": [%s]}\n", frames_,
                absl::StrJoin(windows_, ", ").c_str());
  }

  // The start of a stream says nothing.
  struct Started final : Event {
    void Proceed(bool) override {}
  };

  const Plan plan_;
  std::shared_ptr<::grpc::Channel> channel_;
  std::unique_ptr<v1::AuthService::Stub> auth_;
  std::unique_ptr<v1::TokenService::Stub> tokens_;
  std::unique_ptr<v1::RevocationService::Stub> revocations_;
  ::grpc::CompletionQueue queue_;
  std::mt19937 random_{11};
  Kind kinds_[4] = {{"sign_in", plan_.sign_ins, {}},
                    {"refresh", plan_.refreshes, {}},
                    {"verify", plan_.verifies, {}},
                    {"revoke", plan_.revokes, {}}};
  Started started_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::deque<std::string> sessions_;  // refresh tokens
  std::deque<std::string> access_;
  std::deque<std::string> doomed_;
  absl::Time began_;
  long frames_ = 0;
  long signed_in_ = 0;
  int under_way_ = 0;
  std::vector<std::string> windows_;
};

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("A steady mix of calls, for a long time.");
  app.add_option("--target", plan.target)->required();
  app.add_option("--server-pid", plan.server_pid)->required();
  app.add_option("--accounts", plan.accounts)->check(CLI::Range(1, 100000000));
  app.add_option("--seconds", plan.seconds)->check(CLI::Range(1.0, 86400.0));
  app.add_option("--windows", plan.windows)->check(CLI::Range(3, 1000));
  app.add_option("--watchers", plan.watchers)->check(CLI::Range(0, 1000));
  CLI11_PARSE(app, argc, argv);
  return Soak(plan).Run();
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
