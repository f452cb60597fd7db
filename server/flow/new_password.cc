#include "server/flow/new_password.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/password/hash_fault.h"
#include "server/password/password_hash.h"

namespace ostiary::flow {
namespace {

absl::StatusOr<std::string> CheckImported(const ImportedHash& imported) {
  const auto hash = password::PasswordHash::Parse(imported.text);
  if (!hash.ok()) {
    return RefuseField("password_hash",
                       absl::StrCat("is not a hash that can be used: ",
                                    password::FaultName(hash.status())));
  }
  return imported.text;
}

}  // namespace

absl::StatusOr<std::string> NewPasswords::Hash(
    const Caller& caller, const SecretBytes& password,
    const storage::AccountRow& account, absl::string_view field) const {
  const auto presented = password::PresentedPassword::From(password.Reveal());
  const std::vector<std::string> context = {account.username, account.email,
                                            account.display_name};
  if (auto status = policy_.Check(field, presented, context); !status.ok())
    return status;
  return passwords_.Hash(presented, caller.deadline, caller.cancelled);
}

absl::StatusOr<std::string> NewPasswords::HashOf(
    const Caller& caller, const Credential& credential,
    const storage::AccountRow& account) const {
  if (const auto* imported = std::get_if<ImportedHash>(&credential)) {
    return CheckImported(*imported);
  }
  return Hash(caller, std::get<SecretBytes>(credential), account, "password");
}

}  // namespace ostiary::flow
