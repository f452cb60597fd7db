#ifndef OSTIARY_SERVER_DOOR_REVOCATION_FEED_H_
#define OSTIARY_SERVER_DOOR_REVOCATION_FEED_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "server/base/clock.h"
#include "server/base/lane.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/door/subscription.h"
#include "server/door/watch_frames.h"
#include "server/key/key_ring.h"
#include "server/revocation/feed_log.h"
#include "server/revocation/revocation_set.h"

namespace ostiary::door {

// RevocationService.Watch: tells everybody who watches what the ledger's log
// says (protocol.md 5).
//
// A thread of its own lets out what has been committed, a short window at a
// time, and wakes the watchers; each pulls what it is missing. There is no
// queue for a watcher: one that is slow is a position in the log. A frame is
// made once, for all who stand at the same place.
//
// Thread-safe.
class RevocationFeed {
 public:
  struct Rooms {
    const Clock& clock;
    const revocation::RevocationSet& revocations;
    const revocation::FeedLog& log;
    const key::KeyRing& keys;
    Logger& logger;
  };
  struct Options {
    std::size_t most_watchers = 0;
    // Revocations of this long go out together.
    absl::Duration window = absl::Milliseconds(2);
    absl::Duration heartbeat = absl::Seconds(1);
  };
  struct Figures {
    std::size_t watchers = 0;
    std::uint64_t snapshots = 0;    // made, not sent
    std::uint64_t regressions = 0;  // cursors from another history
  };

  RevocationFeed(const Rooms& rooms, Options options);
  // No subscription may be left.
  ~RevocationFeed();
  RevocationFeed(const RevocationFeed&) = delete;
  RevocationFeed& operator=(const RevocationFeed&) = delete;

  // kOverloaded if there are too many, kArgumentInvalid about the cursor.
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(
      const v1::WatchRequest& request, std::function<void()> wake);

  Figures figures() const;

 private:
  class Watcher;
  class Bell;
  enum class Occasion { kNews, kHeartbeat };

  struct Snapshot {
    storage::LedgerHead head;
    absl::Time as_of;
    std::vector<Frame> frames;
  };
  // What all watchers may be told, and the frames for it made so far.
  struct Released {
    storage::LedgerHead head;
    absl::Time as_of = absl::InfinitePast();
    Frame heartbeat;
    // The last delta made: most watchers stand at the same place.
    std::int64_t delta_from = -1;
    storage::LedgerHead delta_to;
    Frame delta;
  };
  struct SnapshotSlot {
    std::shared_ptr<const Snapshot> snapshot;
    bool being_made = false;
  };

  void Run(std::stop_token stop);
  void Release(Occasion occasion);
  void WakeAll();
  void Leave(Watcher& watcher);
  void RaiseRegression(const std::string& cursor);
  void MakeSnapshot(SnapshotForm form);

  Frame NextFor(Watcher& watcher);
  Frame SnapshotPartFor(Watcher& watcher) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Frame DeltaFor(Watcher& watcher) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<const Snapshot> UsableSnapshot(SnapshotForm form)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Rooms rooms_;
  const Options options_;

  mutable Mutex mutex_;
  Released released_ ABSL_GUARDED_BY(mutex_);
  // Weak: with the view, the private key that it signed with must go.
  std::weak_ptr<const key::KeyView> keys_ ABSL_GUARDED_BY(mutex_);
  Frame key_frame_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t key_version_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t beat_ ABSL_GUARDED_BY(mutex_) = 1;
  std::array<SnapshotSlot, 2> snapshots_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
  Figures figures_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_alarm_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();

  Lane snapshot_lane_;
  std::jthread thread_;
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_REVOCATION_FEED_H_
