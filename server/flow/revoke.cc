#include "server/flow/revoke.h"

#include <limits>
#include <optional>

#include "client/status_list/status_reference.h"
#include "server/flow/account_change.h"
#include "server/revocation/entries.h"
#include "server/status_list/list_uri.h"

namespace ostiary::flow {
namespace {

// The slot that the token names. A token of ours names lists of ours.
std::optional<storage::StatusSlot> SlotOf(const jwt::Claims& claims) {
  const auto status = status_list::ReadStatusReference(claims.extra_json);
  if (!status.has_value()) return std::nullopt;
  const auto list = status_list::ListOf(claims.issuer, status->uri);
  if (!list.has_value() ||
      status->index > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  return storage::StatusSlot{*list, static_cast<std::uint32_t>(status->index)};
}

}  // namespace

absl::StatusOr<std::string> Revoke::Token(const Caller& caller,
                                          absl::string_view token,
                                          absl::string_view reason) const {
  const auto verified = verify_.Authenticate(token);
  if (verified == nullptr) return std::string();
  const jwt::Claims& claims = verified->claims();
  return storage::WriteValue<std::string>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<std::string> {
        const absl::Time now = clock_.Now();
        if (now >= claims.expire_time) return std::string();
        auto before =
            RevisionOfNewest(tx, storage::LedgerKind::kToken, claims.token_id);
        if (!before.ok() || !before->empty()) return before;
        auto revision = AppendToLedger(
            tx, revocation::TokenEntry(claims.token_id, claims.expire_time, now,
                                       reason));
        if (!revision.ok()) return revision.status();
        if (const auto slot = SlotOf(claims); slot.has_value()) {
          auto flipped = tx.status_lists().Flip(*slot);
          if (!flipped.ok()) return flipped.status();
        }
        audit::Event event =
            caller.Did(audit::action::kRevokeToken, audit::kOk, now);
        event.Client(claims.client_id)
            .With("token_id", claims.token_id)
            .With("reason", reason);
        if (const auto account = AccountId::Parse(claims.subject))
          event.About(*account);
        if (const auto session = SessionId::Parse(claims.session_id))
          event.About(*session);
        if (auto audited = tx.audit().Append(event.Row()); !audited.ok())
          return audited;
        return revocation::FormatRevision(*revision);
      });
}

absl::StatusOr<std::string> Revoke::Client(const Caller& caller,
                                           absl::string_view client_id,
                                           absl::string_view reason) const {
  return storage::WriteValue<std::string>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<std::string> {
        const absl::Time now = clock_.Now();
        auto revision = AppendToLedger(
            tx,
            revocation::ClientEntry(client_id, now, access_ceiling_, reason));
        if (!revision.ok()) return revision.status();
        auto audited = tx.audit().Append(
            caller.Did(audit::action::kRevokeClient, audit::kOk, now)
                .Client(client_id)
                .With("reason", reason)
                .Row());
        if (!audited.ok()) return audited;
        return revocation::FormatRevision(*revision);
      });
}

}  // namespace ostiary::flow
