#ifndef OSTIARY_SERVER_STATUS_LIST_SLOT_ISSUER_H_
#define OSTIARY_SERVER_STATUS_LIST_SLOT_ISSUER_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/base/random.h"
#include "server/status_list/list_book.h"
#include "server/status_list/slot_order.h"
#include "server/status_list/sweep.h"
#include "storage/store.h"

namespace ostiary::status_list {

// Whether tokens name a status list.
enum class Issuing { kOff, kOn };

// Gives each session's access tokens a slot of a list. A slot is given out
// once: the order is a secret permutation of a counter that lives in memory
// and never goes back, and a new process begins new lists. A slot taken by a
// transaction that does not commit is lost; unused slots say "valid" and hide
// among the used ones.
//
// Lists open and close with the hours of the clock, so that a list's tokens
// expire together; then it is forgotten.
//
// Thread-safe.
class SlotIssuer {
 public:
  struct Options {
    Issuing issuing = Issuing::kOff;
    // No access token lives longer (AgreeOnAccessCeiling).
    absl::Duration access_ceiling;
    // A list has 2^list_bits slots, however few are used: its size says
    // nothing.
    int list_bits = 20;
  };
  // What is given by reference must outlive this object.
  SlotIssuer(Random& random, ListBook& book, const Sweep& sweep,
             const Options& options);

  // Within the transaction that has just minted (opened or rotated) `session`:
  // the slot that its newest access token is to name. The session's own one
  // while its list is open and nothing has flipped it, else a fresh one.
  // Nullopt if issuing is off.
  absl::StatusOr<std::optional<storage::StatusSlot>> ForNewToken(
      storage::WriteTx& tx, const storage::SessionRow& session, absl::Time now);

  // The slot that the session's newest access token named already: the same
  // token is handed out again and must be the same.
  absl::StatusOr<std::optional<storage::StatusSlot>> ForRepeatedToken(
      storage::WriteTx& tx, const storage::SessionRow& session, absl::Time now);

 private:
  struct OpenList {
    storage::StatusListRow row;
    std::shared_ptr<const SlotOrder> order;
    std::uint32_t given = 0;
  };

  absl::StatusOr<bool> IsUsable(storage::WriteTx& tx,
                                const storage::StatusSlotRow& slot,
                                const storage::SessionRow& session,
                                absl::Time now) const;
  absl::StatusOr<std::optional<storage::StatusSlot>> TakeFresh(
      storage::WriteTx& tx, const storage::SessionRow& session, absl::Time now);
  // The list that takes slots now, with the next number of its order.
  OpenList Advance(absl::Time now);
  storage::StatusListRow NewList(absl::Time now);

  Random& random_;
  ListBook& book_;
  const Sweep& sweep_;
  const Options options_;

  Mutex mutex_;
  std::optional<OpenList> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::status_list

#endif  // OSTIARY_SERVER_STATUS_LIST_SLOT_ISSUER_H_
