#include "client/cli/latencies.h"

#include "gtest/gtest.h"

namespace ostiary::cli {
namespace {

TEST(LatenciesTest, NoneIsZero) {
  EXPECT_EQ(Latencies().Percentile(0.99), absl::ZeroDuration());
  EXPECT_EQ(Latencies().longest(), absl::ZeroDuration());
}

TEST(LatenciesTest, PercentileIsTheTimeThatSoManyTookAtMost) {
  Latencies latencies;
  for (int i = 1; i <= 1000; ++i) latencies.Add(absl::Microseconds(i));
  EXPECT_EQ(latencies.count(), 1000u);
  for (const auto& [share, micros] :
       {std::pair{0.001, 1.0}, {0.5, 500.0}, {0.9, 900.0}, {0.999, 999.0}}) {
    const double found =
        absl::ToDoubleMicroseconds(latencies.Percentile(share));
    EXPECT_GE(found, micros);
    EXPECT_LE(found, micros * (1 + 1.0 / 64));
  }
  EXPECT_EQ(latencies.Percentile(1), absl::Microseconds(1000));
  EXPECT_EQ(latencies.longest(), absl::Microseconds(1000));
}

TEST(LatenciesTest, EveryPowerOfTwoIsExactToASixtyFourth) {
  for (std::int64_t nanos = 1; nanos < std::int64_t{1} << 38; nanos *= 2) {
    for (const std::int64_t near : {nanos - 1, nanos, nanos + 1}) {
      Latencies latencies;
      latencies.Add(absl::Nanoseconds(near));
      latencies.Add(absl::Hours(1));  // so that the longest does not help
      const std::int64_t found =
          absl::ToInt64Nanoseconds(latencies.Percentile(0.5));
      EXPECT_GE(found, near);
      EXPECT_LE(found, near + near / 64);
    }
  }
}

TEST(LatenciesTest, WhatIsTooLongForTheBucketsIsStillTheLongest) {
  Latencies latencies;
  latencies.Add(absl::Hours(3));
  latencies.Add(-absl::Seconds(1));  // a clock that went back
  EXPECT_EQ(latencies.longest(), absl::Hours(3));
  EXPECT_EQ(latencies.Percentile(1), absl::Hours(3));
  EXPECT_EQ(latencies.Percentile(0.5), absl::ZeroDuration());
  latencies.Clear();
  EXPECT_EQ(latencies.count(), 0u);
}

}  // namespace
}  // namespace ostiary::cli
