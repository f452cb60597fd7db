// token revoke, and the group itself.

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/account_name.h"
#include "client/cli/failure.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using Tokens = v1::TokenService;

struct RevokeFlags {
  std::string token;
  bool token_stdin = false;
  std::string session;
  std::string account;
  std::string client;
  std::string key;
  std::string reason;
  bool yes = false;
};

int CountTargets(const RevokeFlags& flags) {
  const bool token = !flags.token.empty() || flags.token_stdin;
  return (token ? 1 : 0) + (flags.session.empty() ? 0 : 1) +
         (flags.account.empty() ? 0 : 1) + (flags.client.empty() ? 0 : 1) +
         (flags.key.empty() ? 0 : 1);
}

absl::Status FillToken(Invocation& run, const RevokeFlags& flags,
                       v1::RevokeRequest& request) {
  const absl::StatusOr<SecretText> token = ReadToken(
      flags.token,
      flags.token_stdin ? SecretSource::kStdin : SecretSource::kTerminal,
      run.surroundings());
  if (!token.ok()) return token.status();
  request.set_token(token->Reveal());
  return absl::OkStatus();
}

absl::Status FillAccount(Invocation& run, const RevokeFlags& flags,
                         v1::RevokeRequest& request) {
  absl::StatusOr<std::string> id = FindAccountId(run, flags.account);
  if (!id.ok()) return id.status();
  request.set_account_id(*id);
  return absl::OkStatus();
}

absl::Status FillKey(Invocation& run, const RevokeFlags& flags,
                     v1::RevokeRequest& request) {
  request.set_key_id(flags.key);
  return Confirm(flags.yes ? Consent::kGiven : Consent::kAsk,
                 absl::StrCat("Revoke the key \"", flags.key,
                              "\" for ever, with every token it has signed?"),
                 run.surroundings());
}

absl::Status FillTarget(Invocation& run, const RevokeFlags& flags,
                        v1::RevokeRequest& request) {
  if (CountTargets(flags) != 1) {
    return UsageError(
        "say what to revoke, one of: a token, --session, --account, --client, "
        "--key");
  }
  if (!flags.account.empty()) return FillAccount(run, flags, request);
  if (!flags.key.empty()) return FillKey(run, flags, request);
  if (!flags.session.empty()) {
    request.set_session_id(flags.session);
    return absl::OkStatus();
  }
  if (!flags.client.empty()) {
    request.set_client_id(flags.client);
    return absl::OkStatus();
  }
  return FillToken(run, flags, request);
}

absl::StatusOr<ExitCode> Revoke(Invocation& run, const RevokeFlags& flags) {
  v1::RevokeRequest request;
  absl::Status filled = FillTarget(run, flags, request);
  if (!filled.ok()) return filled;
  request.set_reason(flags.reason);
  const auto response = run.Call<Tokens>(&Tokens::Stub::Revoke, request);
  if (!response.ok()) return response.status();
  return run.Answer(*response);
}

void AddRevoke(Registry& registry, CLI::App& group) {
  auto flags = std::make_shared<RevokeFlags>();
  CLI::App& command = registry.Add(
      group, "revoke",
      "Ends a token, a session, all of an account, all of a client, or a key, "
      "at once and everywhere.",
      "ostiary token revoke - < token\n"
      "  ostiary token revoke --account ada --reason \"lost laptop\"",
      [flags](Invocation& run) { return Revoke(run, *flags); });
  command.add_option("token", flags->token, "An access token, or - for stdin");
  command.add_flag("--token-stdin", flags->token_stdin, "Read it from stdin");
  command.add_option("--session", flags->session, "Session id (sess_...)");
  command.add_option("--account", flags->account, kAccountHelp);
  command.add_option("--client", flags->client, "Client id (cli_...)");
  command.add_option("--key", flags->key, "Key id (kid); asks first");
  command.add_option("--reason", flags->reason, "For the audit log");
  command.add_flag("--yes", flags->yes, "Do not ask");
}

}  // namespace

void AddTokenCommands(Registry& registry) {
  CLI::App& token = registry.Group("token", "Access tokens.");
  AddTokenInspect(registry, token);
  AddTokenVerify(registry, token);
  AddRevoke(registry, token);
}

}  // namespace ostiary::cli
