#ifndef OSTIARY_SERVER_FLOW_MANAGE_ACCOUNTS_H_
#define OSTIARY_SERVER_FLOW_MANAGE_ACCOUNTS_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/account/events.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/flow/caller.h"
#include "server/flow/new_account.h"
#include "server/flow/new_password.h"
#include "storage/store.h"

namespace ostiary::flow {

// Which account is meant.
struct AccountKey {
  enum class Kind { kId, kUsername, kEmail };
  Kind kind;
  std::string text;
};

// What is to change in an account; empty: stays.
struct ProfileChange {
  std::optional<std::string> username;
  std::optional<std::string> email;
  std::optional<bool> email_verified;
  std::optional<std::string> display_name;
  std::optional<std::string> metadata_json;
};

// An account as it is after a change, and the ticket of what the change ended
// (empty: nothing).
struct ChangedAccount {
  storage::AccountRow account;
  std::string revision;
};

// Keeping accounts, for operators. Every change is audited in its transaction.
class ManageAccounts {
 public:
  ManageAccounts(const Clock& clock, Random& random, storage::Store& store,
                 const NewPasswords& new_passwords,
                 absl::Duration access_ceiling)
      : clock_(clock),
        random_(random),
        store_(store),
        new_passwords_(new_passwords),
        access_ceiling_(access_ceiling) {}

  // `credential` empty: the account cannot sign in by password.
  absl::StatusOr<storage::AccountRow> Create(
      const Caller& caller, const AccountDraft& draft,
      const std::optional<Credential>& credential) const;
  absl::StatusOr<storage::AccountRow> Get(const AccountKey& key) const;

  struct Page {
    std::vector<storage::AccountRow> accounts;
    std::string next_page_token;  // empty: the last page
  };
  absl::StatusOr<Page> List(int page_size, absl::string_view page_token) const;

  absl::StatusOr<storage::AccountRow> Update(const Caller& caller,
                                             absl::string_view account_id,
                                             const ProfileChange& change) const;
  absl::StatusOr<ChangedAccount> Disable(const Caller& caller,
                                         absl::string_view account_id,
                                         absl::string_view reason) const;
  absl::StatusOr<ChangedAccount> Enable(const Caller& caller,
                                        absl::string_view account_id) const;
  absl::StatusOr<ChangedAccount> Delete(const Caller& caller,
                                        absl::string_view account_id,
                                        absl::string_view reason) const;
  absl::StatusOr<ChangedAccount> SetPassword(
      const Caller& caller, absl::string_view account_id,
      const Credential& credential) const;
  absl::StatusOr<ChangedAccount> GrantRole(const Caller& caller,
                                           absl::string_view account_id,
                                           absl::string_view role) const;
  absl::StatusOr<ChangedAccount> RevokeRole(const Caller& caller,
                                            absl::string_view account_id,
                                            absl::string_view role) const;

 private:
  // Changes the row in place and says which event that was; nullopt: nothing
  // to do.
  using Body = absl::FunctionRef<absl::StatusOr<std::optional<account::Event>>(
      storage::WriteTx&, storage::AccountRow&, absl::Time)>;
  absl::StatusOr<ChangedAccount> Change(const Caller& caller,
                                        absl::string_view account_id,
                                        absl::string_view action,
                                        absl::string_view reason,
                                        Body body) const;

  const Clock& clock_;
  Random& random_;
  storage::Store& store_;
  const NewPasswords& new_passwords_;
  const absl::Duration access_ceiling_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_MANAGE_ACCOUNTS_H_
