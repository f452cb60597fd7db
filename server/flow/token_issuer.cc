#include "server/flow/token_issuer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"
#include "server/account/events.h"
#include "server/base/reason.h"
#include "server/status_list/list_uri.h"

namespace ostiary::flow {

absl::StatusOr<Issuance> ReadIssuance(
    storage::WriteTx& tx, const storage::AccountRow& account,
    storage::SessionRow session, std::optional<storage::StatusSlot> status) {
  absl::StatusOr<storage::LedgerHead> head = tx.ledger().Head();
  if (!head.ok()) return head.status();
  return Issuance{std::move(session), account.roles,
                  account::TokenGeneration(head->epoch, account.generation),
                  status};
}

absl::Status TokenIssuer::CheckIssuing(absl::string_view client_id) const {
  const absl::Time now = clock_.Now();
  const absl::Time until = revocations_.IssuingPausedUntil(client_id);
  // iat counts whole seconds: a token is as old as the second it is issued in.
  if (absl::FromUnixSeconds(absl::ToUnixSeconds(now)) > until)
    return absl::OkStatus();
  return RefuseUntil(Reason::kOverloaded, until - now + absl::Seconds(1));
}

absl::StatusOr<IssuedTokens> TokenIssuer::Issue(
    const Issuance& issuance) const {
  const storage::SessionRow& session = issuance.session;
  absl::StatusOr<session::Sessions::Texts> texts = sessions_.TextsOf(session);
  if (!texts.ok()) return texts.status();

  token::AccessTokenRequest request;
  request.subject = AccountId(session.account_id).ToString();
  request.audiences = {session.audience};
  request.client_id = session.client_id;
  request.session_id = SessionId(session.session_id).ToString();
  request.token_id = std::move(texts->token_id);
  request.scope = session.minted_scope;
  request.roles = issuance.roles;
  request.auth_time = session.create_time;
  request.amr = absl::StrSplit(session.amr, ' ', absl::SkipEmpty());
  request.generation = issuance.token_generation;
  if (issuance.status.has_value()) {
    request.status = {
        issuance.status->slot,
        status_list::UriOf(minter_.issuer(), issuance.status->list_id)};
  }
  request.issue_time = session.minted_at;
  request.expire_time = session.access_expire_time;
  auto minted = minter_.Mint(request, *keys_.SnapshotToSign());
  if (!minted.ok()) return minted.status();

  const absl::Time now = clock_.Now();
  const auto left = [now](absl::Time until) {
    return std::max(absl::Trunc(until - now, absl::Seconds(1)),
                    absl::ZeroDuration());
  };
  IssuedTokens tokens;
  tokens.access_token = std::move(minted->text);
  tokens.expires_in = left(session.access_expire_time);
  tokens.refresh_token = std::move(texts->refresh_token);
  tokens.refresh_expires_in = left(session.idle_expire_time);
  tokens.scope = session.minted_scope;
  tokens.session_id = SessionId(session.session_id);
  return tokens;
}

}  // namespace ostiary::flow
