#include "client/cli/account_name.h"

#include "absl/strings/match.h"
#include "client/cli/failure.h"
#include "ostiary/v1/account_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

bool IsAccountId(const std::string& name) {
  return absl::StartsWith(name, "acct_");
}

}  // namespace

absl::StatusOr<v1::Account> FindAccount(Invocation& run,
                                        const std::string& name) {
  if (name.empty()) return UsageError("the account's name is empty");
  v1::GetAccountRequest request;
  if (IsAccountId(name)) {
    request.set_account_id(name);
  } else if (absl::StrContains(name, '@')) {
    request.set_email(name);
  } else {
    request.set_username(name);
  }
  auto response = run.Call<v1::AccountService>(
      &v1::AccountService::Stub::GetAccount, request);
  if (!response.ok()) return response.status();
  return response->account();
}

absl::StatusOr<std::string> FindAccountId(Invocation& run,
                                          const std::string& name) {
  if (IsAccountId(name)) return name;
  const absl::StatusOr<v1::Account> account = FindAccount(run, name);
  if (!account.ok()) return account.status();
  return account->account_id();
}

}  // namespace ostiary::cli
