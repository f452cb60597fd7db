#include "client/cpp/follower.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <random>

#include "absl/time/clock.h"
#include "client/revocation/fingerprint_set.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_time.h"
#include "tests/client/cpp/frames.h"
#include "tests/support/status_matchers.h"

namespace ostiary::client {
namespace {

using namespace testing;  // NOLINT: frames
using ::ostiary::testing::ValueOf;
using Step = Follower::Step;

class FollowerTest : public ::testing::Test {
 protected:
  Step Take(const v1::WatchResponse& frame) {
    return follower_->Take(frame, time_.Uptime());
  }
  Step TakeInNewStream(const v1::WatchResponse& frame) {
    follower_ = std::make_unique<Follower>(knowledge_);
    return Take(frame);
  }
  revocation::Revision Position() const {
    const auto position = knowledge_.position();
    return position ? position->revision : revocation::Revision{0, -1};
  }
  bool HitsSession(const std::string& id) const {
    revocation::TokenMarks token;
    token.session = revocation::Fingerprint::OfSession(id);
    token.issue_time = now_;
    return knowledge_.revoked().Hits(token);
  }

  FakeTime time_;
  const absl::Time now_ = time_.Now();
  Knowledge knowledge_;
  std::unique_ptr<Follower> follower_ = std::make_unique<Follower>(knowledge_);
};

TEST_F(FollowerTest, SnapshotMovesThePositionAtItsLastPart) {
  EXPECT_EQ(Take(SnapshotPart(1, 9, {SessionEntry("a")})), Step::kHeard);
  EXPECT_EQ(Position().sequence, -1);
  EXPECT_TRUE(HitsSession("a"));  // merged all the same
  EXPECT_EQ(knowledge_.Staleness(now_, time_.Uptime()),
            absl::InfiniteDuration());
  EXPECT_EQ(Take(Snapshot(1, 9, now_, {SessionEntry("b")})), Step::kAdvanced);
  EXPECT_EQ(Position(), (revocation::Revision{1, 9}));
  EXPECT_EQ(knowledge_.position()->cursor, "cursor-1-9");
  EXPECT_TRUE(HitsSession("b"));
  EXPECT_EQ(knowledge_.as_of(), now_);
}

TEST_F(FollowerTest, DeltaFromThePositionIsApplied) {
  Take(Snapshot(1, 9, now_));
  EXPECT_EQ(Take(Delta(1, 9, 11, now_ + absl::Seconds(1), {SessionEntry("a")})),
            Step::kAdvanced);
  EXPECT_EQ(Position(), (revocation::Revision{1, 11}));
  EXPECT_TRUE(HitsSession("a"));
  EXPECT_EQ(knowledge_.as_of(), now_ + absl::Seconds(1));
}

TEST_F(FollowerTest, DeltaWithAGapIsNotAppliedAndEndsTheStream) {
  Take(Snapshot(1, 9, now_));
  EXPECT_EQ(
      Take(Delta(1, 10, 11, now_ + absl::Seconds(1), {SessionEntry("a")})),
      Step::kAbandon);
  EXPECT_EQ(Position(), (revocation::Revision{1, 9}));
  EXPECT_EQ(knowledge_.as_of(), now_);
}

TEST_F(FollowerTest, DeltaThatOverlapsEndsTheStream) {
  Take(Snapshot(1, 9, now_));
  EXPECT_EQ(Take(Delta(1, 8, 10, now_)), Step::kAbandon);
}

TEST_F(FollowerTest, DeltaBehindThePositionIsADuplicate) {
  Take(Snapshot(1, 9, now_));
  EXPECT_EQ(Take(Delta(1, 7, 9, now_ + absl::Seconds(5))), Step::kHeard);
  EXPECT_EQ(Take(Delta(1, 3, 4, now_ + absl::Seconds(5))), Step::kHeard);
  EXPECT_EQ(Position(), (revocation::Revision{1, 9}));
  EXPECT_EQ(knowledge_.as_of(), now_);
}

TEST_F(FollowerTest, DeltaOfAnotherEpochEndsTheStream) {
  Take(Snapshot(2, 9, now_));
  EXPECT_EQ(Take(Delta(1, 9, 10, now_)), Step::kAbandon);
  EXPECT_EQ(Take(Delta(3, 9, 10, now_)), Step::kAbandon);
  EXPECT_EQ(Take(Delta(1, 1, 2, now_)), Step::kAbandon);
}

TEST_F(FollowerTest, DeltaBeforeAnySnapshotEndsTheStream) {
  EXPECT_EQ(Take(Delta(1, 0, 1, now_)), Step::kAbandon);
}

TEST_F(FollowerTest, HeartbeatOfThePositionFreshens) {
  Take(Snapshot(1, 9, now_));
  EXPECT_EQ(Take(Heartbeat(1, 9, now_ + absl::Seconds(4))), Step::kAdvanced);
  EXPECT_EQ(knowledge_.as_of(), now_ + absl::Seconds(4));
}

TEST_F(FollowerTest, HeartbeatOfAnotherPositionDoesNotFreshen) {
  Take(Snapshot(1, 9, now_));
  for (const auto& frame : {Heartbeat(1, 8, now_ + absl::Seconds(4)),
                            Heartbeat(1, 10, now_ + absl::Seconds(4)),
                            Heartbeat(2, 9, now_ + absl::Seconds(4))}) {
    EXPECT_EQ(TakeInNewStream(frame), Step::kHeard);
  }
  EXPECT_EQ(knowledge_.as_of(), now_);
}

// The frames between were lost: the stream would never be of use again.
TEST_F(FollowerTest, HeartbeatAheadOfAStreamInStepEndsIt) {
  Take(Snapshot(1, 9, now_));
  EXPECT_EQ(Take(Heartbeat(1, 10, now_)), Step::kAbandon);
}

TEST_F(FollowerTest, NewEpochIsMergedAndNothingIsUnrevoked) {
  Take(Snapshot(1, 9, now_, {SessionEntry("old")}));
  EXPECT_EQ(TakeInNewStream(
                Snapshot(2, 3, now_ + absl::Seconds(1), {SessionEntry("new")})),
            Step::kAdvanced);
  EXPECT_EQ(Position(), (revocation::Revision{2, 3}));
  EXPECT_TRUE(HitsSession("old"));
  EXPECT_TRUE(HitsSession("new"));
}

TEST_F(FollowerTest, StreamThatEndsInASnapshotMovedNothing) {
  Take(Snapshot(1, 9, now_));
  TakeInNewStream(SnapshotPart(2, 3, {SessionEntry("a")}));
  EXPECT_EQ(Position(), (revocation::Revision{1, 9}));
  EXPECT_TRUE(HitsSession("a"));
}

TEST_F(FollowerTest, KeySetReplacesTheKeys) {
  TestIssuer first, second;
  EXPECT_FALSE(knowledge_.keys().known);
  EXPECT_EQ(Take(KeySetOf(first)), Step::kHeard);
  EXPECT_EQ(knowledge_.keys().set.ToJson(), first.JwksJson());
  EXPECT_EQ(Take(KeySetOf(second)), Step::kHeard);
  EXPECT_EQ(knowledge_.keys().set.ToJson(), second.JwksJson());
}

TEST_F(FollowerTest, EveryKindOfEntryIsKept) {
  Take(Snapshot(1, 1, now_,
                {TokenEntry("t"), SessionEntry("s"), AccountEntry("a", 3),
                 ClientEntry("c", now_), AllEntry(now_ - absl::Hours(1)),
                 KeyEntry("k")}));
  EXPECT_EQ(knowledge_.revoked().size(), 6u);
}

TEST_F(FollowerTest, EntryOfAnUnknownKindIsNotSteppedOver) {
  Take(Snapshot(1, 9, now_));
  EXPECT_EQ(Take(Delta(1, 9, 10, now_, {v1::RevocationEntry()})),
            Step::kAbandon);
  EXPECT_EQ(Position(), (revocation::Revision{1, 9}));
}

TEST_F(FollowerTest, FrameThatCannotBeReadEndsTheStream) {
  v1::WatchResponse frame = Snapshot(1, 9, now_);
  v1::FingerprintSet* set = frame.mutable_snapshot()->add_fingerprint_sets();
  set->set_count(3);
  EXPECT_EQ(Take(frame), Step::kAbandon);
  frame = Snapshot(1, 9, now_);
  frame.mutable_snapshot()->mutable_as_of()->set_nanos(-1);
  EXPECT_EQ(Take(frame), Step::kAbandon);
  frame = Snapshot(1, ~std::uint64_t{0}, now_);
  EXPECT_EQ(Take(frame), Step::kAbandon);
  EXPECT_EQ(Position().sequence, -1);
}

TEST_F(FollowerTest, FrameOfAnUnknownKindChangesNothing) {
  EXPECT_EQ(Take(v1::WatchResponse()), Step::kHeard);
}

// 25 sets, as many minutes of forgetting as there are.
TEST_F(FollowerTest, MillionEntriesAreAppliedAtOnce) {
  v1::WatchResponse frame = Snapshot(1, 1'000'000, now_);
  std::mt19937_64 random(11);
  for (int minute = 0; minute < 25; ++minute) {
    std::vector<revocation::Fingerprint> numbers(40'000);
    for (auto& number : numbers) number.value = random() >> 12;
    std::sort(numbers.begin(), numbers.end());
    const auto encoded = ValueOf(revocation::EncodeFingerprints(numbers));
    v1::FingerprintSet* set = frame.mutable_snapshot()->add_fingerprint_sets();
    *set->mutable_forget_time() = StampOf(now_ + absl::Minutes(minute));
    set->set_count(encoded.count);
    set->set_low_bits(encoded.low_bits);
    set->set_lows(encoded.lows);
    set->set_highs(encoded.highs);
  }
  EXPECT_LT(frame.ByteSizeLong(), 5'500'000u);
  const absl::Time start = absl::Now();
  EXPECT_EQ(Take(frame), Step::kAdvanced);
  const absl::Duration took = absl::Now() - start;
  EXPECT_EQ(knowledge_.revoked().size(), 1'000'000u);
  EXPECT_LT(took, absl::Seconds(5));  // unoptimised, on a busy machine
  std::cout << frame.ByteSizeLong() << " bytes applied in " << took << "\n";
}

}  // namespace
}  // namespace ostiary::client
