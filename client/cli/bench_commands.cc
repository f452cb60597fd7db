// bench sign-in, bench refresh, and the group itself.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/bench_accounts.h"
#include "client/cli/bench_lanes.h"
#include "client/cli/bench_run.h"
#include "client/cli/failure.h"
#include "client/cli/registry.h"

namespace ostiary::cli {
namespace {

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
  const auto bench = PrepareBench(run, "sign-in", flags.bench);
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
      "at once. A server lets one account have few sign-ins under way: more "
      "are "
      "RATE_LIMITED unless --accounts names more.",
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
  const auto bench = PrepareBench(run, "refresh", flags.bench);
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
  AddBenchVerify(registry, group);
  AddSignIn(registry, group);
  AddRefresh(registry, group);
}

}  // namespace ostiary::cli
