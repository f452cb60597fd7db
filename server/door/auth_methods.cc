#include "ostiary/v1/auth_service.pb.h"
#include "server/base/reason.h"
#include "server/door/messages.h"
#include "server/door/methods.h"

namespace ostiary::door {
namespace {

absl::Status SignUp(const flow::SignUp& sign_up, const flow::Caller& caller,
                    v1::SignUpRequest& request, v1::SignUpResponse& response) {
  const auto account =
      sign_up.Run(caller, {request.username(), request.email(),
                           TakeSecret(*request.mutable_password()),
                           request.display_name()});
  if (!account.ok()) return account.status();
  ToMessage(*account, *response.mutable_account());
  return absl::OkStatus();
}

absl::Status SignIn(const flow::SignIn& sign_in, const flow::Caller& caller,
                    v1::SignInWithPasswordRequest& request,
                    v1::SignInWithPasswordResponse& response) {
  SecretBytes password = TakeSecret(*request.mutable_password());
  if (request.identifier().empty()) {
    return RefuseField("identifier", "is needed: a username or an email");
  }
  if (password.empty()) return RefuseField("password", "is needed");
  const auto tokens = sign_in.WithPassword(
      caller, {request.identifier(), std::move(password), request.audience(),
               request.scope(), request.client_id()});
  if (!tokens.ok()) return tokens.status();
  ToMessage(*tokens, *response.mutable_tokens());
  return absl::OkStatus();
}

absl::Status Refresh(const flow::Refresh& refresh, const flow::Caller& caller,
                     v1::RefreshRequest& request,
                     v1::RefreshResponse& response) {
  const auto tokens = refresh.Run(
      caller, {request.refresh_token(), request.scope(), request.request_id()});
  Wipe(*request.mutable_refresh_token());
  if (!tokens.ok()) return tokens.status();
  ToMessage(*tokens, *response.mutable_tokens());
  return absl::OkStatus();
}

absl::Status SignOut(const flow::SignOut& sign_out, const flow::Caller& caller,
                     v1::SignOutRequest& request,
                     v1::SignOutResponse& response) {
  if (request.refresh_token().empty())
    return RefuseField("refresh_token", "is needed");
  const auto revision = sign_out.Run(caller, request.refresh_token());
  Wipe(*request.mutable_refresh_token());
  if (!revision.ok()) return revision.status();
  response.set_revision(*revision);
  return absl::OkStatus();
}

absl::Status GetCurrentAccount(const flow::ManageAccounts& accounts,
                               const flow::Caller& caller,
                               v1::GetCurrentAccountResponse& response) {
  const auto account = accounts.Get(
      {flow::AccountKey::Kind::kId, caller.account_id->ToString()});
  if (!account.ok()) return account.status();
  ToMessage(*account, *response.mutable_account());
  return absl::OkStatus();
}

absl::Status ChangePassword(const flow::ChangePassword& change,
                            const flow::Caller& caller,
                            v1::ChangePasswordRequest& request,
                            v1::ChangePasswordResponse& response) {
  const SecretBytes current = TakeSecret(*request.mutable_current_password());
  const SecretBytes wanted = TakeSecret(*request.mutable_new_password());
  if (current.empty()) return RefuseField("current_password", "is needed");
  const auto revision = change.Run(caller, current, wanted);
  if (!revision.ok()) return revision.status();
  response.set_revision(*revision);
  return absl::OkStatus();
}

}  // namespace

void ServeAuth(const AuthFlows& flows, MethodBook& book) {
  book.Serve<v1::SignUpRequest, v1::SignUpResponse>(
      "ostiary.v1.AuthService/SignUp",
      [&flow = flows.sign_up](const auto& caller, auto& request,
                              auto& response) {
        return SignUp(flow, caller, request, response);
      });
  book.Serve<v1::SignInWithPasswordRequest, v1::SignInWithPasswordResponse>(
      "ostiary.v1.AuthService/SignInWithPassword",
      [&flow = flows.sign_in](const auto& caller, auto& request,
                              auto& response) {
        return SignIn(flow, caller, request, response);
      });
  book.Serve<v1::RefreshRequest, v1::RefreshResponse>(
      "ostiary.v1.AuthService/Refresh",
      [&flow = flows.refresh](const auto& caller, auto& request,
                              auto& response) {
        return Refresh(flow, caller, request, response);
      });
  book.Serve<v1::SignOutRequest, v1::SignOutResponse>(
      "ostiary.v1.AuthService/SignOut",
      [&flow = flows.sign_out](const auto& caller, auto& request,
                               auto& response) {
        return SignOut(flow, caller, request, response);
      });
  book.Serve<v1::GetCurrentAccountRequest, v1::GetCurrentAccountResponse>(
      "ostiary.v1.AuthService/GetCurrentAccount",
      [&flow = flows.accounts](const auto& caller, auto&, auto& response) {
        return GetCurrentAccount(flow, caller, response);
      });
  book.Serve<v1::ChangePasswordRequest, v1::ChangePasswordResponse>(
      "ostiary.v1.AuthService/ChangePassword",
      [&flow = flows.change_password](const auto& caller, auto& request,
                                      auto& response) {
        return ChangePassword(flow, caller, request, response);
      });
}

}  // namespace ostiary::door
