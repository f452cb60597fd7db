// token verify: by the server, or offline with --jwks.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/cli/failure.h"
#include "client/cli/json_value.h"
#include "client/cli/jsonl.h"
#include "client/cli/offline_check.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using Tokens = v1::TokenService;

struct VerifyFlags {
  OfflineFlags check;
  std::string token;
  bool token_stdin = false;
  bool jsonl = false;
  std::string min_revision;
};

// Judges one token, whoever does it.
using Judge =
    std::function<absl::StatusOr<v1::VerifyResponse>(const std::string&)>;

v1::VerifyRequest RequestFrom(const VerifyFlags& flags) {
  v1::VerifyRequest request;
  request.set_audience(flags.check.audience);
  request.set_any_audience(flags.check.any_audience);
  for (const auto& scope : flags.check.scopes) {
    request.add_required_scopes(scope);
  }
  for (const auto& role : flags.check.roles) request.add_required_roles(role);
  request.set_min_revision(flags.min_revision);
  return request;
}

Judge ServerJudge(Invocation& run, const VerifyFlags& flags) {
  return
      [&run, request = RequestFrom(flags)](const std::string& token) mutable {
        request.set_token(token);
        return run.Call<Tokens>(&Tokens::Stub::Verify, request);
      };
}

absl::StatusOr<Judge> OfflineJudge(Invocation& run, const VerifyFlags& flags) {
  if (!flags.min_revision.empty()) {
    return UsageError(
        "--min-revision needs the server: a file of keys knows no revocations");
  }
  absl::StatusOr<OfflineCheck> check =
      OfflineCheck::Create(flags.check, run.surroundings().now());
  if (!check.ok()) return check.status();
  return Judge(
      [check = *std::move(check)](const std::string& token)
          -> absl::StatusOr<v1::VerifyResponse> { return check.Check(token); });
}

absl::StatusOr<ExitCode> VerifyLines(Invocation& run, const Judge& judge) {
  absl::Status done = JudgeLines(
      run.surroundings().in, run.out(), "valid",
      [&judge](const boost::json::object& line) -> absl::StatusOr<LineVerdict> {
        const std::optional<std::string> token = StringMember(line, "token");
        if (!token) return LineVerdict{false, kLineMalformed};
        const auto response = judge(*token);
        if (!response.ok()) return response.status();
        return LineVerdict{response->valid(), response->reason()};
      });
  if (!done.ok()) return done;
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> VerifyOne(Invocation& run, const VerifyFlags& flags,
                                   const Judge& judge) {
  const absl::StatusOr<SecretText> token = ReadToken(
      flags.token,
      flags.token_stdin ? SecretSource::kStdin : SecretSource::kTerminal,
      run.surroundings());
  if (!token.ok()) return token.status();
  const auto response = judge(token->Reveal());
  if (!response.ok()) return response.status();
  const absl::StatusOr<ExitCode> shown = run.Answer(*response);
  if (!shown.ok()) return shown;
  return response->valid() ? ExitCode::kOk : ExitCode::kNo;
}

absl::Status CheckFlags(const VerifyFlags& flags, bool offline_flag_given) {
  if (flags.jsonl && (!flags.token.empty() || flags.token_stdin)) {
    return UsageError("--jsonl reads the tokens from stdin, line by line");
  }
  if (flags.check.jwks.empty() && offline_flag_given) {
    return UsageError(
        "--issuer, --at, --leeway and --algs go with --jwks: the server has "
        "its own");
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Verify(Invocation& run, const VerifyFlags& flags,
                                bool offline_flag_given) {
  absl::Status checked = CheckFlags(flags, offline_flag_given);
  if (!checked.ok()) return checked;
  absl::StatusOr<Judge> judge = flags.check.jwks.empty()
                                    ? ServerJudge(run, flags)
                                    : OfflineJudge(run, flags);
  if (!judge.ok()) return judge.status();
  return flags.jsonl ? VerifyLines(run, *judge) : VerifyOne(run, flags, *judge);
}

void AddOnlineFlags(CLI::App& command, VerifyFlags& flags) {
  command.add_option("token", flags.token, "The token, or - for stdin");
  command.add_flag("--token-stdin", flags.token_stdin, "Read it from stdin");
  command.add_flag("--jsonl", flags.jsonl,
                   "Lines {\"token\": \"...\"} in, verdicts out");
  command.add_option("--audience", flags.check.audience,
                     "Must be among the token's audiences");
  command.add_flag("--any-audience", flags.check.any_audience,
                   "Accept any audience");
  command
      .add_option("--scope", flags.check.scopes,
                  "Must be carried; may be given several times")
      ->allow_extra_args(false);
  command
      .add_option("--role", flags.check.roles,
                  "Must be carried; may be given several times")
      ->allow_extra_args(false);
  command.add_option("--min-revision", flags.min_revision,
                     "Ticket of a revocation that must be known");
}

void AddOfflineFlags(CLI::App& command, OfflineFlags& flags) {
  command.add_option("--jwks", flags.jwks,
                     "File of public keys: check without a server");
  command.add_option("--issuer", flags.issuer, "With --jwks: the token's iss");
  command.add_option("--at", flags.at,
                     "With --jwks: the time to check for, in seconds since "
                     "1970 (now)");
  command.add_option("--leeway", flags.leeway,
                     "With --jwks: how far clocks may be apart (60s)");
  command.add_option("--algs", flags.algorithms,
                     "With --jwks: of ES256,RS256,EdDSA (all)");
}

}  // namespace

void AddTokenVerify(Registry& registry, CLI::App& token) {
  auto flags = std::make_shared<VerifyFlags>();
  auto offline_given = std::make_shared<std::function<bool()>>();
  CLI::App& command = registry.Add(
      token, "verify",
      "Tells whether an access token is good; exit code 1 if not. The server "
      "knows revocations; --jwks checks offline and does not.",
      "ostiary token verify - < token\n"
      "  ostiary token verify --jsonl --jwks jwks.json \\\n"
      "      --issuer http://127.0.0.1:8080 --audience api < tokens.jsonl",
      [flags, offline_given](Invocation& run) {
        return Verify(run, *flags, (*offline_given)());
      });
  AddOnlineFlags(command, *flags);
  AddOfflineFlags(command, flags->check);
  *offline_given = [&command] {
    return command.count("--issuer") + command.count("--at") +
               command.count("--leeway") + command.count("--algs") >
           0;
  };
}

}  // namespace ostiary::cli
