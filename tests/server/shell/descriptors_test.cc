#include "server/descriptors.h"

#include <sys/resource.h>

#include "gtest/gtest.h"

namespace ostiary {
namespace {

TEST(DescriptorsTest, NoListenerMayTakeWhatTheOthersAndTheStoreNeed) {
  for (const int all : {64, 256, 1024, 4096, 16384}) {
    const ConnectionShares shares = ShareDescriptors(all);
    EXPECT_GE(shares.grpc, 1) << all;
    EXPECT_GE(shares.http, 1) << all;
    EXPECT_GE(shares.ops, 1) << all;
    const int kept = all - shares.grpc - shares.http - shares.ops;
    EXPECT_GE(kept, all >= 1024 ? 256 : all / 2) << all;
  }
}

TEST(DescriptorsTest, WithEnoughOfThemEachListenerHasItsUsualBound) {
  const ConnectionShares shares = ShareDescriptors(20000);
  EXPECT_EQ(shares.grpc, 8192);
  EXPECT_EQ(shares.http, 1024);
  EXPECT_EQ(shares.ops, 256);
}

TEST(DescriptorsTest, TheLimitIsRaisedAsFarAsItMayBe) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_GT(before.rlim_max, 200u);
  const rlimit low = {100, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_GT(RaiseDescriptorLimit(), 100);
  rlimit after = {};
  getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_GT(after.rlim_cur, 100u);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace ostiary
