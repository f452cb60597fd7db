// bench verify, bench sign-in, bench refresh.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/bench_accounts.h"
#include "client/cli/bench_lanes.h"
#include "client/cli/bench_report.h"
#include "client/cli/failure.h"
#include "client/cli/interrupt.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

constexpr int kMaxConcurrency = 1024;
constexpr int kMaxConnections = 64;
constexpr double kMaxRate = 1e6;

struct BenchFlags {
  std::string duration = "10s";
  int concurrency = 16;
  int connections = 1;
  double rate = 0;  // none
  bool progress = false;
  bool consent = false;
};

void AddBenchFlags(CLI::App& command, BenchFlags& flags) {
  command.add_option("--duration", flags.duration, "100ms to 1h (10s)")
      ->type_name("DURATION");
  command
      .add_option("--concurrency", flags.concurrency,
                  "Calls under way at a time, 1 to 1024 (16)")
      ->type_name("N")
      ->check(CLI::Range(1, kMaxConcurrency));
  command
      .add_option("--connections", flags.connections,
                  "HTTP/2 connections they share, 1 to 64 (1)")
      ->type_name("N")
      ->check(CLI::Range(1, kMaxConnections));
  command
      .add_option("--rate", flags.rate,
                  "Calls a second; without it as fast as answers come")
      ->type_name("N")
      ->check(CLI::Range(0.001, kMaxRate));
  command.add_flag("--progress", flags.progress,
                   "A line each second even if stderr is no terminal");
  command.add_flag("--yes-load-this-server", flags.consent,
                   "The server is not on this machine, and may be loaded");
}

struct Bench {
  const char* operation;
  BenchFlags flags;
  LoadPlan plan;
};

// Usage errors, before anybody is asked for a password.
absl::StatusOr<Bench> Prepare(Invocation& run, const char* operation,
                              const BenchFlags& flags) {
  const auto duration = ParseDurationFlag(
      "--duration", flags.duration, absl::Milliseconds(100), absl::Hours(1));
  if (!duration.ok()) return duration.status();
  const absl::StatusOr<Connection*> connection = run.connection();
  if (!connection.ok()) return connection.status();
  const Endpoint& endpoint = (*connection)->endpoint();
  if (!endpoint.is_on_this_machine && !flags.consent) {
    return UsageError(absl::StrCat(
        endpoint.description,
        " is not on this machine; a load can keep it from serving others. If "
        "that is meant, say --yes-load-this-server"));
  }
  Bench bench{operation, flags, {*duration, std::nullopt}};
  if (flags.rate > 0) bench.plan.rate = flags.rate;
  return bench;
}

using MakeLane =
    std::function<std::unique_ptr<Lane>(const Connection&, const ChannelPtr&)>;

absl::StatusOr<ExitCode> RunBench(Invocation& run, const Bench& bench,
                                  const Interrupt& interrupt,
                                  const MakeLane& make) {
  const absl::StatusOr<Connection*> opened = run.connection();
  if (!opened.ok()) return opened.status();
  const Connection& connection = **opened;
  const int connections =
      std::min(bench.flags.connections, bench.flags.concurrency);
  std::vector<ChannelPtr> channels;
  for (int i = 0; i < connections; ++i) {
    channels.push_back(i == 0 ? connection.channel() : connection.NewChannel());
  }
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < bench.flags.concurrency; ++i) {
    lanes.push_back(
        make(connection, channels[static_cast<std::size_t>(i % connections)]));
  }
  Surroundings& surroundings = run.surroundings();
  const bool tells = bench.flags.progress || surroundings.err_is_terminal;
  const LoadResult result =
      RunLoad(bench.plan, lanes, interrupt, [&](const LoadSecond& second) {
        if (tells) surroundings.err << ProgressLine(second) << std::flush;
      });
  WriteReport({bench.operation, connection.endpoint().description,
               bench.flags.concurrency, connections, bench.plan.rate},
              result, run.format(), run.out());
  return ExitCodeOf(result);
}

// bench verify

struct VerifyFlags {
  BenchFlags bench;
  std::string token;
  bool token_stdin = false;
  std::string tokens;
  std::string sign_in;
  bool password_stdin = false;
  std::string audience;
  bool any_audience = false;
};

absl::Status CheckTokenSource(const VerifyFlags& flags) {
  const int sources = (flags.token.empty() && !flags.token_stdin ? 0 : 1) +
                      (flags.tokens.empty() ? 0 : 1) +
                      (flags.sign_in.empty() ? 0 : 1);
  if (sources == 1) return absl::OkStatus();
  return UsageError(
      "say which tokens are verified, one of: a token (- for stdin), --tokens "
      "FILE, --sign-in IDENTIFIER");
}

std::shared_ptr<BenchTokens> TokensFrom(const std::vector<std::string>& texts,
                                        const VerifyFlags& flags) {
  std::vector<v1::VerifyRequest> requests;
  for (const std::string& text : texts) {
    v1::VerifyRequest& request = requests.emplace_back();
    request.set_token(text);
    request.set_audience(flags.audience);
    request.set_any_audience(flags.any_audience);
  }
  return std::make_shared<BenchTokens>(std::move(requests));
}

// One call, so that a token that is not good is told once and not a million
// times.
absl::Status TryVerify(Invocation& run, BenchTokens& tokens) {
  const auto response = run.Call<v1::TokenService>(
      &v1::TokenService::Stub::Verify, tokens.Next());
  if (!response.ok()) return response.status();
  if (response->valid()) return absl::OkStatus();
  return NoError(absl::StrCat("the token is not good: ", response->reason(),
                              "; nothing was measured"));
}

absl::StatusOr<ExitCode> VerifyTokens(Invocation& run, const Bench& bench,
                                      const Interrupt& interrupt,
                                      const std::vector<std::string>& texts,
                                      const VerifyFlags& flags) {
  const std::shared_ptr<BenchTokens> tokens = TokensFrom(texts, flags);
  if (auto tried = TryVerify(run, *tokens); !tried.ok()) return tried;
  return RunBench(run, bench, interrupt,
                  [&](const Connection& connection, const ChannelPtr& channel) {
                    return MakeVerifyLane(connection, channel, tokens);
                  });
}

absl::StatusOr<ExitCode> VerifyOwnToken(Invocation& run, const Bench& bench,
                                        const VerifyFlags& flags) {
  auto accounts = ReadBenchAccounts({flags.sign_in, flags.password_stdin, ""},
                                    run.surroundings());
  if (!accounts.ok()) return accounts.status();
  const Interrupt interrupt;
  const auto tokens = SignInOnce(run, (*accounts)->Next());
  if (!tokens.ok()) return tokens.status();
  const auto result =
      VerifyTokens(run, bench, interrupt, {tokens->access_token()}, flags);
  const absl::Status ended = SignOutOnce(run, tokens->refresh_token());
  if (result.ok() && !ended.ok()) return ended;
  return result;
}

absl::StatusOr<ExitCode> BenchVerify(Invocation& run,
                                     const VerifyFlags& flags) {
  if (auto status = CheckTokenSource(flags); !status.ok()) return status;
  const auto bench = Prepare(run, "verify", flags.bench);
  if (!bench.ok()) return bench.status();
  if (!flags.sign_in.empty()) return VerifyOwnToken(run, *bench, flags);
  absl::StatusOr<std::vector<std::string>> texts;
  if (!flags.tokens.empty()) {
    texts = ReadLines("--tokens", flags.tokens);
  } else {
    const auto token = ReadToken(
        flags.token,
        flags.token_stdin ? SecretSource::kStdin : SecretSource::kTerminal,
        run.surroundings());
    if (!token.ok()) return token.status();
    texts = std::vector<std::string>{token->Reveal()};
  }
  if (!texts.ok()) return texts.status();
  const Interrupt interrupt;
  return VerifyTokens(run, *bench, interrupt, *texts, flags);
}

void AddVerify(Registry& registry, CLI::App& group) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App& command = registry.Add(
      group, "verify", "Has tokens verified, again and again.",
      "ostiary bench verify --sign-in ada --duration 30s\n"
      "  ostiary bench verify - --rate 2000 --output json < token",
      [flags](Invocation& run) { return BenchVerify(run, *flags); });
  command.add_option("token", flags->token, "An access token, or - for stdin");
  command.add_flag("--token-stdin", flags->token_stdin, "Read it from stdin");
  command.add_option("--tokens", flags->tokens,
                     "File with a token on each line, taken in turn");
  command.add_option("--sign-in", flags->sign_in,
                     "Username or email: open a session for it, and end it");
  command.add_flag("--password-stdin", flags->password_stdin,
                   "With --sign-in: read the password from stdin");
  command.add_option("--audience", flags->audience,
                     "Must be among the token's audiences");
  command.add_flag("--any-audience", flags->any_audience,
                   "Accept any audience");
  AddBenchFlags(command, flags->bench);
}

// bench sign-in, bench refresh

struct AccountLoadFlags {
  BenchFlags bench;
  BenchAccountFlags accounts;
};

void AddAccountFlags(CLI::App& command, AccountLoadFlags& flags) {
  command.add_option("identifier", flags.accounts.identifier,
                     "Username or email; the password is asked for");
  command.add_flag("--password-stdin", flags.accounts.password_stdin,
                   "Read the password from stdin");
  command.add_option("--accounts", flags.accounts.accounts,
                     "File of lines {\"identifier\": ..., \"password\": ...}, "
                     "taken in turn");
  AddBenchFlags(command, flags.bench);
}

absl::StatusOr<ExitCode> BenchSignIn(Invocation& run,
                                     const AccountLoadFlags& flags) {
  const auto bench = Prepare(run, "sign-in", flags.bench);
  if (!bench.ok()) return bench.status();
  const auto accounts = ReadBenchAccounts(flags.accounts, run.surroundings());
  if (!accounts.ok()) return accounts.status();
  const Interrupt interrupt;
  // A wrong password is told once: a thousand guesses would lock its owner out.
  const auto tried = SignInOnce(run, (*accounts)->Next());
  if (!tried.ok()) return tried.status();
  const absl::Status ended = SignOutOnce(run, tried->refresh_token());
  if (!ended.ok()) return ended;
  return RunBench(run, *bench, interrupt,
                  [&](const Connection& connection, const ChannelPtr& channel) {
                    return MakeSignInLane(connection, channel, *accounts);
                  });
}

void AddSignIn(Registry& registry, CLI::App& group) {
  auto flags = std::make_shared<AccountLoadFlags>();
  CLI::App& command = registry.Add(
      group, "sign-in",
      "Signs in with a password, again and again; every session is signed out "
      "at once.",
      "ostiary bench sign-in ada --concurrency 4",
      [flags](Invocation& run) { return BenchSignIn(run, *flags); });
  AddAccountFlags(command, *flags);
}

using RefreshTokens = std::vector<SecretText>;

absl::Status OpenSessions(Invocation& run, BenchAccounts& accounts, int count,
                          const Interrupt& interrupt, RefreshTokens& tokens) {
  for (int i = 0; i < count; ++i) {
    if (interrupt.arrived())
      return NoError("interrupted; nothing was measured");
    auto signed_in = SignInOnce(run, accounts.Next());
    if (!signed_in.ok()) return signed_in.status();
    tokens.emplace_back(std::move(*signed_in->mutable_refresh_token()));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> BenchRefresh(Invocation& run,
                                      const AccountLoadFlags& flags) {
  const auto bench = Prepare(run, "refresh", flags.bench);
  if (!bench.ok()) return bench.status();
  const auto accounts = ReadBenchAccounts(flags.accounts, run.surroundings());
  if (!accounts.ok()) return accounts.status();
  const Interrupt interrupt;
  RefreshTokens tokens;
  const absl::Status opened = OpenSessions(
      run, **accounts, bench->flags.concurrency, interrupt, tokens);
  if (!opened.ok()) {
    for (const SecretText& token : tokens) {
      SignOutOnce(run, token.Reveal()).IgnoreError();
    }
    return opened;
  }
  return RunBench(run, *bench, interrupt,
                  [&](const Connection& connection, const ChannelPtr& channel) {
                    SecretText token = std::move(tokens.back());
                    tokens.pop_back();
                    return MakeRefreshLane(connection, channel,
                                           std::move(token));
                  });
}

void AddRefresh(Registry& registry, CLI::App& group) {
  auto flags = std::make_shared<AccountLoadFlags>();
  CLI::App& command = registry.Add(
      group, "refresh",
      "Opens a session for each call under way and refreshes it, again and "
      "again; the sessions are signed out in the end. An account has a limited "
      "number of sessions: for more, give --accounts.",
      "ostiary bench refresh ada --concurrency 64",
      [flags](Invocation& run) { return BenchRefresh(run, *flags); });
  AddAccountFlags(command, *flags);
}

}  // namespace

void AddBenchCommands(Registry& registry) {
  CLI::App& group = registry.Group(
      "bench",
      "Puts a load on a running server and measures it: throughput, "
      "percentiles, errors. Ctrl-C ends it with what was measured so far; any "
      "error makes the exit code differ from 0.");
  AddVerify(registry, group);
  AddSignIn(registry, group);
  AddRefresh(registry, group);
}

}  // namespace ostiary::cli
