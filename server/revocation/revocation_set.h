#ifndef OSTIARY_SERVER_REVOCATION_REVOCATION_SET_H_
#define OSTIARY_SERVER_REVOCATION_REVOCATION_SET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/jwt/token.h"
#include "client/revocation/revision.h"
#include "server/base/mutex.h"
#include "server/revocation/key_table.h"
#include "storage/rows.h"

namespace ostiary::revocation {

// A remembered row, as it is shown. Its text lives as long as the call.
struct LiveRow {
  storage::LedgerKind kind = storage::LedgerKind::kToken;
  absl::string_view key;
  std::uint64_t min_generation = 0;
  absl::Time issued_before = absl::InfinitePast();
  // Rounded up to a whole minute; infinite: never.
  absl::Time forget_time = absl::InfiniteFuture();
};

// Every live ledger row, in memory. What `Verify` asks instead of the store.
// 24 to 48 bytes for a token or session of ours.
//
// Rows only add: applying one can refuse a token, never accept it. A row is
// dropped by `Forget` once no token it can hit is alive.
//
// Thread-safe. Checks take a reader's lock and do no I/O.
class RevocationSet {
 public:
  // Where the whole ledger stands after being loaded or after a commit.
  void Apply(const storage::LedgerHead& head,
             const std::vector<storage::LedgerRow>& rows);

  // True if any row hits the token, which key `key_id` has signed.
  bool Hits(const jwt::Claims& claims, absl::string_view key_id) const;

  // Until when no token may be issued for this client: a row by time would hit
  // it at birth. InfinitePast if nothing stands against it.
  absl::Time IssuingPausedUntil(absl::string_view client_id) const;

  Revision applied() const;
  std::size_t size() const;

  // Shows every row that is remembered, the ones that may be forgotten first
  // first; rows about the same token, session, account or client as one. They
  // are collected first, under a reader's lock for a part at a time, so rows
  // applied meanwhile may be shown or not: they are in the feed after
  // `applied()` as it was before the call.
  void VisitLive(absl::FunctionRef<void(const LiveRow& row)> visit) const;

  // Drops what cannot hit any living token. Returns how many rows went.
  std::size_t Forget(absl::Time now);

 private:
  // Each with the minute of the row that lasts longest.
  struct Ended {
    Minute forget_at;
  };
  struct ByGeneration {
    std::uint64_t min_generation;
    Minute forget_at;
  };
  struct ByTime {
    absl::Time issued_before;
    Minute forget_at;
  };
  class Collection;

  void ApplyRow(const storage::LedgerRow& row)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Collect(Collection& rows) const;
  std::size_t ForgetNamed(Minute now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static constexpr ByTime kNever = {absl::InfinitePast(), 0};

  mutable Mutex mutex_;
  Revision applied_ ABSL_GUARDED_BY(mutex_);
  KeyTable<Ended> tokens_ ABSL_GUARDED_BY(mutex_){KeyForm::kTokenId};
  KeyTable<Ended> sessions_ ABSL_GUARDED_BY(mutex_){KeyForm::kSessionId};
  KeyTable<ByGeneration> accounts_ ABSL_GUARDED_BY(mutex_){KeyForm::kAccountId};
  absl::flat_hash_map<std::string, ByTime> clients_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> keys_ ABSL_GUARDED_BY(mutex_);
  ByTime all_ ABSL_GUARDED_BY(mutex_) = kNever;
};

}  // namespace ostiary::revocation

#endif  // OSTIARY_SERVER_REVOCATION_REVOCATION_SET_H_
