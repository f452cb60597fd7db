#include "server/session/serving_time.h"

#include "gtest/gtest.h"

namespace ostiary::session {
namespace {

const absl::Time kT = absl::FromUnixSeconds(1'700'000'000);
absl::Time At(int seconds) { return kT + absl::Seconds(seconds); }

TEST(ServingTime, WithoutPausesIsTheTimeThatPassed) {
  const ServingTime time;
  EXPECT_EQ(time.Elapsed(At(0), At(7)), absl::Seconds(7));
}

TEST(ServingTime, ClockThatWentBackIsNoNegativeTime) {
  const ServingTime time;
  EXPECT_EQ(time.Elapsed(At(7), At(0)), absl::ZeroDuration());
}

TEST(ServingTime, PauseInBetweenDoesNotCount) {
  ServingTime time;
  time.AddPause(At(2), At(100));
  EXPECT_EQ(time.Elapsed(At(0), At(105)), absl::Seconds(7));
}

TEST(ServingTime, OnlyTheOverlapOfAPauseIsTakenOff) {
  ServingTime time;
  time.AddPause(At(10), At(20));
  EXPECT_EQ(time.Elapsed(At(15), At(30)), absl::Seconds(10));
  EXPECT_EQ(time.Elapsed(At(0), At(15)), absl::Seconds(10));
  EXPECT_EQ(time.Elapsed(At(12), At(18)), absl::ZeroDuration());
  EXPECT_EQ(time.Elapsed(At(20), At(30)), absl::Seconds(10));
  EXPECT_EQ(time.Elapsed(At(0), At(10)), absl::Seconds(10));
}

TEST(ServingTime, NoMomentIsTakenOffTwice) {
  ServingTime time;
  time.AddPause(At(0), At(10));
  time.AddPause(At(5), At(15));  // commits stall side by side
  time.AddPause(At(6), At(9));
  EXPECT_EQ(time.Elapsed(At(0), At(20)), absl::Seconds(5));
}

// A start whose own commit stalls tells of that before it tells how long the
// server was down.
TEST(ServingTime, LongPauseToldOfAfterAShortOneInItIsTakenOffWhole) {
  ServingTime time;
  time.AddPause(At(1), At(2));
  time.AddPause(At(105), At(108));
  time.AddPause(At(110), At(111));
  time.AddPause(At(10), At(109));
  EXPECT_EQ(time.Elapsed(At(0), At(120)), absl::Seconds(120 - 99 - 1 - 1));
  time.AddPause(At(0), At(200));
  EXPECT_EQ(time.Elapsed(At(0), At(201)), absl::Seconds(1));
}

TEST(ServingTime, PauseThatEndsBeforeItBeginsIsNone) {
  ServingTime time;
  time.AddPause(At(5), At(3));
  time.AddPause(At(5), At(5));
  EXPECT_EQ(time.Elapsed(At(0), At(10)), absl::Seconds(10));
}

TEST(ServingTime, ForgettingOldPausesNeverLengthensAWindow) {
  ServingTime time;
  for (int i = 0; i < 1000; ++i) time.AddPause(At(2 * i), At(2 * i + 1));
  const absl::Duration elapsed = time.Elapsed(At(0), At(2000));
  EXPECT_GE(elapsed, absl::Seconds(1000));
  EXPECT_LE(elapsed, absl::Seconds(2000));
  // The newest are there: two seconds, one of them paused.
  EXPECT_EQ(time.Elapsed(At(1998), At(2000)), absl::Seconds(1));
}

}  // namespace
}  // namespace ostiary::session
