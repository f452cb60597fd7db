#ifndef OSTIARY_CLIENT_CPP_KNOWLEDGE_H_
#define OSTIARY_CLIENT_CPP_KNOWLEDGE_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "client/jwt/key_set.h"
#include "client/revocation/revision.h"
#include "client/revocation/revoked_set.h"
#include "ostiary/verifier.h"

namespace ostiary::client {

// Where a verifier stands in the feed.
struct Position {
  revocation::Revision revision;
  // To resume from; opaque.
  std::string cursor;

  friend bool operator==(const Position&, const Position&) = default;
};

// All that a verifier knows: keys, revocations, its place in the feed, and how
// old that is. Written by the feed's thread, read by everyone.
//
// Thread-safe. Reads no clock.
class Knowledge {
 public:
  struct Keys {
    jwt::KeySet set;
    // False until a key set was heard of: KEY_UNKNOWN then says nothing.
    bool known = false;
    // Differs from a later `losses()` if a key of this set is gone by then.
    std::uint64_t losses = 0;
  };
  Keys keys() const;
  // Rises when a known key vanishes or changes: a signature that was checked
  // before counts no more.
  std::uint64_t losses() const { return losses_; }
  void ReplaceKeys(jwt::KeySet keys);

  revocation::RevokedSet& revoked() { return revoked_; }
  const revocation::RevokedSet& revoked() const { return revoked_; }

  // None before the first complete snapshot.
  std::optional<Position> position() const;
  // Wakes who waits. Everything up to there must be in `revoked()` already.
  void MoveTo(Position position);
  // The same, together with Freshen: who has waited for the position finds the
  // knowledge fresh.
  void Advance(Position position, absl::Time as_of, absl::Duration uptime);

  // For each epoch, how far it was followed.
  using Reached = std::map<std::uint32_t, std::int64_t>;
  Reached reached() const;
  // Only before the first MoveTo: what another life had reached.
  void Remember(const Reached& reached);
  // kTimeout: not yet.
  Arrival HasReached(const revocation::Revision& revision) const;
  // kTimeout at once after StopWaiting.
  Arrival WaitFor(const revocation::Revision& revision,
                  absl::Duration timeout) const;
  // Until `condition`, which may only change with freshness.
  bool WaitUntil(absl::FunctionRef<bool()> condition,
                 absl::Duration timeout) const;
  void StopWaiting();

  // Every revocation before `as_of` is known; said by a frame that arrived at
  // `uptime`. Never moves back.
  void Freshen(absl::Time as_of, absl::Duration uptime);
  absl::Time as_of() const;
  // The greater of what both clocks say: one that stands or is set back must
  // not make old knowledge fresh. Infinite before the first Freshen.
  absl::Duration Staleness(absl::Time now, absl::Duration uptime) const;
  // For knowledge that has no source to lag behind.
  void StayFresh() { stays_fresh_ = true; }

 private:
  // With the lock held.
  void MoveToLocked(Position position);
  void FreshenLocked(absl::Time as_of, absl::Duration uptime);
  Arrival HasReachedLocked(const revocation::Revision& revision) const;

  revocation::RevokedSet revoked_;
  std::atomic<std::uint64_t> losses_ = 0;
  // `arrival_` is written last and read first: with a new arrival nobody sees
  // the old as_of.
  std::atomic<std::int64_t> as_of_nanos_ = kNoTime;
  std::atomic<std::int64_t> arrival_nanos_ = 0;
  std::atomic<bool> stays_fresh_ = false;
  static constexpr std::int64_t kNoTime = INT64_MIN;

  mutable std::mutex mutex_;  // guards what follows
  mutable std::condition_variable changed_;
  Keys keys_;
  std::optional<Position> position_;
  Reached reached_;
  bool waiting_is_over_ = false;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_KNOWLEDGE_H_
