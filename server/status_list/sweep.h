#ifndef OSTIARY_SERVER_STATUS_LIST_SWEEP_H_
#define OSTIARY_SERVER_STATUS_LIST_SWEEP_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "storage/store.h"

namespace ostiary::status_list {

// How long a list takes new slots, and so how long one slot is shared.
inline constexpr absl::Duration kListOpenFor = absl::Hours(1);

// Which slots a revocation of a client, a key or of everything ends.
struct Reach {
  std::string client_id;  // empty: of any client
  // A slot counts if a token of this time may point to it.
  absl::Time from = absl::InfinitePast();
  absl::Time until = absl::InfinitePast();

  bool Hits(const storage::StatusSlotRow& slot) const;
};

// What the ledger row reaches; `keys` says when a key signed.
absl::StatusOr<Reach> ReachOf(const storage::LedgerRow& row,
                              const storage::KeyReader& keys);

// Flips the slots that a client, key or *all* row of the ledger hits. There may
// be a million of them, so they are not flipped with the row but afterwards,
// batch by batch. What is still to be swept is known from the ledger and from
// one remembered number: a crash in between loses nothing.
//
// Client and *all* rows also hit tokens that are issued while they are being
// committed, up to a few seconds later; a pass that began before that is made
// again. A key row hits nothing that is taken after it: its time is read in its
// transaction, as the slot's is, and whoever has taken a slot after it signs
// with another key (key::KeyRing::SnapshotToSign).
//
// Announce and Hits may be called on any thread; the others on one at a time.
class Sweep {
 public:
  // Reads up to where has been swept; before the first Announce.
  absl::Status Load(storage::Store& store);

  // Takes up the rows that need a sweep: all of the ledger at the start, then
  // each as it is committed.
  void Announce(const std::vector<storage::LedgerRow>& rows);

  // True if a row that is not yet swept hits the slot: no further token may
  // point to it.
  absl::StatusOr<bool> Hits(const storage::KeyReader& keys,
                            const storage::StatusSlotRow& slot) const;

  // Goes on for at most `batches` batches. Cheap if there is nothing to do.
  absl::Status Continue(storage::Store& store, absl::Time now, int batches);

  bool idle() const;

  // Within `tx`: everything up to `sequence` counts as swept.
  static absl::Status RememberSwept(storage::WriteTx& tx,
                                    std::int64_t sequence);

 private:
  struct Event {
    storage::LedgerRow row;
    bool swept_once = false;
  };
  // One way through all lists, for every event that is due.
  struct Pass {
    absl::Time began;
    std::vector<std::int64_t> sequences;
    std::vector<Reach> reaches;
    std::vector<storage::Key16> lists;  // still to do, the last one first
    std::int64_t after = -1;            // in lists.back()
  };

  std::vector<Event> Due(absl::Time now) const;
  absl::Status BeginPass(storage::Store& store, absl::Time now);
  absl::Status RunBatch(storage::Store& store);
  absl::Status EndPass(storage::Store& store);

  std::optional<Pass> pass_;  // of the sweeping thread

  mutable Mutex mutex_;
  std::int64_t swept_ ABSL_GUARDED_BY(mutex_) = 0;
  std::int64_t newest_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::int64_t, Event> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::status_list

#endif  // OSTIARY_SERVER_STATUS_LIST_SWEEP_H_
