#include "client/cpp/breaker.h"

#include "gtest/gtest.h"

namespace ostiary::client {
namespace {

using Pass = Breaker::Pass;

class BreakerTest : public ::testing::Test {
 protected:
  void Fail(int times) {
    for (int i = 0; i < times; ++i) breaker_.Fail(breaker_.Enter(now_), now_);
  }
  // The longest that a pause of `length` lasts.
  static absl::Duration Most(absl::Duration length) { return 1.2 * length; }

  Breaker breaker_;
  absl::Duration now_ = absl::Hours(1);
};

TEST_F(BreakerTest, OpensAtTheFifthFailureInARow) {
  Fail(4);
  EXPECT_FALSE(breaker_.open());
  EXPECT_EQ(breaker_.Enter(now_), Pass::kOrdinary);
  Fail(1);
  EXPECT_TRUE(breaker_.open());
  EXPECT_EQ(breaker_.Enter(now_), Pass::kNone);
}

TEST_F(BreakerTest, SuccessBeginsTheCountAgain) {
  Fail(4);
  breaker_.Succeed(breaker_.Enter(now_));
  Fail(4);
  EXPECT_FALSE(breaker_.open());
}

TEST_F(BreakerTest, AfterThePauseOneAloneMayProbe) {
  Fail(5);
  EXPECT_EQ(breaker_.Enter(now_ + absl::Milliseconds(999)), Pass::kNone);
  now_ += Most(Breaker::kFirstPause);
  EXPECT_EQ(breaker_.Enter(now_), Pass::kProbe);
  EXPECT_EQ(breaker_.Enter(now_), Pass::kNone);
  breaker_.Succeed(Pass::kProbe);
  EXPECT_FALSE(breaker_.open());
  EXPECT_EQ(breaker_.Enter(now_), Pass::kOrdinary);
}

TEST_F(BreakerTest, PauseDoublesUpToItsLongest) {
  Fail(5);
  absl::Duration pause = Breaker::kFirstPause;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(breaker_.Enter(now_ + pause - absl::Milliseconds(1)),
              Pass::kNone);
    now_ += Most(pause);
    ASSERT_EQ(breaker_.Enter(now_), Pass::kProbe);
    breaker_.Fail(Pass::kProbe, now_);
    pause = std::min(2 * pause, Breaker::kLongestPause);
  }
}

TEST_F(BreakerTest, SuccessOfOneThatSetOutBeforeDoesNotCloseIt) {
  const Pass early = breaker_.Enter(now_);
  Fail(5);
  breaker_.Succeed(early);
  EXPECT_TRUE(breaker_.open());
}

TEST_F(BreakerTest, FailureOfOneThatSetOutBeforeDoesNotEndTheProbe) {
  const Pass early = breaker_.Enter(now_);
  Fail(5);
  now_ += Most(Breaker::kFirstPause);
  ASSERT_EQ(breaker_.Enter(now_), Pass::kProbe);
  breaker_.Fail(early, now_);
  EXPECT_EQ(breaker_.Enter(now_), Pass::kNone);
  breaker_.Succeed(Pass::kProbe);
  EXPECT_FALSE(breaker_.open());
}

}  // namespace
}  // namespace ostiary::client
