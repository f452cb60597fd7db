#include "server/door/revocation_feed.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/revocation/cursor.h"
#include "tests/server/door/feed_fixture.h"

namespace ostiary::door {
namespace {

using ::ostiary::testing::FeedFixture;
using ::ostiary::testing::HasCode;
using ::ostiary::testing::kNever;
using ::ostiary::testing::Parsed;
using ::ostiary::testing::SmallLedger;
using ::ostiary::testing::TestWatcher;
using ::ostiary::testing::TimeOf;
using revocation::FormatCursor;
using storage::LedgerHead;

class FeedTest : public FeedFixture {};

// --- Beginning.

TEST_F(FeedTest, KeysThenTheWholeSnapshotThenAHeartbeat) {
  Commit("a");
  Start();
  auto watcher = Watch();
  const v1::WatchResponse keys = watcher->Await();
  ASSERT_TRUE(keys.has_key_set());
  EXPECT_EQ(keys.key_set().keys_size(),
            static_cast<int>(View()->verifying_keys().keys().size()));
  const v1::WatchResponse snapshot = watcher->Await();
  ASSERT_TRUE(snapshot.has_snapshot());
  EXPECT_TRUE(snapshot.snapshot().last());
  EXPECT_TRUE(watcher->reader.HitsToken("a"));
  EXPECT_TRUE(watcher->Await().has_heartbeat());
  EXPECT_EQ(watcher->Next(), nullptr);
}

TEST_F(FeedTest, ASnapshotIsReadableUnlessCompactIsAskedFor) {
  Commit("a");
  Start();
  EXPECT_EQ(Watch()->AwaitNoHeartbeat().frame_case(),
            v1::WatchResponse::kKeySet);
  auto readable = Watch();
  readable->Await();
  const v1::WatchResponse whole = readable->Await();
  EXPECT_EQ(whole.snapshot().entries_size(), 1);
  EXPECT_EQ(whole.snapshot().fingerprint_sets_size(), 0);
  auto compact = Watch("", /*form=*/SnapshotForm::kCompact);
  compact->Await();
  const v1::WatchResponse packed = compact->Await();
  EXPECT_EQ(packed.snapshot().entries_size(), 0);
  EXPECT_EQ(packed.snapshot().fingerprint_sets_size(), 1);
  EXPECT_TRUE(compact->reader.HitsToken("a"));
}

TEST_F(FeedTest, ARevocationComesAsADelta) {
  Start();
  auto watcher = Settled();
  Commit("a");
  const v1::WatchResponse frame = watcher->AwaitNoHeartbeat();
  EXPECT_EQ(frame.delta().from(), 0u);
  EXPECT_EQ(frame.delta().to(), 1u);
  EXPECT_TRUE(frame.delta().has_as_of());
  EXPECT_TRUE(watcher->reader.HitsToken("a"));
}

// What was committed between the feed's making and its thread's first look
// must not wait for a heartbeat.
TEST_F(FeedTest, NothingCommittedWhileItStartsWaits) {
  for (int round = 0; round < 200; ++round) {
    Start();
    const LedgerHead head = Commit("a");
    Settled()->AwaitPosition(head.sequence);
    feed_.reset();
  }
}

// --- Coming again.

TEST_F(FeedTest, ACursorContinuesWithoutASnapshot) {
  const LedgerHead seen = Commit("a");
  Commit("b");
  Commit("c");
  Start();
  auto watcher = Watch(FormatCursor(seen));
  EXPECT_TRUE(watcher->Await().has_key_set());
  watcher->reader.position = 1;
  const v1::WatchResponse frame = watcher->Await();
  ASSERT_TRUE(frame.has_delta());
  EXPECT_EQ(frame.delta().from(), 1u);
  EXPECT_EQ(frame.delta().to(), 3u);
  EXPECT_EQ(frame.delta().entries_size(), 2);
  EXPECT_EQ(feed_->figures().snapshots, 0u);
}

TEST_F(FeedTest, TheNewestCursorContinuesWithAHeartbeat) {
  const LedgerHead seen = Commit("a");
  Start();
  auto watcher = Watch(FormatCursor(seen));
  watcher->Await();
  watcher->reader.position = 1;
  EXPECT_TRUE(watcher->Await().has_heartbeat());
  EXPECT_EQ(feed_->figures().snapshots, 0u);
}

TEST_F(FeedTest, TheCursorOfEveryFrameContinues) {
  Start();
  auto first = Settled();
  const std::string of_snapshot = first->reader.cursor;
  first->AwaitPosition(Commit("a").sequence);
  const std::string of_delta = first->reader.cursor;
  Commit("b");
  first->AwaitPosition(2);
  for (const std::string& cursor : {of_snapshot, of_delta}) {
    auto again = Watch(cursor);
    again->Await();
    again->reader.position = cursor == of_snapshot ? 0 : 1;
    EXPECT_TRUE(again->Await().has_delta()) << cursor;
    EXPECT_EQ(again->reader.position, 2u);
  }
}

TEST_F(FeedTest, ACursorOfAnotherHistoryGetsASnapshotAndIsCounted) {
  LedgerHead seen = Commit("a");
  Commit("b");
  Start();
  for (const bool ahead : {false, true}) {
    LedgerHead wrong = seen;
    if (ahead) {
      wrong.sequence = 99;
    } else {
      wrong.check ^= 1;
    }
    auto watcher = Watch(FormatCursor(wrong));
    watcher->Await();
    EXPECT_TRUE(watcher->Await().has_snapshot());
    EXPECT_TRUE(watcher->reader.HitsToken("b"));
  }
  EXPECT_EQ(feed_->figures().regressions, 2u);
}

TEST_F(FeedTest, ACursorOfAnOldEpochGetsASnapshotWithoutAlarm) {
  MakeLedger(1000, /*epoch=*/2);
  Commit("a");
  Start();
  auto watcher = Watch(FormatCursor({1, 77, 5}));
  watcher->Await();
  const v1::WatchResponse frame = watcher->Await();
  EXPECT_EQ(frame.snapshot().epoch(), 2u);
  EXPECT_EQ(feed_->figures().regressions, 0u);
}

TEST_F(FeedTest, ACursorThatIsTooOldGetsASnapshotWithoutAlarm) {
  MakeLedger(3);
  const LedgerHead seen = Commit("a");
  for (int i = 0; i < 9; ++i) Commit("more");
  Start();
  auto watcher = Watch(FormatCursor(seen));
  watcher->Await();
  EXPECT_TRUE(watcher->Await().has_snapshot());
  EXPECT_TRUE(watcher->reader.HitsToken("a"));
  EXPECT_EQ(feed_->figures().regressions, 0u);
}

TEST_F(FeedTest, WhatIsNoCursorIsRefusedByName) {
  Start();
  for (const char* text : {"x", "cur_", "rev_000000010000000000000001"}) {
    auto watcher = Watch(text);
    EXPECT_EQ(ReasonOf(watcher->status), Reason::kArgumentInvalid);
    ASSERT_EQ(FieldViolationsOf(watcher->status).size(), 1u);
    EXPECT_EQ(FieldViolationsOf(watcher->status)[0].field, "cursor");
  }
  EXPECT_EQ(feed_->figures().watchers, 0u);
}

// --- Memory and work for many and slow ones.

TEST_F(FeedTest, AllAtOnePlaceAreSentTheSameBytes) {
  Start();
  auto one = Settled(), other = Settled(), pilot = Settled();
  ReadHeartbeats({one.get(), other.get()});
  Commit("a");
  pilot->AwaitPosition(1);
  const Frame delta = one->AwaitFrame();
  EXPECT_TRUE(Parsed(delta).has_delta());
  EXPECT_EQ(delta, other->AwaitFrame());
}

TEST_F(FeedTest, KeysSnapshotAndHeartbeatAreSharedToo) {
  Commit("a");
  Start();
  auto one = Watch(), other = Watch();
  for (int i = 0; i < 3; ++i)  // keys, snapshot, heartbeat
    EXPECT_EQ(one->AwaitFrame(), other->AwaitFrame()) << i;
  EXPECT_EQ(feed_->figures().snapshots, 1u);
}

TEST_F(FeedTest, ASlowWatcherGetsOneDeltaForAllItMissed) {
  Start();
  auto slow = Settled(), pilot = Settled();
  ReadHeartbeats({slow.get()});
  for (int i = 1; i <= 5; ++i) {
    Commit(absl::StrCat("t", i));
    pilot->AwaitPosition(i);
  }
  const v1::WatchResponse frame = slow->Await();
  EXPECT_EQ(frame.delta().from(), 0u);
  EXPECT_EQ(frame.delta().to(), 5u);
  EXPECT_EQ(frame.delta().entries_size(), 5);
  EXPECT_EQ(slow->Next(), nullptr);
}

TEST_F(FeedTest, WhoFellOutOfTheLogGetsASnapshot) {
  MakeLedger(10);
  Start();
  auto slow = Settled(), pilot = Settled();
  ReadHeartbeats({slow.get()});
  for (int i = 1; i <= 25; ++i) {
    Commit(absl::StrCat("t", i));
    pilot->AwaitPosition(i);
  }
  const v1::WatchResponse frame = slow->Await();
  ASSERT_TRUE(frame.has_snapshot());
  EXPECT_EQ(frame.snapshot().sequence(), 25u);
  for (int i = 1; i <= 25; ++i)
    EXPECT_TRUE(slow->reader.HitsToken(absl::StrCat("t", i))) << i;
  Commit("after");
  slow->AwaitPosition(26);
  EXPECT_TRUE(slow->reader.HitsToken("after"));
  EXPECT_EQ(feed_->figures().regressions, 0u);
}

// Only the delta that brings the watcher up to the head may say until when.
TEST_F(FeedTest, ALongWayIsCutAndOnlyItsEndIsUpToDate) {
  MakeLedger(20000);
  for (const int rows : {9000, 8000}) {
    Start();
    auto slow = Settled(), pilot = Settled();
    const std::uint64_t from = *slow->reader.position;
    ReadHeartbeats({slow.get()});
    const LedgerHead head = CommitMany(rows);
    pilot->AwaitPosition(head.sequence);
    std::vector<v1::WatchResponse> deltas;
    do {
      deltas.push_back(slow->Await());
    } while (slow->reader.position !=
             static_cast<std::uint64_t>(head.sequence));
    EXPECT_EQ(deltas.size(), rows == 9000 ? 3u : 2u);
    std::uint64_t at = from;
    for (const v1::WatchResponse& frame : deltas) {
      EXPECT_EQ(frame.delta().from(), at);
      EXPECT_EQ(frame.delta().has_as_of(), &frame == &deltas.back());
      EXPECT_LT(frame.ByteSizeLong(), 1u << 20);
      at = frame.delta().to();
    }
    slow.reset();
    pilot.reset();
    feed_.reset();
  }
}

TEST_F(FeedTest, ASnapshotServesNewcomersForAMinute) {
  options_.heartbeat = absl::Milliseconds(5);
  Start();
  Settled();
  Commit("a");
  auto second = Watch();
  second->AwaitPosition(1);
  EXPECT_EQ(second->reader.deltas, 1);  // the old snapshot and what came since
  EXPECT_EQ(feed_->figures().snapshots, 1u);
  clock_.Advance(absl::Seconds(61));
  second->Await();  // a heartbeat has dropped it
  while (second->reader.as_of < clock_.Now() && !HasFailure()) second->Await();
  auto third = Watch();
  third->AwaitPosition(1);
  EXPECT_EQ(third->reader.deltas, 0);
  EXPECT_EQ(feed_->figures().snapshots, 2u);
}

TEST_F(FeedTest, OneTooManyIsRefusedUntilSomebodyLeaves) {
  options_.most_watchers = 2;
  Start();
  auto one = Watch(), two = Watch();
  ASSERT_OK(two->status);
  EXPECT_EQ(ReasonOf(Watch()->status), Reason::kOverloaded);
  EXPECT_EQ(feed_->figures().watchers, 2u);
  one.reset();
  EXPECT_EQ(feed_->figures().watchers, 1u);
  EXPECT_OK(Watch()->status);
}

// --- Heartbeats.

TEST_F(FeedTest, AHeartbeatComesAgainAndAgainAndItsTimeMovesOn) {
  options_.heartbeat = absl::Milliseconds(5);
  Start();
  auto watcher = Settled();
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Seconds(1));
    while (watcher->reader.as_of < clock_.Now() && !HasFailure())
      watcher->Await();
  }
  EXPECT_GE(watcher->reader.heartbeats, 3);
  EXPECT_EQ(watcher->reader.deltas, 0);
}

TEST_F(FeedTest, NoHeartbeatBeforeTheSnapshotIsWhole) {
  options_.heartbeat = absl::Milliseconds(1);
  Commit("a");
  Start();
  for (int i = 0; i < 20; ++i) {
    auto watcher = Watch();
    watcher->Await();
    absl::SleepFor(absl::Milliseconds(2));
    EXPECT_TRUE(watcher->Await().has_snapshot());
  }
}

// --- Keys.

TEST_F(FeedTest, AKeyThatIsRevokedLeavesTheFeedsKeySet) {
  options_.heartbeat = absl::Milliseconds(5);
  Start();
  auto watcher = Settled();
  const std::string stolen = ActiveId();
  ASSERT_OK(Revoke(stolen));
  v1::WatchResponse frame;
  do {
    frame = watcher->Await();
  } while (!frame.has_key_set() && !HasFailure());
  std::vector<std::string> told;
  for (const v1::JsonWebKey& key : frame.key_set().keys())
    told.push_back(key.kid());
  EXPECT_THAT(told, ::testing::Not(::testing::Contains(stolen)));
  EXPECT_THAT(told, ::testing::Contains(ActiveId()));
}

TEST_F(FeedTest, KeysThatStayAreNotToldAgain) {
  options_.heartbeat = absl::Milliseconds(1);
  Start();
  auto watcher = Settled();
  while (watcher->reader.heartbeats < 20 && !HasFailure()) watcher->Await();
  EXPECT_EQ(watcher->reader.key_sets, 1);
}

}  // namespace
}  // namespace ostiary::door
