// account update, disable, enable, delete, set-password, grant-role,
// revoke-role.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/account_name.h"
#include "client/cli/failure.h"
#include "client/cli/file.h"
#include "client/cli/json_value.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "ostiary/v1/account_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using Accounts = v1::AccountService;

// Finds the account, puts its id into `request`, calls.
template <typename Request, typename Response>
absl::StatusOr<Response> CallFor(
    Invocation& run, const std::string& name,
    grpc::Status (Accounts::Stub::*method)(grpc::ClientContext*, const Request&,
                                           Response*),
    Request& request) {
  absl::StatusOr<std::string> id = FindAccountId(run, name);
  if (!id.ok()) return id.status();
  request.set_account_id(*std::move(id));
  return run.Call<Accounts>(method, request);
}

// An answer with a revision is shown whole; of the others there is only the
// account as it now is.
template <typename Response>
absl::StatusOr<ExitCode> ShowResult(Invocation& run,
                                    const absl::StatusOr<Response>& response) {
  if (!response.ok()) return response.status();
  if constexpr (requires { response->revision(); }) {
    return run.Answer(*response);
  } else {
    return run.Answer(response->account());
  }
}

struct Update {
  std::string account;
  std::optional<std::string> username;
  std::optional<std::string> email;
  std::optional<std::string> display_name;
  std::optional<std::string> email_verified;
  std::optional<std::string> metadata;
};

absl::Status FillMetadata(const std::string& path, Surroundings& surroundings,
                          v1::Account& account) {
  absl::StatusOr<std::string> text;
  if (path == "-") {
    std::optional<std::string> all = ReadAll(surroundings.in, kMaxFileBytes);
    if (!all) return UsageError("--metadata: stdin is too long");
    text = *std::move(all);
  } else {
    text = ReadFile("--metadata", path);
  }
  if (!text.ok()) return text.status();
  const auto object = ParseJsonObject(*text);
  if (!object) {
    return UsageError(
        "--metadata: the file must hold one JSON object, no member twice");
  }
  *account.mutable_metadata() = ToStruct(*object);
  return absl::OkStatus();
}

absl::Status FillVerified(const std::string& text, v1::Account& account) {
  if (text != "true" && text != "false") {
    return UsageError("--email-verified: say true or false");
  }
  account.set_email_verified(text == "true");
  return absl::OkStatus();
}

absl::Status FillUpdate(const Update& flags, Surroundings& surroundings,
                        v1::UpdateAccountRequest& request) {
  v1::Account& account = *request.mutable_account();
  auto& mask = *request.mutable_update_mask();
  if (flags.username) {
    account.set_username(*flags.username);
    mask.add_paths("username");
  }
  if (flags.email) {
    account.set_email(*flags.email);
    mask.add_paths("email");
  }
  if (flags.display_name) {
    account.set_display_name(*flags.display_name);
    mask.add_paths("display_name");
  }
  if (flags.email_verified) {
    mask.add_paths("email_verified");
    if (auto filled = FillVerified(*flags.email_verified, account);
        !filled.ok()) {
      return filled;
    }
  }
  if (flags.metadata) {
    mask.add_paths("metadata");
    return FillMetadata(*flags.metadata, surroundings, account);
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> RunUpdate(Invocation& run, const Update& flags) {
  v1::UpdateAccountRequest request;
  absl::Status filled = FillUpdate(flags, run.surroundings(), request);
  if (!filled.ok()) return filled;
  if (request.update_mask().paths().empty()) {
    return UsageError("nothing to change was named");
  }
  absl::StatusOr<std::string> id = FindAccountId(run, flags.account);
  if (!id.ok()) return id.status();
  request.mutable_account()->set_account_id(*std::move(id));
  return ShowResult(
      run, run.Call<Accounts>(&Accounts::Stub::UpdateAccount, request));
}

void AddUpdate(Registry& registry, CLI::App& group) {
  auto flags = std::make_shared<Update>();
  CLI::App& command = registry.Add(
      group, "update", "Changes what is named; \"\" empties a field.",
      "ostiary account update ada --display-name \"Ada L.\"",
      [flags](Invocation& run) { return RunUpdate(run, *flags); });
  command.add_option("account", flags->account, kAccountHelp)->required();
  // By function: CLI11 would read an empty value as "not given".
  const auto add = [&command, flags](const char* name,
                                     std::optional<std::string> Update::*field,
                                     const char* text) {
    command.add_option_function<std::string>(
        name,
        [flags, field](const std::string& value) { (*flags).*field = value; },
        text);
  };
  add("--username", &Update::username, "New username");
  add("--email", &Update::email, "New address");
  add("--display-name", &Update::display_name, "New name for people");
  add("--email-verified", &Update::email_verified, "true or false");
  add("--metadata", &Update::metadata,
      "File with a JSON object, or - for stdin");
}

struct Target {
  std::string account;
  std::string reason;
  bool yes = false;
};

CLI::App& AddTargeted(Registry& registry, CLI::App& group, const char* name,
                      const char* text, const char* example,
                      const std::shared_ptr<Target>& target, Action action) {
  CLI::App& command =
      registry.Add(group, name, text, example, std::move(action));
  command.add_option("account", target->account, kAccountHelp)->required();
  return command;
}

void AddReason(CLI::App& command, std::string& reason) {
  command.add_option("--reason", reason, "For the audit log")
      ->type_name("TEXT");
}

void AddDisable(Registry& registry, CLI::App& group) {
  auto target = std::make_shared<Target>();
  CLI::App& command = AddTargeted(
      registry, group, "disable",
      "Ends everything the account has and keeps it from signing in.",
      "ostiary account disable ada --reason \"lost laptop\"", target,
      [target](Invocation& run) {
        v1::DisableAccountRequest request;
        request.set_reason(target->reason);
        return ShowResult(
            run, CallFor(run, target->account, &Accounts::Stub::DisableAccount,
                         request));
      });
  AddReason(command, target->reason);
}

void AddEnable(Registry& registry, CLI::App& group) {
  auto target = std::make_shared<Target>();
  AddTargeted(registry, group, "enable",
              "Lets the account sign in again. What was ended stays ended.",
              "ostiary account enable ada", target, [target](Invocation& run) {
                v1::EnableAccountRequest request;
                return ShowResult(
                    run, CallFor(run, target->account,
                                 &Accounts::Stub::EnableAccount, request));
              });
}

absl::StatusOr<ExitCode> Delete(Invocation& run, const Target& target) {
  absl::Status confirmed = Confirm(
      target.yes ? Consent::kGiven : Consent::kAsk,
      absl::StrCat("Delete the account \"", target.account, "\" for ever?"),
      run.surroundings());
  if (!confirmed.ok()) return confirmed;
  v1::DeleteAccountRequest request;
  request.set_reason(target.reason);
  return ShowResult(run, CallFor(run, target.account,
                                 &Accounts::Stub::DeleteAccount, request));
}

void AddDelete(Registry& registry, CLI::App& group) {
  auto target = std::make_shared<Target>();
  CLI::App& command = AddTargeted(
      registry, group, "delete",
      "Deletes the account with its sessions and tokens. Asks first.",
      "ostiary account delete ada --yes", target,
      [target](Invocation& run) { return Delete(run, *target); });
  AddReason(command, target->reason);
  command.add_flag("--yes", target->yes, "Do not ask");
}

struct NewPassword {
  bool from_stdin = false;
  bool hash_from_stdin = false;
};

absl::StatusOr<ExitCode> SetPassword(Invocation& run, const Target& target,
                                     const NewPassword& flags) {
  v1::SetPasswordRequest request;
  absl::StatusOr<SecretText> secret =
      flags.hash_from_stdin
          ? ReadSecretFromStdin("password hash", run.surroundings())
          : ReadNewPassword(flags.from_stdin ? SecretSource::kStdin
                                             : SecretSource::kTerminal,
                            run.surroundings());
  if (!secret.ok()) return secret.status();
  if (flags.hash_from_stdin) {
    request.set_password_hash(secret->Reveal());
  } else {
    request.set_password(secret->Reveal());
  }
  auto response =
      CallFor(run, target.account, &Accounts::Stub::SetPassword, request);
  if (request.has_password()) Wipe(*request.mutable_password());
  return ShowResult(run, response);
}

void AddSetPassword(Registry& registry, CLI::App& group) {
  auto target = std::make_shared<Target>();
  auto flags = std::make_shared<NewPassword>();
  CLI::App& command = AddTargeted(
      registry, group, "set-password",
      "Sets the password and ends all sessions. The password is asked for.",
      "ostiary account set-password ada", target,
      [target, flags](Invocation& run) {
        return SetPassword(run, *target, *flags);
      });
  CLI::Option* password = command.add_flag(
      "--password-stdin", flags->from_stdin, "Read the password from stdin");
  command
      .add_flag("--password-hash-stdin", flags->hash_from_stdin,
                "Read an existing hash (argon2id, bcrypt) from stdin")
      ->excludes(password);
}

template <typename Request, typename Response>
void AddRoleCommand(Registry& registry, CLI::App& group, const char* name,
                    const char* text, const char* example,
                    grpc::Status (Accounts::Stub::*method)(grpc::ClientContext*,
                                                           const Request&,
                                                           Response*)) {
  auto target = std::make_shared<Target>();
  auto role = std::make_shared<std::string>();
  CLI::App& command = AddTargeted(
      registry, group, name, text, example, target,
      [target, role, method](Invocation& run) {
        Request request;
        request.set_role(*role);
        return ShowResult(run, CallFor(run, target->account, method, request));
      });
  command.add_option("role", *role, "A-Z a-z 0-9 . _ : -")->required();
}

}  // namespace

void AddAccountEdits(Registry& registry, CLI::App& account) {
  AddUpdate(registry, account);
  AddDisable(registry, account);
  AddEnable(registry, account);
  AddDelete(registry, account);
  AddSetPassword(registry, account);
  AddRoleCommand(registry, account, "grant-role",
                 "Gives a role; tokens minted from now on carry it.",
                 "ostiary account grant-role ada editor",
                 &Accounts::Stub::GrantRole);
  AddRoleCommand(registry, account, "revoke-role",
                 "Takes a role and ends the access tokens that carry it.",
                 "ostiary account revoke-role ada editor",
                 &Accounts::Stub::RevokeRole);
}

}  // namespace ostiary::cli
