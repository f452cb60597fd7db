#include "client/revocation/minute_groups.h"

#include "gtest/gtest.h"

namespace ostiary::revocation {
namespace {

TEST(MinuteGroups, OneMinuteHasOneName) {
  MinuteGroups groups;
  const auto name = groups.Of(17);
  EXPECT_NE(name, 0);
  EXPECT_EQ(groups.Of(17), name);
  EXPECT_NE(groups.Of(18), name);
  EXPECT_EQ(groups.MinuteOf(name), 17);
}

TEST(MinuteGroups, EndsWhatHasPassedAndNothingElse) {
  MinuteGroups groups;
  const auto first = groups.Of(1), second = groups.Of(2), third = groups.Of(3);
  const MinuteGroups::Names ended = groups.EndUntil(2);
  EXPECT_TRUE(ended.test(first));
  EXPECT_TRUE(ended.test(second));
  EXPECT_FALSE(ended.test(third));
  EXPECT_TRUE(groups.EndUntil(2).none());
}

TEST(MinuteGroups, NamesLastForYears) {
  MinuteGroups groups;
  for (std::int64_t minute = 0; minute < 3'000'000; ++minute) {
    const auto name = groups.Of(minute + 1440);
    ASSERT_EQ(groups.MinuteOf(name), minute + 1440);
    groups.EndUntil(minute);
  }
}

TEST(MinuteGroups, WithoutFreeNamesALaterMinuteStandsIn) {
  MinuteGroups groups;
  for (int i = 1; i < 4096; ++i) groups.Of(10 * i);
  EXPECT_EQ(groups.MinuteOf(groups.Of(15)), 20);
}

TEST(MinuteGroups, WithoutFreeNamesTheLastMinuteMovesUp) {
  MinuteGroups groups;
  for (int i = 1; i < 4096; ++i) groups.Of(i);
  const auto last = groups.Of(4095);
  EXPECT_EQ(groups.Of(9000), last);
  EXPECT_EQ(groups.MinuteOf(last), 9000);
  EXPECT_FALSE(groups.EndUntil(8999).test(last));
}

}  // namespace
}  // namespace ostiary::revocation
