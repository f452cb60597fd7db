#include "server/flow/new_account.h"

#include <utility>

#include "server/account/identifiers.h"
#include "server/account/roles.h"
#include "server/base/reason.h"

namespace ostiary::flow {
namespace {

constexpr std::size_t kMaxDisplayNameBytes = 200;

// Collects what is wrong with the fields, so that all of it is said at once.
class Violations {
 public:
  void Add(const absl::Status& status) {
    for (FieldViolation& violation : FieldViolationsOf(status)) {
      all_.push_back(std::move(violation));
    }
  }
  void Take(const absl::StatusOr<std::string>& key, std::string& into) {
    if (key.ok()) {
      into = *key;
    } else {
      Add(key.status());
    }
  }
  absl::Status ToStatus() const {
    return all_.empty() ? absl::OkStatus()
                        : RefuseFields(Reason::kArgumentInvalid, all_);
  }

 private:
  std::vector<FieldViolation> all_;
};

}  // namespace

absl::StatusOr<storage::AccountRow> DraftRow(const AccountDraft& draft) {
  Violations violations;
  storage::AccountRow row;
  if (draft.username.empty() && draft.email.empty()) {
    violations.Add(RefuseField("username", "a username or an email is needed"));
  }
  if (!draft.username.empty()) {
    violations.Take(account::UsernameKey(draft.username, "username"),
                    row.username_key);
  }
  if (!draft.email.empty()) {
    violations.Take(account::EmailKey(draft.email, "email"), row.email_key);
  }
  violations.Add(account::CheckDisplayText(
      draft.display_name, kMaxDisplayNameBytes, "display_name"));
  for (const std::string& role : draft.roles) {
    violations.Add(account::CheckRole(role, "roles"));
    account::AddRole(row.roles, role);
  }
  if (row.roles.size() > account::kMaxRoles) {
    violations.Add(RefuseField("roles", "at most 32"));
  }
  if (auto status = violations.ToStatus(); !status.ok()) return status;
  row.username = draft.username;
  row.email = draft.email;
  row.email_verified = draft.email_verified && !draft.email.empty();
  row.display_name = draft.display_name;
  return row;
}

absl::Status InsertAccount(storage::WriteTx& tx, Random& random, absl::Time now,
                           storage::AccountRow& row) {
  row.account_id = random.NewId(now);
  row.create_time = now;
  row.update_time = now;
  return MaskDuplicate(tx.accounts().Insert(row));
}

absl::Status MaskDuplicate(absl::Status status) {
  if (status.code() == absl::StatusCode::kAlreadyExists && !HasReason(status)) {
    return Refuse(Reason::kIdentifierTaken);
  }
  return status;
}

}  // namespace ostiary::flow
