#include <optional>

#include "ostiary/v1/account_service.pb.h"
#include "server/base/reason.h"
#include "server/door/messages.h"
#include "server/door/methods.h"

namespace ostiary::door {
namespace {

constexpr std::size_t kMaxMetadataBytes = 8 * 1024;

// The credential of a request that has `password` and `password_hash`.
template <typename Request>
std::optional<flow::Credential> CredentialOf(Request& request) {
  if (request.has_password()) return TakeSecret(*request.mutable_password());
  if (request.has_password_hash())
    return flow::ImportedHash{request.password_hash()};
  return std::nullopt;
}

// The answer of a change, for responses with `account` and `revision`.
template <typename Response>
absl::Status Answer(const absl::StatusOr<flow::ChangedAccount>& changed,
                    Response& response) {
  if (!changed.ok()) return changed.status();
  ToMessage(changed->account, *response.mutable_account());
  response.set_revision(changed->revision);
  return absl::OkStatus();
}

template <typename Response>
absl::Status AnswerAccount(const absl::StatusOr<storage::AccountRow>& account,
                           Response& response) {
  if (!account.ok()) return account.status();
  ToMessage(*account, *response.mutable_account());
  return absl::OkStatus();
}

absl::Status Create(const flow::ManageAccounts& accounts,
                    const flow::Caller& caller,
                    v1::CreateAccountRequest& request,
                    v1::CreateAccountResponse& response) {
  flow::AccountDraft draft{request.username(),
                           request.email(),
                           request.email_verified(),
                           request.display_name(),
                           {request.roles().begin(), request.roles().end()}};
  return AnswerAccount(accounts.Create(caller, draft, CredentialOf(request)),
                       response);
}

absl::Status Get(const flow::ManageAccounts& accounts,
                 const v1::GetAccountRequest& request,
                 v1::GetAccountResponse& response) {
  using Kind = flow::AccountKey::Kind;
  switch (request.key_case()) {
    case v1::GetAccountRequest::kAccountId:
      return AnswerAccount(accounts.Get({Kind::kId, request.account_id()}),
                           response);
    case v1::GetAccountRequest::kUsername:
      return AnswerAccount(accounts.Get({Kind::kUsername, request.username()}),
                           response);
    case v1::GetAccountRequest::kEmail:
      return AnswerAccount(accounts.Get({Kind::kEmail, request.email()}),
                           response);
    case v1::GetAccountRequest::KEY_NOT_SET:
      break;
  }
  return RefuseField("key", "one of account_id, username, email is needed");
}

absl::Status List(const flow::ManageAccounts& accounts,
                  const v1::ListAccountsRequest& request,
                  v1::ListAccountsResponse& response) {
  const auto page = accounts.List(request.page_size(), request.page_token());
  if (!page.ok()) return page.status();
  for (const storage::AccountRow& row : page->accounts) {
    ToMessage(row, *response.add_accounts());
  }
  response.set_next_page_token(page->next_page_token);
  return absl::OkStatus();
}

absl::StatusOr<flow::ProfileChange> ChangeOf(
    const v1::UpdateAccountRequest& request) {
  if (request.update_mask().paths().empty()) {
    return RefuseField("update_mask", "must name at least one field");
  }
  const v1::Account& account = request.account();
  flow::ProfileChange change;
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "username") {
      change.username = account.username();
    } else if (path == "email") {
      change.email = account.email();
    } else if (path == "email_verified") {
      change.email_verified = account.email_verified();
    } else if (path == "display_name") {
      change.display_name = account.display_name();
    } else if (path == "metadata") {
      auto json = StructToJson(account.metadata(), kMaxMetadataBytes,
                               "account.metadata");
      if (!json.ok()) return json.status();
      change.metadata_json = *std::move(json);
    } else {
      return RefuseField(
          "update_mask",
          "may name username, email, email_verified, display_name and "
          "metadata; "
          "roles and the disabled state have methods of their own");
    }
  }
  return change;
}

absl::Status Update(const flow::ManageAccounts& accounts,
                    const flow::Caller& caller,
                    const v1::UpdateAccountRequest& request,
                    v1::UpdateAccountResponse& response) {
  const auto change = ChangeOf(request);
  if (!change.ok()) return change.status();
  return AnswerAccount(
      accounts.Update(caller, request.account().account_id(), *change),
      response);
}

absl::Status Disable(const flow::ManageAccounts& accounts,
                     const flow::Caller& caller,
                     const v1::DisableAccountRequest& request,
                     v1::DisableAccountResponse& response) {
  if (auto status = CheckReason(request.reason()); !status.ok()) return status;
  return Answer(
      accounts.Disable(caller, request.account_id(), request.reason()),
      response);
}

absl::Status Delete(const flow::ManageAccounts& accounts,
                    const flow::Caller& caller,
                    const v1::DeleteAccountRequest& request,
                    v1::DeleteAccountResponse& response) {
  if (auto status = CheckReason(request.reason()); !status.ok()) return status;
  const auto changed =
      accounts.Delete(caller, request.account_id(), request.reason());
  if (!changed.ok()) return changed.status();
  response.set_revision(changed->revision);
  return absl::OkStatus();
}

absl::Status SetPassword(const flow::ManageAccounts& accounts,
                         const flow::Caller& caller,
                         v1::SetPasswordRequest& request,
                         v1::SetPasswordResponse& response) {
  const std::optional<flow::Credential> credential = CredentialOf(request);
  if (!credential.has_value()) {
    return RefuseField("credential",
                       "one of password, password_hash is needed");
  }
  const auto changed =
      accounts.SetPassword(caller, request.account_id(), *credential);
  if (!changed.ok()) return changed.status();
  response.set_revision(changed->revision);
  return absl::OkStatus();
}

}  // namespace

void ServeAccounts(const flow::ManageAccounts& accounts, MethodBook& book) {
  book.Serve<v1::CreateAccountRequest, v1::CreateAccountResponse>(
      "ostiary.v1.AccountService/CreateAccount",
      [&accounts](const auto& caller, auto& request, auto& response) {
        return Create(accounts, caller, request, response);
      });
  book.Serve<v1::GetAccountRequest, v1::GetAccountResponse>(
      "ostiary.v1.AccountService/GetAccount",
      [&accounts](const auto&, auto& request, auto& response) {
        return Get(accounts, request, response);
      });
  book.Serve<v1::ListAccountsRequest, v1::ListAccountsResponse>(
      "ostiary.v1.AccountService/ListAccounts",
      [&accounts](const auto&, auto& request, auto& response) {
        return List(accounts, request, response);
      });
  book.Serve<v1::UpdateAccountRequest, v1::UpdateAccountResponse>(
      "ostiary.v1.AccountService/UpdateAccount",
      [&accounts](const auto& caller, auto& request, auto& response) {
        return Update(accounts, caller, request, response);
      });
  book.Serve<v1::DisableAccountRequest, v1::DisableAccountResponse>(
      "ostiary.v1.AccountService/DisableAccount",
      [&accounts](const auto& caller, auto& request, auto& response) {
        return Disable(accounts, caller, request, response);
      });
  book.Serve<v1::EnableAccountRequest, v1::EnableAccountResponse>(
      "ostiary.v1.AccountService/EnableAccount",
      [&accounts](const auto& caller, auto& request, auto& response) {
        const auto changed = accounts.Enable(caller, request.account_id());
        if (!changed.ok()) return changed.status();
        ToMessage(changed->account, *response.mutable_account());
        return absl::OkStatus();
      });
  book.Serve<v1::DeleteAccountRequest, v1::DeleteAccountResponse>(
      "ostiary.v1.AccountService/DeleteAccount",
      [&accounts](const auto& caller, auto& request, auto& response) {
        return Delete(accounts, caller, request, response);
      });
  book.Serve<v1::SetPasswordRequest, v1::SetPasswordResponse>(
      "ostiary.v1.AccountService/SetPassword",
      [&accounts](const auto& caller, auto& request, auto& response) {
        return SetPassword(accounts, caller, request, response);
      });
  book.Serve<v1::GrantRoleRequest, v1::GrantRoleResponse>(
      "ostiary.v1.AccountService/GrantRole",
      [&accounts](const auto& caller, auto& request, auto& response) {
        const auto changed =
            accounts.GrantRole(caller, request.account_id(), request.role());
        if (!changed.ok()) return changed.status();
        ToMessage(changed->account, *response.mutable_account());
        return absl::OkStatus();
      });
  book.Serve<v1::RevokeRoleRequest, v1::RevokeRoleResponse>(
      "ostiary.v1.AccountService/RevokeRole",
      [&accounts](const auto& caller, auto& request, auto& response) {
        return Answer(
            accounts.RevokeRole(caller, request.account_id(), request.role()),
            response);
      });
}

}  // namespace ostiary::door
