#include "server/flow/account_change.h"

#include "server/revocation/entries.h"

namespace ostiary::flow {
namespace {

absl::StatusOr<std::string> AppendTicket(storage::WriteTx& tx,
                                         const storage::LedgerRow& row) {
  absl::StatusOr<revocation::Revision> revision = AppendToLedger(tx, row);
  if (!revision.ok()) return revision.status();
  return revocation::FormatRevision(*revision);
}

}  // namespace

absl::StatusOr<revocation::Revision> AppendToLedger(
    storage::WriteTx& tx, const storage::LedgerRow& row) {
  absl::StatusOr<storage::LedgerRow> appended = tx.ledger().Append(row);
  if (!appended.ok()) return appended.status();
  absl::StatusOr<storage::LedgerHead> head = tx.ledger().Head();
  if (!head.ok()) return head.status();
  return revocation::Revision{head->epoch, appended->sequence};
}

absl::StatusOr<std::string> ChangeAccount(storage::WriteTx& tx,
                                          account::Event event, absl::Time now,
                                          absl::Duration ceiling,
                                          absl::string_view reason,
                                          storage::AccountRow& account) {
  const account::Effect effect = account::Apply(event, now, account);
  const bool stays = event != account::Event::kDeleted;
  if (stays) {
    if (auto updated = tx.accounts().Update(account); !updated.ok())
      return updated;
  }
  if (!effect.ends_access_tokens) return std::string();
  auto flipped = tx.status_lists().FlipAccount(account.account_id);
  if (!flipped.ok()) return flipped.status();
  absl::StatusOr<storage::LedgerHead> head = tx.ledger().Head();
  if (!head.ok()) return head.status();
  return AppendTicket(
      tx, revocation::AccountEntry(
              AccountId(account.account_id),
              account::TokenGeneration(head->epoch, account.generation), now,
              ceiling, reason));
}

absl::StatusOr<revocation::Revision> AppendSessionEnd(
    storage::WriteTx& tx, const SessionId& session_id, absl::Time now,
    absl::Duration ceiling, absl::string_view reason) {
  auto flipped = tx.status_lists().FlipSession(session_id.bytes());
  if (!flipped.ok()) return flipped.status();
  return AppendToLedger(
      tx, revocation::SessionEntry(session_id, now, ceiling, reason));
}

absl::StatusOr<std::string> EndSession(storage::WriteTx& tx,
                                       const SessionId& session_id,
                                       absl::Time now, absl::Duration ceiling,
                                       absl::string_view reason) {
  absl::StatusOr<bool> revoked = tx.sessions().Revoke(session_id.bytes(), now);
  if (!revoked.ok()) return revoked.status();
  if (!*revoked) {
    return RevisionOfNewest(tx, storage::LedgerKind::kSession,
                            session_id.ToString());
  }
  auto revision = AppendSessionEnd(tx, session_id, now, ceiling, reason);
  if (!revision.ok()) return revision.status();
  return revocation::FormatRevision(*revision);
}

absl::StatusOr<std::string> RevisionOfNewest(storage::WriteTx& tx,
                                             storage::LedgerKind kind,
                                             absl::string_view key) {
  auto row = tx.ledger().FindNewest(kind, key);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::string();
  absl::StatusOr<storage::LedgerHead> head = tx.ledger().Head();
  if (!head.ok()) return head.status();
  return revocation::FormatRevision({head->epoch, (*row)->sequence});
}

}  // namespace ostiary::flow
