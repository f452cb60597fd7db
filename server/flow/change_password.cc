#include "server/flow/change_password.h"

#include <utility>

#include "server/base/reason.h"
#include "server/flow/account_change.h"
#include "server/session/sessions.h"

namespace ostiary::flow {
namespace {

using MaybeTicket = std::optional<std::string>;

// The calling session as it must become, if it may survive the change.
absl::StatusOr<std::optional<storage::SessionRow>> SurvivingSession(
    storage::WriteTx& tx, const SessionId& session_id,
    const storage::AccountRow& account, absl::Time now) {
  auto session = tx.sessions().Find(session_id.bytes());
  if (!session.ok() || !session->has_value()) return session;
  const bool live =
      session::Sessions::IsLive(**session, account.session_floor, now);
  if (!live || (*session)->account_id != account.account_id) {
    return std::optional<storage::SessionRow>();
  }
  return session;
}

}  // namespace

absl::StatusOr<std::string> ChangePassword::Run(
    const Caller& caller, const SecretBytes& current_password,
    const SecretBytes& new_password) const {
  using MaybeRow = std::optional<storage::AccountRow>;
  absl::StatusOr<MaybeRow> account =
      storage::ReadValue<MaybeRow>(store_, [&](storage::ReadTx& tx) {
        return tx.accounts().Find(caller.account_id->bytes());
      });
  if (!account.ok()) return account.status();
  if (!account->has_value()) return Refuse(Reason::kCredentialsRejected);

  const auto admission = limiter_.Admit(caller.account_id->ToString(),
                                        caller.origin, clock_.Now());
  if (!admission.ok()) return admission.status();
  absl::StatusOr<bool> matched = Matches(caller, **account, current_password);
  if (!matched.ok()) {
    limiter_.NotTried(*admission);
    return matched.status();
  }
  std::string new_hash;
  if (*matched) {
    limiter_.Succeeded(*admission, clock_.Now());
    auto hash =
        new_passwords_.Hash(caller, new_password, **account, "new_password");
    if (!hash.ok()) return hash.status();
    new_hash = *std::move(hash);
  }
  absl::StatusOr<MaybeTicket> ticket =
      storage::WriteValue<MaybeTicket>(store_, [&](storage::WriteTx& tx) {
        return Settle(tx, caller, **account, *matched, new_hash);
      });
  if (!ticket.ok()) return ticket.status();
  if (!ticket->has_value()) return Refuse(Reason::kCredentialsRejected);
  return **std::move(ticket);
}

absl::StatusOr<bool> ChangePassword::Matches(
    const Caller& caller, const storage::AccountRow& account,
    const SecretBytes& password) const {
  password::Attempt attempt;
  attempt.identifier_key = caller.account_id->ToString();
  attempt.stored_hash = account.password_hash;
  attempt.deadline = caller.deadline;
  attempt.cancelled = caller.cancelled;
  auto outcome = passwords_.Verify(
      attempt, password::PresentedPassword::From(password.Reveal()));
  if (!outcome.ok()) return outcome.status();
  return outcome->match;
}

absl::StatusOr<MaybeTicket> ChangePassword::Settle(
    storage::WriteTx& tx, const Caller& caller, const storage::AccountRow& read,
    bool matched, const std::string& new_hash) const {
  const absl::Time now = clock_.Now();
  const AccountId account_id(read.account_id);
  const auto audit = [&](absl::string_view outcome) {
    return tx.audit().Append(
        caller.Did(audit::action::kChangePassword, outcome, now)
            .About(account_id)
            .Row());
  };
  auto account = tx.accounts().Find(read.account_id);
  if (!account.ok()) return account.status();
  const bool current =
      account->has_value() && !(*account)->disabled &&
      (*account)->credential_version == read.credential_version;
  std::optional<storage::SessionRow> session;
  if (current && caller.session_id.has_value()) {
    auto surviving = SurvivingSession(tx, *caller.session_id, **account, now);
    if (!surviving.ok()) return surviving.status();
    session = *std::move(surviving);
  }
  if (!matched || !session.has_value()) {
    const auto audited =
        audit(matched ? "changed_meanwhile" : "wrong_password");
    if (!audited.ok()) return audited;
    return MaybeTicket();
  }

  (*account)->password_hash = new_hash;
  auto ticket = ChangeAccount(tx, account::Event::kPasswordChanged, now,
                              access_ceiling_, "password changed", **account);
  if (!ticket.ok()) return ticket.status();
  session->opened_generation = (*account)->generation;
  auto stamped = tx.sessions().UpdateIf(*session, session->generation);
  if (!stamped.ok()) return stamped.status();
  if (!*stamped)
    return absl::AbortedError("the session changed within the transaction");
  if (auto audited = audit(audit::kOk); !audited.ok()) return audited;
  return MaybeTicket(*std::move(ticket));
}

}  // namespace ostiary::flow
