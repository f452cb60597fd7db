#include "server/flow/sign_out.h"

#include "server/flow/account_change.h"

namespace ostiary::flow {

absl::StatusOr<std::string> SignOut::Run(
    const Caller& caller, absl::string_view refresh_token) const {
  const auto presented = session::PresentedRefreshToken::Parse(refresh_token);
  if (!presented.has_value()) return std::string();
  using Found = std::optional<storage::SessionRow>;
  absl::StatusOr<Found> found =
      storage::ReadValue<Found>(store_, [&](storage::ReadTx& tx) {
        return sessions_.FindAuthentic(tx.sessions(), *presented);
      });
  if (!found.ok()) return found.status();
  if (!found->has_value()) return std::string();

  const AccountId account_id((*found)->account_id);
  return storage::WriteValue<std::string>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<std::string> {
        const absl::Time now = clock_.Now();
        auto revision = EndSession(tx, presented->session_id, now,
                                   access_ceiling_, "signed out");
        if (!revision.ok()) return revision;
        auto audited = tx.audit().Append(
            caller.Did(audit::action::kSignOut, audit::kOk, now)
                .About(account_id)
                .About(presented->session_id)
                .Row());
        if (!audited.ok()) return audited;
        return revision;
      });
}

}  // namespace ostiary::flow
