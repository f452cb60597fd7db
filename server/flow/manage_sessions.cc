#include "server/flow/manage_sessions.h"

#include <algorithm>

#include "server/base/reason.h"
#include "server/flow/account_change.h"

namespace ostiary::flow {
namespace {

constexpr std::size_t kSessionsLookedAt = 4096;

// Whose sessions the caller means, if they may.
absl::StatusOr<AccountId> Target(const Caller& caller,
                                 absl::string_view account_id) {
  if (account_id.empty()) {
    if (!caller.account_id.has_value())
      return RefuseField("account_id", "is needed here");
    return *caller.account_id;
  }
  const auto parsed = AccountId::Parse(account_id);
  if (!parsed.has_value()) return Refuse(Reason::kNotFound);
  if (!caller.is_operator() && parsed != caller.account_id)
    return Refuse(Reason::kNotFound);
  return *parsed;
}

absl::StatusOr<storage::AccountRow> FindAccount(
    const storage::AccountReader& accounts, const AccountId& account_id) {
  auto account = accounts.Find(account_id.bytes());
  if (!account.ok()) return account.status();
  if (!account->has_value()) return Refuse(Reason::kNotFound);
  return **std::move(account);
}

}  // namespace

absl::StatusOr<std::vector<storage::SessionRow>> ManageSessions::List(
    const Caller& caller, absl::string_view account_id) const {
  const absl::StatusOr<AccountId> target = Target(caller, account_id);
  if (!target.ok()) return target.status();
  using Rows = std::vector<storage::SessionRow>;
  return storage::ReadValue<Rows>(
      store_, [&](storage::ReadTx& tx) -> absl::StatusOr<Rows> {
        auto account = FindAccount(tx.accounts(), *target);
        if (!account.ok()) return account.status();
        auto rows =
            tx.sessions().ListLive(target->bytes(), account->session_floor,
                                   clock_.Now(), kSessionsLookedAt);
        if (!rows.ok()) return rows;
        std::reverse(rows->begin(), rows->end());
        return rows;
      });
}

absl::StatusOr<std::string> ManageSessions::Revoke(
    const Caller& caller, absl::string_view session_id,
    absl::string_view reason) const {
  const auto id = SessionId::Parse(session_id);
  if (!id.has_value()) return Refuse(Reason::kNotFound);
  return storage::WriteValue<std::string>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<std::string> {
        auto session = tx.sessions().Find(id->bytes());
        if (!session.ok()) return session.status();
        if (!session->has_value()) return Refuse(Reason::kNotFound);
        const AccountId owner((*session)->account_id);
        if (!caller.is_operator() && owner != caller.account_id)
          return Refuse(Reason::kNotFound);
        const absl::Time now = clock_.Now();
        auto revision = EndSession(tx, *id, now, access_ceiling_, reason);
        if (!revision.ok()) return revision;
        auto audited = tx.audit().Append(
            caller.Did(audit::action::kRevokeSession, audit::kOk, now)
                .About(owner)
                .About(*id)
                .With("reason", reason)
                .Row());
        if (!audited.ok()) return audited;
        return revision;
      });
}

absl::StatusOr<std::string> ManageSessions::RevokeAll(
    const Caller& caller, absl::string_view account_id,
    absl::string_view reason) const {
  const absl::StatusOr<AccountId> target = Target(caller, account_id);
  if (!target.ok()) return target.status();
  return storage::WriteValue<std::string>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<std::string> {
        auto account = FindAccount(tx.accounts(), *target);
        if (!account.ok()) return account.status();
        const absl::Time now = clock_.Now();
        auto revision = ChangeAccount(tx, account::Event::kSignedOutEverywhere,
                                      now, access_ceiling_, reason, *account);
        if (!revision.ok()) return revision;
        auto audited = tx.audit().Append(
            caller.Did(audit::action::kRevokeAllSessions, audit::kOk, now)
                .About(*target)
                .With("reason", reason)
                .Row());
        if (!audited.ok()) return audited;
        return revision;
      });
}

}  // namespace ostiary::flow
