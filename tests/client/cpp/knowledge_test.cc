#include "client/cpp/knowledge.h"

#include <thread>

#include "gtest/gtest.h"
#include "ostiary/test_issuer.h"
#include "tests/client/cpp/fake_time.h"
#include "tests/support/status_matchers.h"

namespace ostiary::client {
namespace {

using ::ostiary::testing::ValueOf;

class KnowledgeTest : public ::testing::Test {
 protected:
  absl::Duration Staleness() const {
    return knowledge_.Staleness(time_.Now(), time_.Uptime());
  }
  void Freshen() { knowledge_.Freshen(time_.Now(), time_.Uptime()); }

  testing::FakeTime time_;
  Knowledge knowledge_;
};

TEST_F(KnowledgeTest, NothingKnownIsInfinitelyStale) {
  EXPECT_EQ(Staleness(), absl::InfiniteDuration());
}

TEST_F(KnowledgeTest, StalenessIsTheGreaterOfBothClocks) {
  Freshen();
  EXPECT_EQ(Staleness(), absl::ZeroDuration());
  const absl::Time start = time_.Now();
  time_.AdvanceUptime(absl::Seconds(3));
  EXPECT_EQ(Staleness(), absl::Seconds(3));  // the wall clock stands
  time_.SetWallClock(start + absl::Seconds(8));
  EXPECT_EQ(Staleness(), absl::Seconds(8));  // a suspended machine woke up
  time_.SetWallClock(start - absl::Hours(1));
  EXPECT_EQ(Staleness(), absl::Seconds(3));  // the wall clock was set back
}

TEST_F(KnowledgeTest, FreshnessNeverMovesBack) {
  Freshen();
  const absl::Time fresh = time_.Now();
  time_.Advance(absl::Seconds(2));
  knowledge_.Freshen(fresh - absl::Seconds(1), time_.Uptime());
  knowledge_.Freshen(fresh, time_.Uptime());
  EXPECT_EQ(knowledge_.as_of(), fresh);
  EXPECT_EQ(Staleness(), absl::Seconds(2));
}

TEST_F(KnowledgeTest, RevisionIsReachedWithThePosition) {
  EXPECT_EQ(knowledge_.HasReached({1, 1}), Arrival::kTimeout);
  knowledge_.MoveTo({{1, 5}, ""});
  EXPECT_EQ(knowledge_.HasReached({1, 5}), Arrival::kReached);
  EXPECT_EQ(knowledge_.HasReached({1, 6}), Arrival::kTimeout);
  EXPECT_EQ(knowledge_.HasReached({2, 1}), Arrival::kTimeout);
}

TEST_F(KnowledgeTest, RevisionOfAPastEpochCountsIfItWasReachedThere) {
  knowledge_.MoveTo({{1, 5}, ""});
  knowledge_.MoveTo({{2, 1}, ""});
  EXPECT_EQ(knowledge_.HasReached({1, 5}), Arrival::kReached);
  EXPECT_EQ(knowledge_.HasReached({1, 6}), Arrival::kLost);
}

TEST_F(KnowledgeTest, WaitingEndsWhenThePositionArrives) {
  std::thread feed([this] { knowledge_.MoveTo({{1, 7}, ""}); });
  EXPECT_EQ(knowledge_.WaitFor({1, 7}, absl::Seconds(10)), Arrival::kReached);
  feed.join();
}

TEST_F(KnowledgeTest, WaitingEndsWhenTheEpochIsOver) {
  knowledge_.MoveTo({{1, 5}, ""});
  std::thread feed([this] { knowledge_.MoveTo({{2, 0}, ""}); });
  EXPECT_EQ(knowledge_.WaitFor({1, 6}, absl::Seconds(10)), Arrival::kLost);
  feed.join();
}

TEST_F(KnowledgeTest, WaitingEndsWithItsTimeoutOrTheVerifier) {
  EXPECT_EQ(knowledge_.WaitFor({1, 1}, absl::Milliseconds(1)),
            Arrival::kTimeout);
  std::thread closer([this] { knowledge_.StopWaiting(); });
  EXPECT_EQ(knowledge_.WaitFor({1, 1}, absl::Seconds(60)), Arrival::kTimeout);
  closer.join();
}

TEST_F(KnowledgeTest, OnlyALostKeyCountsAsALoss) {
  TestIssuer issuer, other;
  const auto first = ValueOf(jwt::KeySet::Parse(issuer.JwksJson()));
  issuer.RotateKey();
  const auto both = ValueOf(jwt::KeySet::Parse(issuer.JwksJson()));
  knowledge_.ReplaceKeys(first);
  knowledge_.ReplaceKeys(both);
  EXPECT_EQ(knowledge_.losses(), 0u);
  EXPECT_EQ(knowledge_.keys().losses, 0u);
  knowledge_.ReplaceKeys(first);
  EXPECT_EQ(knowledge_.losses(), 1u);
  EXPECT_EQ(knowledge_.keys().losses, 1u);
}

}  // namespace
}  // namespace ostiary::client
