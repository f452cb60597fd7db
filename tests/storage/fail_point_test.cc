#include "storage/fail_point.h"

#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ostiary::storage {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const absl::string_view line :
       absl::StrSplit(FailPointTable(), '\n', absl::SkipEmpty())) {
    names.emplace_back(line.substr(0, line.find(' ')));
  }
  return names;
}

// Whether `text` makes passage `passage` of `point` the last.
void PassOften(const std::string& text, FailPoint point, int passages) {
  if (!ArmFailPoint(text).ok()) std::exit(3);
  for (int i = 0; i < passages; ++i) Pass(point);
  std::exit(0);
}

TEST(FailPointDeathTest, NothingArmedIsPassed) {
  for (int point = 0; point < kFailPoints; ++point)
    Pass(static_cast<FailPoint>(point));
}

TEST(FailPointDeathTest, EachNameIsThatOfItsPlace) {
  const std::vector<std::string> names = Names();
  ASSERT_EQ(names.size(), static_cast<std::size_t>(kFailPoints));
  for (int point = 0; point < kFailPoints; ++point) {
    EXPECT_EXIT(PassOften(names[static_cast<std::size_t>(point)],
                          static_cast<FailPoint>(point), 1),
                ::testing::KilledBySignal(SIGKILL), "");
  }
}

TEST(FailPointDeathTest, TheNamedPassageIsTheLast) {
  EXPECT_EXIT(PassOften("mark.after:3", FailPoint::kMarkAfter, 2),
              ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(PassOften("mark.after:3", FailPoint::kMarkAfter, 3),
              ::testing::KilledBySignal(SIGKILL), "");
}

TEST(FailPointDeathTest, AnotherPlaceIsPassed) {
  EXPECT_EXIT(PassOften("mark.after", FailPoint::kMarkBefore, 9),
              ::testing::ExitedWithCode(0), "");
}

TEST(FailPointDeathTest, WhatIsUnknownIsRefusedWithTheNames) {
  for (const absl::string_view text :
       {"", "mark", "mark.after:", "mark.after:0", "mark.after:-1",
        "mark.after:x", "mark.after:1:1", " mark.after", "MARK.AFTER"}) {
    const absl::Status armed = ArmFailPoint(text);
    EXPECT_EQ(armed.code(), absl::StatusCode::kInvalidArgument) << text;
    for (const std::string& name : Names())
      EXPECT_THAT(std::string(armed.message()), HasSubstr(name));
  }
  EXPECT_EQ(armed_fail_point.load(), kNoFailPoint);
}

}  // namespace
}  // namespace ostiary::storage
