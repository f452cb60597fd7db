#ifndef OSTIARY_SERVER_KEY_KEY_CHANGE_H_
#define OSTIARY_SERVER_KEY_KEY_CHANGE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/jwt/algorithm.h"
#include "server/key/key_encryption_key.h"
#include "server/key/lifecycle.h"
#include "server/key/signing_key.h"
#include "storage/store.h"

namespace ostiary::key {

// One change of the access-token keys inside a write transaction: rows, ledger
// and audit go together or not at all. An error means: roll back.
//
// Belongs to its transaction; not thread-safe.
class KeyChange {
 public:
  struct Circumstances {
    const KeyEncryptionKey& kek;
    absl::Time now;
    // Who asks, and from where. Action, outcome, time and detail are filled in
    // here, one row for each key that changes.
    const storage::AuditRow& audit;
    // Keys made before the transaction began, for Prepare to choose from.
    const std::vector<SigningKey>& fresh;
  };

  // Reads the rows. `circumstances` must outlive the change.
  static absl::StatusOr<KeyChange> Begin(storage::WriteTx& tx,
                                         const Circumstances& circumstances);

  // The row or kNotFound. Valid until the next change.
  absl::StatusOr<storage::KeyRow*> Find(absl::string_view key_id);

  // Publishes a fresh key of `algorithm`; returns its id. kAborted if none is
  // left.
  absl::StatusOr<std::string> Prepare(absl::string_view algorithm);
  // Makes a prepared key the one that signs, retiring the one that did.
  absl::Status Activate(absl::string_view key_id);
  absl::Status Retire(absl::string_view key_id);
  // Ends a key for ever: row, private part and ledger. For a key that is
  // revoked already it returns the ledger row there is.
  absl::StatusOr<storage::LedgerRow> Revoke(absl::string_view key_id,
                                            absl::string_view reason);
  // The ledger row about `key_id`, written now if there is none.
  absl::StatusOr<storage::LedgerRow> EnsureInLedger(absl::string_view key_id,
                                                    absl::string_view reason);
  // Does what DueSteps or SuccessionSteps said.
  absl::Status Run(const std::vector<Step>& steps, absl::string_view algorithm);

  // The rows as they will be committed.
  const std::vector<storage::KeyRow>& rows() const { return rows_; }
  // How many keys have changed.
  int changes() const { return changes_; }

 private:
  KeyChange(storage::WriteTx& tx, const Circumstances& circumstances,
            std::vector<storage::KeyRow> rows)
      : tx_(tx), circumstances_(circumstances), rows_(std::move(rows)) {}

  absl::StatusOr<const SigningKey*> FindFresh(
      absl::string_view algorithm) const;
  bool Has(absl::string_view key_id) const;
  absl::Status Delete(absl::string_view key_id);
  absl::Status Save(const storage::KeyRow& row, absl::string_view action,
                    absl::string_view reason = "");
  absl::Status Audit(absl::string_view action, absl::string_view key_id,
                     absl::string_view reason);

  storage::WriteTx& tx_;
  const Circumstances& circumstances_;
  std::vector<storage::KeyRow> rows_;
  int changes_ = 0;
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_KEY_CHANGE_H_
