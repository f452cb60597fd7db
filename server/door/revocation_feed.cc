#include "server/door/revocation_feed.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "server/base/reason.h"
#include "server/revocation/cursor.h"

namespace ostiary::door {
namespace {

// Rows in one delta; who is further behind gets several.
constexpr std::size_t kRowsInDelta = 4000;
// After that a snapshot costs a newcomer less than the deltas behind an old
// one.
constexpr absl::Duration kSnapshotAge = absl::Seconds(60);
constexpr absl::Duration kAlarmPause = absl::Seconds(10);
constexpr absl::Duration kComeBackAfter = absl::Seconds(5);

}  // namespace

// Wakes one watcher's stream, unless the watcher has gone.
class RevocationFeed::Bell {
 public:
  explicit Bell(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Ring() {
    MutexLock lock(&mutex_);
    if (wake_ != nullptr) wake_();
  }
  // Returns when nobody rings it any more.
  void Remove() {
    MutexLock lock(&mutex_);
    wake_ = nullptr;
  }

 private:
  Mutex mutex_;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
};

// A place in the feed. Its members belong to the feed's lock.
class RevocationFeed::Watcher final : public Subscription {
 public:
  Watcher(RevocationFeed& owner, std::function<void()> wake,
          SnapshotForm wanted)
      : feed(owner),
        bell(std::make_shared<Bell>(std::move(wake))),
        form(wanted) {}
  ~Watcher() override {
    bell->Remove();
    feed.Leave(*this);
  }

  absl::StatusOr<Frame> Next() override { return feed.NextFor(*this); }

  RevocationFeed& feed;
  const std::shared_ptr<Bell> bell;
  const SnapshotForm form;
  // The last key set and heartbeat it has been sent.
  std::uint64_t key_version = 0;
  std::uint64_t beat = 0;
  // Where it stands; not set until it has been sent a whole snapshot.
  std::optional<storage::LedgerHead> position;
  // What it is being sent; null: none, or one that is being made.
  std::shared_ptr<const Snapshot> snapshot;
  std::size_t next_part = 0;
};

RevocationFeed::RevocationFeed(const Rooms& rooms, Options options)
    : rooms_(rooms), options_(options), snapshot_lane_("snapshot", 1, 2) {
  Release(Occasion::kHeartbeat);
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

RevocationFeed::~RevocationFeed() {
  thread_.request_stop();
  thread_.join();
}

absl::StatusOr<std::unique_ptr<Subscription>> RevocationFeed::Subscribe(
    const v1::WatchRequest& request, std::function<void()> wake) {
  auto watcher = std::make_unique<Watcher>(
      *this, std::move(wake),
      request.compact() ? SnapshotForm::kCompact : SnapshotForm::kReadable);
  if (!request.cursor().empty()) {
    const auto position = revocation::ParseCursor(request.cursor());
    if (!position.has_value()) {
      return RefuseField("cursor", "must be the cursor of a frame of Watch");
    }
    using Fit = revocation::FeedLog::Fit;
    const Fit fit = rooms_.log.FitOf(*position);
    if (fit == Fit::kContinues) watcher->position = *position;
    if (fit == Fit::kRegressed) RaiseRegression(request.cursor());
  }
  MutexLock lock(&mutex_);
  if (watchers_.size() >= options_.most_watchers)
    return RefuseUntil(Reason::kOverloaded, kComeBackAfter);
  watchers_.insert(watcher.get());
  return watcher;
}

void RevocationFeed::RaiseRegression(const std::string& cursor) {
  {
    MutexLock lock(&mutex_);
    ++figures_.regressions;
    // Anybody can make a cursor up; nobody shall fill the log with them.
    const absl::Time now = absl::Now();
    if (now < next_alarm_) return;
    next_alarm_ = now + kAlarmPause;
  }
  rooms_.logger.Error(
      "STATE_REGRESSION: a watcher has been told more than the ledger holds: "
      "was an older database put in its place?",
      {{"cursor", cursor}});
}

void RevocationFeed::Leave(Watcher& watcher) {
  MutexLock lock(&mutex_);
  watchers_.erase(&watcher);
}

RevocationFeed::Figures RevocationFeed::figures() const {
  MutexLock lock(&mutex_);
  Figures figures = figures_;
  figures.watchers = watchers_.size();
  return figures;
}

void RevocationFeed::Run(std::stop_token stop) {
  absl::Time next_beat = absl::Now() + options_.heartbeat;
  std::int64_t told = 0;
  {
    // As the constructor released it: what was committed since is news.
    MutexLock lock(&mutex_);
    told = released_.head.sequence;
  }
  while (!stop.stop_requested()) {
    rooms_.log.AwaitBeyond(
        told, std::max(next_beat - absl::Now(), absl::ZeroDuration()), stop);
    if (stop.stop_requested()) return;
    const bool heartbeat = absl::Now() >= next_beat;
    if (heartbeat) {
      next_beat = absl::Now() + options_.heartbeat;
    } else {
      absl::SleepFor(options_.window);
    }
    told = rooms_.log.head().sequence;
    Release(heartbeat ? Occasion::kHeartbeat : Occasion::kNews);
    WakeAll();
  }
}

// From here on, watchers may be told of everything that is committed now.
void RevocationFeed::Release(Occasion occasion) {
  // Read before the head: what was acknowledged earlier is then at or below it.
  const absl::Time as_of = rooms_.clock.Now();
  const storage::LedgerHead head = rooms_.log.head();
  const auto keys = rooms_.keys.Snapshot();
  MutexLock lock(&mutex_);
  released_ = Released{head, as_of, nullptr, -1, {}, nullptr};
  if (occasion == Occasion::kHeartbeat) {
    ++beat_;
    for (SnapshotSlot& slot : snapshots_) {
      if (slot.snapshot != nullptr &&
          slot.snapshot->as_of < as_of - kSnapshotAge)
        slot.snapshot = nullptr;
    }
  }
  if (keys == keys_.lock()) return;
  keys_ = keys;
  key_frame_ = KeySetFrame(keys->verifying_keys());
  ++key_version_;
}

void RevocationFeed::WakeAll() {
  std::vector<std::shared_ptr<Bell>> bells;
  {
    MutexLock lock(&mutex_);
    bells.reserve(watchers_.size());
    for (const Watcher* watcher : watchers_) bells.push_back(watcher->bell);
  }
  for (const std::shared_ptr<Bell>& bell : bells) bell->Ring();
}

Frame RevocationFeed::NextFor(Watcher& watcher) {
  MutexLock lock(&mutex_);
  if (watcher.key_version != key_version_) {
    watcher.key_version = key_version_;
    return key_frame_;
  }
  if (!watcher.position.has_value()) {
    if (Frame part = SnapshotPartFor(watcher); part != nullptr) return part;
    if (!watcher.position.has_value()) return nullptr;
  }
  if (watcher.position->sequence < released_.head.sequence)
    return DeltaFor(watcher);
  // Never about a head it has not been sent: one ahead of what is released
  // came with a snapshot a moment ago.
  if (watcher.beat == beat_ ||
      watcher.position->sequence != released_.head.sequence)
    return nullptr;
  watcher.beat = beat_;
  if (released_.heartbeat == nullptr)
    released_.heartbeat = HeartbeatFrame(released_.head, released_.as_of);
  return released_.heartbeat;
}

// Null once the watcher has all parts, and while the snapshot is being made.
Frame RevocationFeed::SnapshotPartFor(Watcher& watcher) {
  if (watcher.snapshot == nullptr) {
    watcher.snapshot = UsableSnapshot(watcher.form);
    watcher.next_part = 0;
    if (watcher.snapshot == nullptr) return nullptr;
  }
  if (watcher.next_part < watcher.snapshot->frames.size())
    return watcher.snapshot->frames[watcher.next_part++];
  watcher.position = watcher.snapshot->head;
  watcher.snapshot = nullptr;
  return nullptr;
}

Frame RevocationFeed::DeltaFor(Watcher& watcher) {
  const std::int64_t from = watcher.position->sequence;
  if (released_.delta_from != from) {
    auto rows = rooms_.log.After(from, kRowsInDelta);
    if (!rows.has_value()) {
      // So slow that the log has gone on without it.
      watcher.position.reset();
      return SnapshotPartFor(watcher);
    }
    const storage::LedgerHead& head = released_.head;
    const auto beyond = std::find_if(rows->begin(), rows->end(),
                                     [&](const storage::LedgerRow& row) {
                                       return row.sequence > head.sequence;
                                     });
    const bool to_head = beyond != rows->end() || rows->size() < kRowsInDelta ||
                         rows->back().sequence == head.sequence;
    rows->erase(beyond, rows->end());
    released_.delta_from = from;
    released_.delta_to =
        to_head ? head
                : storage::LedgerHead{head.epoch, rows->back().sequence,
                                      rows->back().check};
    released_.delta =
        DeltaFrame(*rows, from, released_.delta_to,
                   to_head ? released_.as_of : absl::InfinitePast());
  }
  watcher.position = released_.delta_to;
  return released_.delta;
}

std::shared_ptr<const RevocationFeed::Snapshot> RevocationFeed::UsableSnapshot(
    SnapshotForm form) {
  SnapshotSlot& slot = snapshots_[static_cast<std::size_t>(form)];
  if (slot.snapshot != nullptr &&
      rooms_.log.After(slot.snapshot->head.sequence, 0).has_value())
    return slot.snapshot;
  slot.snapshot = nullptr;
  if (!slot.being_made) {
    // The lane holds as many as there are forms.
    slot.being_made =
        snapshot_lane_.TrySubmit([this, form] { MakeSnapshot(form); });
  }
  return nullptr;
}

void RevocationFeed::MakeSnapshot(SnapshotForm form) {
  auto made = std::make_shared<Snapshot>();
  made->as_of = rooms_.clock.Now();
  made->head = rooms_.log.head();
  made->frames =
      SnapshotFrames(rooms_.revocations, made->head, made->as_of, form);
  {
    MutexLock lock(&mutex_);
    SnapshotSlot& slot = snapshots_[static_cast<std::size_t>(form)];
    slot.snapshot = std::move(made);
    slot.being_made = false;
    ++figures_.snapshots;
  }
  WakeAll();
}

}  // namespace ostiary::door
