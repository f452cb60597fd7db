#include "server/flow/sign_up.h"

#include <utility>

#include "server/base/reason.h"

namespace ostiary::flow {

absl::StatusOr<storage::AccountRow> SignUp::Run(const Caller& caller,
                                                const Request& request) const {
  if (policy_ == SignUpPolicy::kOperatorOnly && !caller.is_operator()) {
    return Refuse(Reason::kSignUpClosed);
  }
  absl::StatusOr<storage::AccountRow> draft =
      DraftRow({request.username,
                request.email,
                /*email_verified=*/false,
                request.display_name,
                {}});
  if (!draft.ok()) return draft;
  if (caller.origin.has_value()) {
    auto admitted = limiter_.Admit(caller.origin->ToString(), clock_.Now());
    if (!admitted.ok()) return admitted;
  }
  absl::StatusOr<std::string> hash =
      new_passwords_.Hash(caller, request.password, *draft, "password");
  if (!hash.ok()) return hash.status();
  draft->password_hash = *std::move(hash);

  return storage::WriteValue<storage::AccountRow>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<storage::AccountRow> {
        const absl::Time now = clock_.Now();
        storage::AccountRow row = *draft;
        if (auto inserted = InsertAccount(tx, random_, now, row);
            !inserted.ok())
          return inserted;
        auto audited = tx.audit().Append(
            caller.Did(audit::action::kSignUp, audit::kOk, now)
                .About(AccountId(row.account_id))
                .Row());
        if (!audited.ok()) return audited;
        return row;
      });
}

}  // namespace ostiary::flow
