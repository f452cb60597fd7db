// session list, revoke, revoke-all.

#include <memory>
#include <string>

#include "client/cli/account_name.h"
#include "client/cli/registry.h"
#include "ostiary/v1/session_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using Sessions = v1::SessionService;

// Nothing means the caller's own account.
absl::StatusOr<std::string> OptionalAccountId(Invocation& run,
                                              const std::string& name) {
  if (name.empty()) return std::string();
  return FindAccountId(run, name);
}

absl::StatusOr<ExitCode> List(Invocation& run, const std::string& account) {
  absl::StatusOr<std::string> id = OptionalAccountId(run, account);
  if (!id.ok()) return id.status();
  v1::ListSessionsRequest request;
  request.set_account_id(*id);
  const auto response =
      run.Call<Sessions>(&Sessions::Stub::ListSessions, request);
  if (!response.ok()) return response.status();
  Rows rows({"session_id", "client_id", "address", "create_time",
             "refresh_time", "expire_time", "current", "user_agent"},
            run.format(), run.out());
  for (const v1::Session& session : response->sessions()) {
    if (auto added = rows.Add(session); !added.ok()) return added;
  }
  rows.Flush();
  return ExitCode::kOk;
}

void AddList(Registry& registry, CLI::App& group) {
  auto account = std::make_shared<std::string>();
  CLI::App& command = registry.Add(
      group, "list",
      "Lists the live sessions of an account, newest first. As JSON: one line "
      "for each.",
      "ostiary session list ada",
      [account](Invocation& run) { return List(run, *account); });
  command.add_option("account", *account,
                     "Account id, email or username; none: the caller's own");
}

void AddRevoke(Registry& registry, CLI::App& group) {
  auto session = std::make_shared<std::string>();
  CLI::App& command =
      registry.Add(group, "revoke", "Ends one session and its access tokens.",
                   "ostiary session revoke sess_01jh2m3n4p5q6r7s8t9v0w1x2y",
                   [session](Invocation& run) -> absl::StatusOr<ExitCode> {
                     v1::RevokeSessionRequest request;
                     request.set_session_id(*session);
                     const auto response = run.Call<Sessions>(
                         &Sessions::Stub::RevokeSession, request);
                     if (!response.ok()) return response.status();
                     return run.Answer(*response);
                   });
  command.add_option("session", *session, "Session id (sess_...)")->required();
}

void AddRevokeAll(Registry& registry, CLI::App& group) {
  auto account = std::make_shared<std::string>();
  CLI::App& command = registry.Add(
      group, "revoke-all", "Ends all sessions and access tokens of an account.",
      "ostiary session revoke-all ada",
      [account](Invocation& run) -> absl::StatusOr<ExitCode> {
        absl::StatusOr<std::string> id = OptionalAccountId(run, *account);
        if (!id.ok()) return id.status();
        v1::RevokeAllSessionsRequest request;
        request.set_account_id(*id);
        const auto response =
            run.Call<Sessions>(&Sessions::Stub::RevokeAllSessions, request);
        if (!response.ok()) return response.status();
        return run.Answer(*response);
      });
  command.add_option("account", *account,
                     "Account id, email or username; none: the caller's own");
}

}  // namespace

void AddSessionCommands(Registry& registry) {
  CLI::App& group =
      registry.Group("session", "Sessions: what signing in has opened.");
  AddList(registry, group);
  AddRevoke(registry, group);
  AddRevokeAll(registry, group);
}

}  // namespace ostiary::cli
