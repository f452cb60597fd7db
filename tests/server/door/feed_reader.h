#ifndef OSTIARY_TESTS_SERVER_DOOR_FEED_READER_H_
#define OSTIARY_TESTS_SERVER_DOOR_FEED_READER_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/revocation/fingerprint_set.h"
#include "client/revocation/revoked_set.h"
#include "gtest/gtest.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "server/door/revocation_feed.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {

inline absl::Time TimeOf(const google::protobuf::Timestamp& stamp) {
  return absl::FromUnixSeconds(stamp.seconds()) +
         absl::Nanoseconds(stamp.nanos());
}

inline v1::WatchResponse Parsed(const door::Frame& frame) {
  v1::WatchResponse response;
  EXPECT_TRUE(response.ParseFromString(*frame));
  return response;
}

// What a verifier makes of the feed (docs/verifiers.md). Frames that break the
// feed's promises fail the test.
class FeedReader {
 public:
  void Apply(const v1::WatchResponse& response) {
    switch (response.frame_case()) {
      case v1::WatchResponse::kKeySet:
        ++key_sets;
        break;
      case v1::WatchResponse::kSnapshot:
        Merge(response.snapshot());
        break;
      case v1::WatchResponse::kDelta:
        Merge(response.delta());
        break;
      case v1::WatchResponse::kHeartbeat:
        ++heartbeats;
        EXPECT_EQ(response.heartbeat().sequence(), position)
            << "a heartbeat about what was not sent";
        Stand(response.heartbeat());
        break;
      case v1::WatchResponse::FRAME_NOT_SET:
        ADD_FAILURE() << "an empty frame";
    }
    EXPECT_GE(key_sets, 1) << "the keys come first";
  }

  bool HitsToken(const std::string& token_id) const {
    revocation::TokenMarks marks;
    marks.token = revocation::Fingerprint::OfToken(token_id);
    marks.issue_time = absl::InfiniteFuture();
    return set.Hits(marks);
  }

  revocation::RevokedSet set;
  std::optional<std::uint64_t> position;  // the sequence
  std::string cursor;
  absl::Time as_of = absl::InfinitePast();
  int key_sets = 0, snapshots = 0, deltas = 0, heartbeats = 0;

 private:
  template <typename Message>
  void Stand(const Message& frame) {
    // A snapshot may be newer than the first frames after it.
    if (frame.has_as_of()) as_of = std::max(as_of, TimeOf(frame.as_of()));
    EXPECT_FALSE(frame.cursor().empty());
    cursor = frame.cursor();
  }

  void Merge(const v1::RevocationSnapshot& part) {
    for (const v1::RevocationEntry& entry : part.entries()) Add(entry);
    for (const v1::FingerprintSet& packed : part.fingerprint_sets())
      Add(packed);
    EXPECT_EQ(part.last(), part.has_as_of());
    if (!part.last()) return;
    ++snapshots;
    position = part.sequence();
    Stand(part);
  }

  void Merge(const v1::RevocationDelta& delta) {
    ++deltas;
    EXPECT_EQ(delta.from(), position);
    EXPECT_GT(delta.to(), delta.from());
    for (const v1::RevocationEntry& entry : delta.entries()) Add(entry);
    position = delta.to();
    Stand(delta);
  }

  void Add(const v1::FingerprintSet& packed) {
    revocation::FingerprintSetView view;
    view.count = packed.count();
    view.low_bits = packed.low_bits();
    view.lows = packed.lows();
    view.highs = packed.highs();
    const auto fingerprints = revocation::DecodeFingerprints(view);
    ASSERT_TRUE(fingerprints.ok()) << fingerprints.status();
    set.AddFingerprints(*fingerprints, TimeOf(packed.forget_time()));
  }

  void Add(const v1::RevocationEntry& entry) {
    const absl::Time forget = entry.has_forget_time()
                                  ? TimeOf(entry.forget_time())
                                  : absl::InfiniteFuture();
    switch (entry.target_case()) {
      case v1::RevocationEntry::kTokenId:
        set.AddFingerprints(
            {revocation::Fingerprint::OfToken(entry.token_id())}, forget);
        break;
      case v1::RevocationEntry::kSessionId:
        set.AddFingerprints(
            {revocation::Fingerprint::OfSession(entry.session_id())}, forget);
        break;
      case v1::RevocationEntry::kAccount:
        set.AddAccount(entry.account().account_id(),
                       entry.account().min_generation(), forget);
        break;
      case v1::RevocationEntry::kClient:
        set.AddClient(entry.client().client_id(),
                      TimeOf(entry.client().issued_before()), forget);
        break;
      case v1::RevocationEntry::kKeyId:
        set.AddKey(entry.key_id());
        break;
      case v1::RevocationEntry::kAll:
        set.AddAll(TimeOf(entry.all().issued_before()), forget);
        break;
      case v1::RevocationEntry::TARGET_NOT_SET:
        ADD_FAILURE() << "an entry without a target";
    }
  }
};

// One who watches without a wire: waits to be woken and pulls.
class TestWatcher {
 public:
  TestWatcher(door::RevocationFeed& feed, const v1::WatchRequest& request) {
    auto subscribed = feed.Subscribe(request, [bell = bell_] { bell->Ring(); });
    status = subscribed.status();
    if (subscribed.ok()) subscription_ = *std::move(subscribed);
  }

  // Null: nothing to say now.
  door::Frame Next() { return ValueOf(subscription_->Next()); }

  // The next frame, waited for. A watcher that is not woken in time fails.
  door::Frame AwaitFrame() {
    for (;;) {
      const std::uint64_t rung = bell_->rung();
      if (door::Frame frame = Next(); frame != nullptr) return frame;
      if (!bell_->AwaitAfter(rung)) {
        ADD_FAILURE() << "was not woken";
        return std::make_shared<const std::string>();
      }
    }
  }
  v1::WatchResponse Await() {
    const v1::WatchResponse response = Parsed(AwaitFrame());
    reader.Apply(response);
    return response;
  }
  v1::WatchResponse AwaitNoHeartbeat() {
    for (;;) {
      v1::WatchResponse response = Await();
      if (!response.has_heartbeat() || ::testing::Test::HasFailure())
        return response;
    }
  }
  // Reads until it stands there.
  void AwaitPosition(std::int64_t sequence) {
    while (reader.position != static_cast<std::uint64_t>(sequence) &&
           !::testing::Test::HasFailure())
      Await();
  }

  absl::Status status;
  FeedReader reader;

 private:
  class Bell {
   public:
    void Ring() {
      {
        std::lock_guard lock(mutex_);
        ++rung_;
      }
      changed_.notify_all();
    }
    std::uint64_t rung() {
      std::lock_guard lock(mutex_);
      return rung_;
    }
    // False: a time has passed that only a hang takes.
    bool AwaitAfter(std::uint64_t rung) {
      std::unique_lock lock(mutex_);
      return changed_.wait_for(lock, std::chrono::seconds(20),
                               [&] { return rung_ > rung; });
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t rung_ = 0;
  };

  const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  std::unique_ptr<door::Subscription> subscription_;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SERVER_DOOR_FEED_READER_H_
