// account create, get, list, and the group itself.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/account_name.h"
#include "client/cli/failure.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "ostiary/v1/account_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using Accounts = v1::AccountService;

struct NewAccount {
  std::string username;
  std::string email;
  std::string display_name;
  std::vector<std::string> roles;
  bool email_verified = false;
  bool password_stdin = false;
  bool password_hash_stdin = false;
  bool no_password = false;
};

absl::Status FillCredential(const NewAccount& flags, Surroundings& surroundings,
                            v1::CreateAccountRequest& request) {
  if (flags.no_password) return absl::OkStatus();
  if (flags.password_hash_stdin) {
    absl::StatusOr<SecretText> hash =
        ReadSecretFromStdin("password hash", surroundings);
    if (!hash.ok()) return hash.status();
    request.set_password_hash(hash->Reveal());
    return absl::OkStatus();
  }
  const SecretSource source =
      flags.password_stdin ? SecretSource::kStdin : SecretSource::kTerminal;
  absl::StatusOr<SecretText> password = ReadNewPassword(source, surroundings);
  if (!password.ok()) return password.status();
  request.set_password(password->Reveal());
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Create(Invocation& run, const NewAccount& flags) {
  if (flags.username.empty() && flags.email.empty()) {
    return UsageError("an account needs --username, --email or both");
  }
  v1::CreateAccountRequest request;
  request.set_username(flags.username);
  request.set_email(flags.email);
  request.set_email_verified(flags.email_verified);
  request.set_display_name(flags.display_name);
  for (const std::string& role : flags.roles) request.add_roles(role);
  absl::Status filled = FillCredential(flags, run.surroundings(), request);
  if (!filled.ok()) return filled;
  const auto response =
      run.Call<Accounts>(&Accounts::Stub::CreateAccount, request);
  if (request.has_password()) Wipe(*request.mutable_password());
  if (!response.ok()) return response.status();
  return run.Answer(response->account());
}

void AddCreate(Registry& registry, CLI::App& account) {
  auto flags = std::make_shared<NewAccount>();
  CLI::App& command = registry.Add(
      account, "create",
      "Makes an account. The password is asked for, unless a flag says else.",
      "ostiary account create --username ada --email ada@example.com "
      "--role editor",
      [flags](Invocation& run) { return Create(run, *flags); });
  command.add_option("--username", flags->username, "Without @ and spaces");
  command.add_option("--email", flags->email, "One address");
  command.add_flag("--email-verified", flags->email_verified,
                   "You vouch for the address");
  command.add_option("--display-name", flags->display_name, "For people");
  command.add_option("--role", flags->roles, "May be given several times")
      ->allow_extra_args(false);
  CLI::Option* from_stdin =
      command.add_flag("--password-stdin", flags->password_stdin,
                       "Read the password from stdin");
  CLI::Option* hash =
      command.add_flag("--password-hash-stdin", flags->password_hash_stdin,
                       "Read an existing hash (argon2id, bcrypt) from stdin");
  CLI::Option* none = command.add_flag("--no-password", flags->no_password,
                                       "It cannot sign in by password");
  from_stdin->excludes(hash)->excludes(none);
  hash->excludes(none);
}

void AddGet(Registry& registry, CLI::App& account) {
  auto name = std::make_shared<std::string>();
  CLI::App& command = registry.Add(
      account, "get", "Shows one account.", "ostiary account get ada",
      [name](Invocation& run) -> absl::StatusOr<ExitCode> {
        const auto found = FindAccount(run, *name);
        if (!found.ok()) return found.status();
        return run.Answer(*found);
      });
  command.add_option("account", *name, kAccountHelp)->required();
}

struct Listing {
  int page_size = 200;
  int limit = 0;
};

absl::Status CheckListing(const Listing& flags) {
  if (flags.page_size < 1 || flags.page_size > 1000) {
    return UsageError("--page-size must be between 1 and 1000");
  }
  if (flags.limit < 0) {
    return UsageError("--limit must be 1 or more, or 0 for all");
  }
  return absl::OkStatus();
}

// Follows the pages to the end or the limit, each shown as it comes.
absl::StatusOr<ExitCode> List(Invocation& run, const Listing& flags) {
  if (auto checked = CheckListing(flags); !checked.ok()) return checked;
  Rows rows(
      {"account_id", "username", "email", "roles", "disabled", "create_time"},
      run.format(), run.out());
  int left = flags.limit;
  v1::ListAccountsRequest request;
  do {
    request.set_page_size(flags.limit == 0 ? flags.page_size
                                           : std::min(flags.page_size, left));
    const auto page =
        run.Call<Accounts>(&Accounts::Stub::ListAccounts, request);
    if (!page.ok()) return page.status();
    for (const v1::Account& account : page->accounts()) {
      if (auto added = rows.Add(account); !added.ok()) return added;
    }
    rows.Flush();
    left -= page->accounts_size();
    if (!page->next_page_token().empty() &&
        page->next_page_token() == request.page_token()) {
      return absl::InternalError("the server sends the same page for ever");
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && (flags.limit == 0 || left > 0));
  return ExitCode::kOk;
}

void AddList(Registry& registry, CLI::App& account) {
  auto flags = std::make_shared<Listing>();
  CLI::App& command = registry.Add(
      account, "list",
      "Lists all accounts, oldest first. As JSON: one line for each.",
      "ostiary account list --output json | jq -r .email",
      [flags](Invocation& run) { return List(run, *flags); });
  command.add_option("--page-size", flags->page_size,
                     "Asked for at a time, 1 to 1000 (200)");
  command.add_option("--limit", flags->limit, "At most so many; 0: all");
}

}  // namespace

void AddAccountCommands(Registry& registry) {
  CLI::App& account = registry.Group("account", "Accounts, for operators.");
  AddCreate(registry, account);
  AddGet(registry, account);
  AddList(registry, account);
  AddAccountEdits(registry, account);
}

}  // namespace ostiary::cli
