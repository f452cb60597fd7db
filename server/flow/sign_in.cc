#include "server/flow/sign_in.h"

#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "server/account/identifiers.h"
#include "server/base/keyed_hash.h"
#include "server/base/reason.h"
#include "server/flow/account_change.h"

namespace ostiary::flow {
namespace {

// RFC 8176.
constexpr char kPasswordMethod[] = "pwd";
constexpr std::size_t kIdentifierHashBytes = 8;

// Why a sign-in is refused, for the audit log only.
absl::string_view Truth(const std::optional<storage::AccountRow>& account,
                        bool match, bool still_current) {
  if (!account.has_value()) return "unknown_identifier";
  if (account->password_hash.empty()) return "no_password";
  if (!match) return "wrong_password";
  if (account->disabled) return "disabled";
  return still_current ? audit::kOk : "changed_meanwhile";
}

}  // namespace

absl::StatusOr<IssuedTokens> SignIn::WithPassword(
    const Caller& caller, const Request& request) const {
  absl::StatusOr<client_app::Grant> grant = rooms_.clients.Decide(
      {request.client_id, request.audience, request.scope});
  if (!grant.ok()) return grant.status();
  if (auto status = rooms_.issuer.CheckIssuing(grant->client_id); !status.ok())
    return status;
  absl::StatusOr<Candidate> candidate = Find(request.identifier);
  if (!candidate.ok()) return candidate.status();

  const auto admission = rooms_.limiter.Admit(
      candidate->identifier_key, caller.origin, rooms_.clock.Now());
  if (!admission.ok()) return admission.status();
  absl::StatusOr<password::VerifyOutcome> outcome =
      Check(caller, *candidate, request.password);
  if (!outcome.ok()) {
    // No guess was made: the lane was full or the caller left.
    rooms_.limiter.NotTried(*admission);
    return outcome.status();
  }
  absl::StatusOr<MaybeIssuance> issuance = storage::WriteValue<MaybeIssuance>(
      rooms_.store, [&](storage::WriteTx& tx) {
        return Settle(tx, caller, *candidate, *outcome, *grant);
      });
  if (!issuance.ok()) return issuance.status();
  if (!issuance->has_value()) return Refuse(Reason::kCredentialsRejected);
  rooms_.limiter.Succeeded(*admission, rooms_.clock.Now());
  return rooms_.issuer.Issue(**issuance);
}

absl::StatusOr<SignIn::Candidate> SignIn::Find(
    const std::string& identifier) const {
  Candidate candidate;
  const auto parsed = account::ParseIdentifier(identifier);
  // What names nobody is limited and hashed like everything else.
  candidate.identifier_key =
      parsed.has_value() ? parsed->key
                         : identifier.substr(0, account::kMaxIdentifierBytes);
  const absl::Status status =
      rooms_.store.Read([&](storage::ReadTx& tx) -> absl::Status {
        auto shapes = tx.accounts().HashShapes();
        if (!shapes.ok()) return shapes.status();
        candidate.shapes = *std::move(shapes);
        const bool is_email = parsed.has_value() &&
                              parsed->kind == account::Identifier::Kind::kEmail;
        // A text that can name nobody is looked up too, under a key no row has.
        const std::string key =
            parsed.has_value() ? parsed->key : std::string("\x01");
        auto account = is_email ? tx.accounts().FindByEmail(key)
                                : tx.accounts().FindByUsername(key);
        if (!account.ok()) return account.status();
        candidate.account = *std::move(account);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return candidate;
}

absl::StatusOr<password::VerifyOutcome> SignIn::Check(
    const Caller& caller, const Candidate& candidate,
    const SecretBytes& password) const {
  password::Attempt attempt;
  attempt.identifier_key = candidate.identifier_key;
  if (candidate.account.has_value())
    attempt.stored_hash = candidate.account->password_hash;
  attempt.shapes = candidate.shapes;
  if (candidate.account.has_value() && candidate.account->disabled) {
    attempt.standing = password::Standing::kCannotSucceed;
  }
  attempt.deadline = caller.deadline;
  attempt.cancelled = caller.cancelled;
  return rooms_.passwords.Verify(
      attempt, password::PresentedPassword::From(password.Reveal()));
}

absl::StatusOr<SignIn::MaybeIssuance> SignIn::Settle(
    storage::WriteTx& tx, const Caller& caller, const Candidate& candidate,
    const password::VerifyOutcome& outcome,
    const client_app::Grant& grant) const {
  const absl::Time now = rooms_.clock.Now();
  const storage::Key16 account_id = candidate.account.has_value()
                                        ? candidate.account->account_id
                                        : storage::Key16{};
  auto account = tx.accounts().Find(account_id);
  if (!account.ok()) return account.status();
  // The password was checked against what was read before the hash; it counts
  // only if that is what the account still has.
  const bool current =
      account->has_value() && candidate.account.has_value() &&
      (*account)->credential_version == candidate.account->credential_version &&
      !(*account)->disabled;
  const bool accepted = outcome.match && current;

  MaybeIssuance issuance;
  if (accepted) {
    // Whoever signed in at the same time may have upgraded it already.
    const bool same_hash =
        (*account)->password_hash == candidate.account->password_hash;
    auto opened =
        Open(tx, caller, **account,
             same_hash ? outcome.upgraded_hash : std::nullopt, grant, now);
    if (!opened.ok()) return opened.status();
    issuance = *std::move(opened);
  }
  const absl::string_view truth =
      accepted ? audit::kOk : Truth(candidate.account, outcome.match, current);
  audit::Event event = caller.Did(audit::action::kSignIn, truth, now);
  event.Client(grant.client_id)
      .With("identifier_hash",
            absl::BytesToHexString(HmacSha256(identifier_hash_key_.Reveal(),
                                              candidate.identifier_key)
                                       .substr(0, kIdentifierHashBytes)));
  if (candidate.account.has_value())
    event.About(AccountId(candidate.account->account_id));
  if (issuance.has_value())
    event.About(SessionId(issuance->session.session_id));
  if (auto audited = tx.audit().Append(event.Row()); !audited.ok())
    return audited;
  return issuance;
}

absl::StatusOr<Issuance> SignIn::Open(
    storage::WriteTx& tx, const Caller& caller, storage::AccountRow account,
    const std::optional<std::string>& upgraded_hash,
    const client_app::Grant& grant, absl::Time now) const {
  if (upgraded_hash.has_value()) {
    account.password_hash = *upgraded_hash;
    auto changed = ChangeAccount(tx, account::Event::kHashUpgraded, now,
                                 access_ceiling_, "", account);
    if (!changed.ok()) return changed.status();
  }
  session::Opening opening;
  opening.account_id = AccountId(account.account_id);
  opening.account_generation = account.generation;
  opening.client_id = grant.client_id;
  opening.audience = grant.audience;
  opening.scope = grant.scope;
  opening.amr = kPasswordMethod;
  opening.user_agent = caller.user_agent;
  opening.address = caller.address;
  std::vector<SessionId> evicted;
  auto session =
      rooms_.sessions.Open(tx, opening, account.session_floor, now, evicted);
  if (!session.ok()) return session.status();
  for (const SessionId& session_id : evicted) {
    auto entry = AppendSessionEnd(tx, session_id, now, access_ceiling_,
                                  "too many sessions");
    if (!entry.ok()) return entry.status();
    auto audited = tx.audit().Append(
        caller.Did(audit::action::kEvictSession, audit::kOk, now)
            .About(opening.account_id)
            .About(session_id)
            .Row());
    if (!audited.ok()) return audited;
  }
  auto slot = rooms_.slots.ForNewToken(tx, *session, now);
  if (!slot.ok()) return slot.status();
  return ReadIssuance(tx, account, *std::move(session), *slot);
}

}  // namespace ostiary::flow
