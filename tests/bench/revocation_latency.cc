// From the answer of Revoke to the refusal in every verifier that is connected.
//
// Holds N verifiers of the C++ SDK in this process, each with a connection and
// a stream of its own. In every round all of them know a token to be good, it
// is revoked, and the verifiers that still accept it are asked again and again.
// Prints one line of JSON.

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "ostiary/v1/auth_service.grpc.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"
#include "ostiary/verifier.h"
#include "tests/bench/measure.h"

namespace ostiary::bench {
namespace {

struct Plan {
  std::string target;
  std::string issuer;
  int verifiers = 1;
  int rounds = 30;
  int server_pid = 0;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "revocation_latency: %s\n", what.c_str());
  std::exit(1);
}

void Check(const ::grpc::Status& status, const char* what) {
  if (!status.ok()) Fail(absl::StrCat(what, ": ", status.error_message()));
}

// One account whose tokens are given out and revoked.
class Account {
 public:
  explicit Account(const std::string& target)
      : channel_(::grpc::CreateChannel(target,
                                       ::grpc::InsecureChannelCredentials())),
        auth_(v1::AuthService::NewStub(channel_)),
        tokens_(v1::TokenService::NewStub(channel_)) {
    ::grpc::ClientContext call;
    v1::SignUpRequest request;
    request.set_username(name_);
    request.set_password(password_);
    v1::SignUpResponse response;
    Check(auth_->SignUp(&call, request, &response), "SignUp");
  }

  std::string NewToken() {
    ::grpc::ClientContext call;
    v1::SignInWithPasswordRequest request;
    request.set_identifier(name_);
    request.set_password(password_);
    v1::SignInWithPasswordResponse response;
    Check(auth_->SignInWithPassword(&call, request, &response), "sign-in");
    return response.tokens().access_token();
  }

  void Revoke(const std::string& token) {
    ::grpc::ClientContext call;
    v1::RevokeRequest request;
    request.set_token(token);
    v1::RevokeResponse response;
    Check(tokens_->Revoke(&call, request, &response), "Revoke");
  }

 private:
  const std::string name_ =
      absl::StrCat("bench", absl::ToUnixNanos(absl::Now()));
  const std::string password_ = absl::StrCat("of many a round ", name_);
  std::shared_ptr<::grpc::Channel> channel_;
  std::unique_ptr<v1::AuthService::Stub> auth_;
  std::unique_ptr<v1::TokenService::Stub> tokens_;
};

using Verifiers = std::vector<std::unique_ptr<Verifier>>;

Verifiers Connect(const Plan& plan) {
  Verifiers verifiers;
  for (int i = 0; i < plan.verifiers; ++i) {
    VerifierOptions options;
    options.target = plan.target;
    options.issuer = plan.issuer;
    options.policy = StalenessPolicy::kRefuse;
    options.staleness_bound = absl::Seconds(30);
    options.cache_size = 100;
    auto verifier = Verifier::Create(options);
    if (!verifier.ok()) Fail(verifier.status().ToString());
    verifiers.push_back(*std::move(verifier));
  }
  for (const auto& verifier : verifiers) {
    if (!verifier->WaitUntilReady(absl::Seconds(60)))
      Fail("a verifier is not ready after a minute");
  }
  return verifiers;
}

struct Samples {
  std::vector<double> each;       // ms, every verifier in every round
  std::vector<double> last;       // ms, the last verifier of a round
  std::vector<double> revoke_ms;  // how long Revoke took to answer
};

void RunRound(const Verifiers& verifiers, Account& account,
              const std::string& token, Samples& samples) {
  std::vector<const Verifier*> accepting;
  for (const auto& verifier : verifiers) {
    const Verdict verdict = verifier->Verify(token);
    if (!verdict.accepted())
      Fail(absl::StrCat("a good token is refused: ",
                        RefusalName(verdict.refusal())));
    accepting.push_back(verifier.get());
  }
  const absl::Time asked = absl::Now();
  account.Revoke(token);
  const absl::Time answered = absl::Now();
  samples.revoke_ms.push_back(absl::ToDoubleMilliseconds(answered - asked));
  double latest = 0;
  while (!accepting.empty()) {
    std::vector<const Verifier*> still;
    for (const Verifier* verifier : accepting) {
      if (verifier->Verify(token).accepted()) {
        still.push_back(verifier);
        continue;
      }
      latest = absl::ToDoubleMilliseconds(absl::Now() - answered);
      samples.each.push_back(latest);
    }
    accepting = std::move(still);
    if (absl::Now() - answered > absl::Seconds(10))
      Fail("a verifier accepts a revoked token after 10 s");
    // The verifiers' own threads need the cores too.
    absl::SleepFor(absl::Microseconds(200));
  }
  samples.last.push_back(latest);
}

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("Measures how soon verifiers refuse a revoked token.");
  app.add_option("--target", plan.target)->required();
  app.add_option("--issuer", plan.issuer)->required();
  app.add_option("--verifiers", plan.verifiers)->check(CLI::Range(1, 5000));
  app.add_option("--rounds", plan.rounds)->check(CLI::Range(1, 100000));
  app.add_option("--server-pid", plan.server_pid);
  CLI11_PARSE(app, argc, argv);

  Account account(plan.target);
  // Made beforehand: a sign-in costs more CPU than all that is measured here.
  std::vector<std::string> tokens;
  for (int i = 0; i <= plan.rounds; ++i) tokens.push_back(account.NewToken());
  const std::size_t idle = ResidentBytes(plan.server_pid);
  const Verifiers verifiers = Connect(plan);
  const std::size_t watched = ResidentBytes(plan.server_pid);
  Samples samples;
  RunRound(verifiers, account, tokens.back(), samples);  // everything warm
  tokens.pop_back();
  samples = {};
  const absl::Duration cpu = CpuOf(plan.server_pid);
  for (const std::string& token : tokens) {
    RunRound(verifiers, account, token, samples);
    // Not all rounds at the same moment of the heartbeat.
    absl::SleepFor(absl::Milliseconds(37));
  }
  const absl::Duration used = CpuOf(plan.server_pid) - cpu;
  std::printf(
      "{\"verifiers\": %d, \"rounds\": %d, \"p50_ms\": %.2f, \"p99_ms\": %.2f, "
      "\"last_p50_ms\": %.2f, \"last_p99_ms\": %.2f, \"revoke_p50_ms\": %.2f, "
      "\"server_cpu_us_per_delivery\": %.1f, "
      "\"server_kib_per_verifier\": %.1f}\n",
      plan.verifiers, plan.rounds, Percentile(samples.each, 0.5),
      Percentile(samples.each, 0.99), Percentile(samples.last, 0.5),
      Percentile(samples.last, 0.99), Percentile(samples.revoke_ms, 0.5),
      absl::ToDoubleMicroseconds(used) / plan.rounds / plan.verifiers,
      (static_cast<double>(watched) - static_cast<double>(idle)) / 1024 /
          plan.verifiers);
  std::fflush(stdout);
  // A thousand verifiers closing one after the other would take minutes.
  _exit(0);
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
