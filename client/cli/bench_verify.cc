// bench verify.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/bench_accounts.h"
#include "client/cli/bench_lanes.h"
#include "client/cli/bench_run.h"
#include "client/cli/failure.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

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
  const auto bench = PrepareBench(run, "verify", flags.bench);
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

}  // namespace

void AddBenchVerify(Registry& registry, CLI::App& group) {
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

}  // namespace ostiary::cli
