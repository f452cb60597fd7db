#ifndef OSTIARY_SERVER_KEY_KEY_RING_H_
#define OSTIARY_SERVER_KEY_KEY_RING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/jwt/algorithm.h"
#include "server/base/clock.h"
#include "server/key/key_change.h"
#include "server/key/key_encryption_key.h"
#include "server/key/key_view.h"
#include "server/key/revoked_key_file.h"
#include "server/key/schedule.h"
#include "storage/store.h"

namespace ostiary::key {

struct KeyRingOptions {
  Schedule schedule;
  // What new keys are. After a change, keys of the old algorithm go on until
  // the next rotation.
  jwt::Algorithm algorithm = jwt::Algorithm::kEs256;
  // Beside the key-encryption key, never in a backup.
  std::string revoked_keys_file;
};

// Whether a key must have been published for the schedule's lead before it
// signs. kWaived risks that consumers refuse its tokens until they fetch the
// keys again.
enum class Lead { kRequired, kWaived };

// Where the ledger says that a key is revoked.
struct KeyRevocation {
  std::uint32_t epoch = 0;
  std::int64_t sequence = 0;
};

// The keys that sign and verify access tokens.
//
// Every operation commits, then swaps the snapshot, then returns: what a
// snapshot holds is durable, and what an operation acknowledged is in force.
// It also does whatever the schedule asks for at that moment, so one key is
// always active and another prepared. If it fails nothing has changed, unless
// the store says kUnknown; then the next ApplySchedule finds out.
//
// `audit` says who asks; action, outcome, time and detail are filled in here,
// one row for each key that changes, in the same transaction.
//
// Refusals: kNotFound, kKeyStateConflict with a sentence.
//
// Thread-safe. Snapshot never waits for an operation.
class KeyRing {
 public:
  // Reads the keys and makes the first ones if there are none. Key ids in the
  // revoked-key file are revoked again if the store has forgotten it (a
  // restored backup has). `store`, `kek` and `clock` must outlive the ring.
  //
  // kInvalidArgument: ValidateSchedule's sentence. kFailedPrecondition,
  // kDataLoss: the file or a sealed key, named.
  static absl::StatusOr<std::unique_ptr<KeyRing>> Load(
      storage::Store& store, const KeyEncryptionKey& kek, const Clock& clock,
      KeyRingOptions options);

  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  std::shared_ptr<const KeyView> Snapshot() const;
  // The snapshot to sign from. Waits while an operation is on its way from the
  // store to the snapshot: what is committed after the end of a key is not
  // signed by that key. Not for use within a transaction.
  std::shared_ptr<const KeyView> SnapshotToSign() const;
  const Schedule& schedule() const { return options_.schedule; }

  // Publishes a new key that does not sign yet and returns its id. Conflict if
  // one of `algorithm` is prepared already.
  absl::StatusOr<std::string> Prepare(jwt::Algorithm algorithm,
                                      const storage::AuditRow& audit);
  // A prepared key becomes the one that signs; the one before it retires.
  absl::Status Activate(absl::string_view key_id, Lead lead,
                        const storage::AuditRow& audit);
  // Takes a prepared key out of the running; it is published until no reader
  // can miss it. Conflict for the active key: activate another, that retires
  // it.
  absl::Status Retire(absl::string_view key_id, const storage::AuditRow& audit);
  // Ends a key and every token it signed, at once and for ever. If it was the
  // active one its successor signs from now on, published long enough or not.
  // Returns once the ledger, the snapshot and the revoked-key file say so;
  // kUnavailable if only the file does not: the key is revoked then, and the
  // file is tried again with every ApplySchedule. Revoking twice answers the
  // same.
  absl::StatusOr<KeyRevocation> Revoke(absl::string_view key_id,
                                       absl::string_view reason,
                                       const storage::AuditRow& audit);

  // Does what is due now and returns how many keys changed. Cheap when
  // nothing is; meant to be called every minute or so. An error about the
  // revoked-key file comes after what was due is done.
  absl::StatusOr<int> ApplySchedule();

 private:
  using Work = absl::FunctionRef<absl::Status(storage::WriteTx&, KeyChange&)>;

  KeyRing(storage::Store& store, const KeyEncryptionKey& kek,
          const Clock& clock, KeyRingOptions options);

  absl::Status Start() ABSL_LOCKS_EXCLUDED(operations_);
  // On a full disk, which refused what was due with `cause`: the keys as they
  // are, if none of them would have to be revoked again.
  absl::Status StartAsItIs(const absl::Status& cause)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(operations_);
  absl::StatusOr<int> DoWhatIsDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(operations_);
  absl::StatusOr<int> Change(const storage::AuditRow& audit,
                             jwt::Algorithm extra, Work work)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(operations_);
  absl::Status MakeSpares(jwt::Algorithm extra)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(operations_);
  void DropUsedSpares(const std::vector<storage::KeyRow>& rows)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(operations_);
  absl::Status Publish(std::vector<storage::KeyRow> rows)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(operations_);
  // Whether the store is ahead of the snapshot, or may be.
  void SetAhead(bool ahead);
  absl::Status WriteRevokedFile() ABSL_EXCLUSIVE_LOCKS_REQUIRED(operations_);
  absl::StatusOr<std::vector<storage::KeyRow>> ReadRows() const;
  absl::string_view algorithm_name() const;

  storage::Store& store_;
  const KeyEncryptionKey& kek_;
  const Clock& clock_;
  const KeyRingOptions options_;
  const RevokedKeyFile file_;

  // One operation at a time, from its first read to the swap of the snapshot.
  // Held while the store works, on purpose: operations are rare, and two of
  // them could publish in the wrong order.
  absl::Mutex operations_;
  std::vector<storage::KeyRow> rows_ ABSL_GUARDED_BY(operations_);
  KeyView::RevokedIds in_file_ ABSL_GUARDED_BY(operations_);
  // Made outside of transactions (RSA takes its time) and not yet published.
  std::vector<SigningKey> spares_ ABSL_GUARDED_BY(operations_);

  mutable absl::Mutex snapshot_mutex_;
  std::shared_ptr<const KeyView> snapshot_ ABSL_GUARDED_BY(snapshot_mutex_);
  bool up_to_date_ ABSL_GUARDED_BY(snapshot_mutex_) = true;
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_KEY_RING_H_
