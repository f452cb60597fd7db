#include "server/base/lane.h"

#include <atomic>
#include <barrier>
#include <latch>

#include "gtest/gtest.h"

namespace ostiary {
namespace {

// Each piece of work waits for all the others: fewer threads would never get
// there.
TEST(LaneTest, AsMuchRunsAtOnceAsItMayHaveThreads) {
  Lane lane("test", 8, 100);
  for (int round = 0; round < 20; ++round) {
    std::barrier<> all(8);
    for (int i = 0; i < 8; ++i)
      ASSERT_TRUE(lane.TrySubmit([&all] { all.arrive_and_wait(); }));
    lane.WaitUntilIdle();
  }
}

TEST(LaneTest, NoMoreRunsAtOnce) {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  Lane lane("test", 3, 1000);
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(lane.TrySubmit([&] {
      const int running = ++now;
      for (int seen = most; seen < running;) {
        if (most.compare_exchange_weak(seen, running)) break;
      }
      --now;
    }));
  }
  lane.WaitUntilIdle();
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 1);
}

TEST(LaneTest, WhatDoesNotFitInTheQueueIsNotTaken) {
  Lane lane("test", 1, 2);
  std::latch started(1);
  std::latch go_on(1);
  ASSERT_TRUE(lane.TrySubmit([&] {
    started.count_down();
    go_on.wait();
  }));
  started.wait();
  EXPECT_TRUE(lane.TrySubmit([] {}));
  EXPECT_TRUE(lane.TrySubmit([] {}));
  EXPECT_FALSE(lane.TrySubmit([] {}));
  EXPECT_EQ(lane.waiting(), 2u);
  EXPECT_EQ(lane.running(), 1u);
  go_on.count_down();
}

TEST(LaneTest, WhatWaitsIsFinishedBeforeItGoes) {
  std::atomic<int> done{0};
  {
    Lane lane("test", 2, 1000);
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(lane.TrySubmit([&] { ++done; }));
  }
  EXPECT_EQ(done, 200);
}

}  // namespace
}  // namespace ostiary
