// sign-in, refresh, sign-out.

#include <memory>
#include <string>

#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "ostiary/v1/auth_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using Auth = v1::AuthService;

struct SignIn {
  std::string identifier;
  std::string audience;
  std::string scope;
  std::string client;
  bool password_stdin = false;
};

absl::StatusOr<ExitCode> RunSignIn(Invocation& run, const SignIn& flags) {
  absl::StatusOr<SecretText> password = ReadPassword(
      flags.password_stdin ? SecretSource::kStdin : SecretSource::kTerminal,
      run.surroundings());
  if (!password.ok()) return password.status();
  v1::SignInWithPasswordRequest request;
  request.set_identifier(flags.identifier);
  request.set_password(password->Reveal());
  request.set_audience(flags.audience);
  request.set_scope(flags.scope);
  request.set_client_id(flags.client);
  const auto response =
      run.Call<Auth>(&Auth::Stub::SignInWithPassword, request);
  Wipe(*request.mutable_password());
  if (!response.ok()) return response.status();
  return run.Answer(response->tokens());
}

void AddSignIn(Registry& registry) {
  auto flags = std::make_shared<SignIn>();
  CLI::App& command = registry.Add(
      registry.root(), "sign-in",
      "Opens a session and prints its tokens. The password is asked for.",
      "ostiary sign-in ada --output json | jq -r .access_token",
      [flags](Invocation& run) { return RunSignIn(run, *flags); });
  command.add_option("identifier", flags->identifier, "Username or email")
      ->required();
  command.add_option("--audience", flags->audience,
                     "Whom the access token is for (the server's default)");
  command.add_option("--scope", flags->scope, "Scopes, separated by spaces");
  command.add_option("--client", flags->client,
                     "Id of the application (cli_default)");
  command.add_flag("--password-stdin", flags->password_stdin,
                   "Read the password from stdin");
}

struct RefreshFlags {
  std::string token;
  bool token_stdin = false;
  std::string scope;
  std::string request_id;
};

absl::StatusOr<SecretText> TokenOf(Invocation& run, const RefreshFlags& flags) {
  return ReadToken(
      flags.token,
      flags.token_stdin ? SecretSource::kStdin : SecretSource::kTerminal,
      run.surroundings());
}

void AddTokenFlags(CLI::App& command, RefreshFlags& flags) {
  command.add_option("refresh_token", flags.token, "ort_..., or - for stdin");
  command.add_flag("--token-stdin", flags.token_stdin, "Read it from stdin");
}

absl::StatusOr<ExitCode> RunRefresh(Invocation& run,
                                    const RefreshFlags& flags) {
  absl::StatusOr<SecretText> token = TokenOf(run, flags);
  if (!token.ok()) return token.status();
  v1::RefreshRequest request;
  request.set_refresh_token(token->Reveal());
  request.set_scope(flags.scope);
  request.set_request_id(flags.request_id);
  const auto response = run.Call<Auth>(&Auth::Stub::Refresh, request);
  Wipe(*request.mutable_refresh_token());
  if (!response.ok()) return response.status();
  return run.Answer(response->tokens());
}

void AddRefresh(Registry& registry) {
  auto flags = std::make_shared<RefreshFlags>();
  CLI::App& command = registry.Add(
      registry.root(), "refresh",
      "Exchanges a refresh token for the next pair. The old one is spent.",
      "ostiary refresh - --output json < refresh-token",
      [flags](Invocation& run) { return RunRefresh(run, *flags); });
  AddTokenFlags(command, *flags);
  command.add_option("--scope", flags->scope,
                     "Narrows the access token's scopes");
  command.add_option("--request-id", flags->request_id,
                     "Random, the same for every retry of this attempt");
}

absl::StatusOr<ExitCode> RunSignOut(Invocation& run,
                                    const RefreshFlags& flags) {
  absl::StatusOr<SecretText> token = TokenOf(run, flags);
  if (!token.ok()) return token.status();
  v1::SignOutRequest request;
  request.set_refresh_token(token->Reveal());
  const auto response = run.Call<Auth>(&Auth::Stub::SignOut, request);
  Wipe(*request.mutable_refresh_token());
  if (!response.ok()) return response.status();
  return run.Answer(*response);
}

void AddSignOut(Registry& registry) {
  auto flags = std::make_shared<RefreshFlags>();
  CLI::App& command = registry.Add(
      registry.root(), "sign-out", "Ends the session of a refresh token.",
      "ostiary sign-out - < refresh-token",
      [flags](Invocation& run) { return RunSignOut(run, *flags); });
  AddTokenFlags(command, *flags);
}

}  // namespace

void AddAuthCommands(Registry& registry) {
  AddSignIn(registry);
  AddRefresh(registry);
  AddSignOut(registry);
}

}  // namespace ostiary::cli
