#include "client/revocation/fingerprint_table.h"

#include <random>
#include <set>

#include "gtest/gtest.h"

namespace ostiary::revocation {
namespace {

constexpr std::uint64_t kLargest = (std::uint64_t{1} << 52) - 1;

TEST(FingerprintTable, HoldsWhatWasAddedAndNothingElse) {
  MinuteGroups groups;
  const auto group = groups.Of(1);
  FingerprintTable table;
  EXPECT_FALSE(table.Contains({0}));
  std::mt19937_64 random(1);
  std::set<std::uint64_t> added = {0, 1, 2, kLargest - 1, kLargest};
  while (added.size() < 5000) added.insert(random() >> 12);
  for (const auto value : added) EXPECT_TRUE(table.Add({value}, group, groups));
  EXPECT_EQ(table.size(), added.size());
  for (const auto value : added) {
    EXPECT_TRUE(table.Contains({value}));
    EXPECT_EQ(table.Contains({value ^ 1}), added.count(value ^ 1) > 0);
  }
}

TEST(FingerprintTable, AddedTwiceStaysForTheLaterMinute) {
  MinuteGroups groups;
  const auto late = groups.Of(9), early = groups.Of(3);
  FingerprintTable table;
  EXPECT_TRUE(table.Add({1}, late, groups));
  EXPECT_FALSE(table.Add({1}, early, groups));
  EXPECT_TRUE(table.Add({2}, early, groups));
  EXPECT_FALSE(table.Add({2}, late, groups));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.Drop(groups.EndUntil(8)), 0u);
  EXPECT_EQ(table.Drop(groups.EndUntil(9)), 2u);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FingerprintTable, WhatStaysIsFoundAfterTheRestWasDropped) {
  MinuteGroups groups;
  const auto early = groups.Of(1), late = groups.Of(2);
  FingerprintTable table;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    table.Add({i}, i % 3 == 0 ? late : early, groups);
  }
  table.Drop(groups.EndUntil(1));
  for (std::uint64_t i = 0; i < 4000; ++i) {
    EXPECT_EQ(table.Contains({i}), i % 3 == 0);
  }
}

}  // namespace
}  // namespace ostiary::revocation
