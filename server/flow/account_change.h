#ifndef OSTIARY_SERVER_FLOW_ACCOUNT_CHANGE_H_
#define OSTIARY_SERVER_FLOW_ACCOUNT_CHANGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/revocation/revision.h"
#include "server/account/events.h"
#include "server/base/ids.h"
#include "storage/store.h"

namespace ostiary::flow {

// Writing the ledger together with its cause. All of it happens in `tx`; the
// revision returned is good once `tx` has committed.

// Appends the row and says where the ledger then stands.
absl::StatusOr<revocation::Revision> AppendToLedger(
    storage::WriteTx& tx, const storage::LedgerRow& row);

// Applies the event to `account` (protocol.md 1), writes the row back and, if
// the event ends access tokens, the ledger and the status lists. The revision
// is empty otherwise.
//
// Who deletes the account's sessions flips their slots before that: nothing
// leads to them afterwards.
absl::StatusOr<std::string> ChangeAccount(storage::WriteTx& tx,
                                          account::Event event, absl::Time now,
                                          absl::Duration ceiling,
                                          absl::string_view reason,
                                          storage::AccountRow& account);

// Writes the ledger for a session that `tx` has just marked revoked, and flips
// its slots in the status lists.
absl::StatusOr<revocation::Revision> AppendSessionEnd(
    storage::WriteTx& tx, const SessionId& session_id, absl::Time now,
    absl::Duration ceiling, absl::string_view reason);

// Marks the session revoked and writes the ledger. For a session that has
// ended before, the revision of that; empty if the ledger has forgotten it.
absl::StatusOr<std::string> EndSession(storage::WriteTx& tx,
                                       const SessionId& session_id,
                                       absl::Time now, absl::Duration ceiling,
                                       absl::string_view reason);

// The ticket of the newest row about `key`; empty if there is none any more.
absl::StatusOr<std::string> RevisionOfNewest(storage::WriteTx& tx,
                                             storage::LedgerKind kind,
                                             absl::string_view key);

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_ACCOUNT_CHANGE_H_
