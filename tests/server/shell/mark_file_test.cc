#include "server/mark_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::TempDir;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixMicros(1767225600123456);
const Mark kMark{2, 41, kNow};

std::string BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(MarkFileTest, WhatWasWrittenIsReadBack) {
  const TempDir dir;
  const MarkFile file(dir.File("mark"));
  ASSERT_OK_AND_ASSIGN(const auto none, file.Read());
  EXPECT_FALSE(none.has_value());
  for (const Mark& mark :
       {kMark, Mark{}, Mark{~0u, ~std::uint64_t{0}, kNow + absl::Hours(1)}}) {
    ASSERT_OK(file.Write(mark));
    ASSERT_OK_AND_ASSIGN(const auto read, file.Read());
    EXPECT_EQ(read->epoch, mark.epoch);
    EXPECT_EQ(read->sequence, mark.sequence);
    EXPECT_EQ(read->time, mark.time);
  }
}

TEST(MarkFileTest, TheFormatOnDiskIsTheOneThatOlderServersWrote) {
  const TempDir dir;
  ASSERT_OK(MarkFile(dir.File("mark")).Write(kMark));
  EXPECT_EQ(BytesOf(dir.File("mark")),
            "ostiary-mark 1 2 41 1767225600123456 1b1d8152a400200b\n");
}

TEST(MarkFileTest, OnlyItsOwnerCanReadIt) {
  const TempDir dir;
  Put(dir.File("mark.new"), "left by a crash");
  std::filesystem::permissions(dir.File("mark.new"),
                               std::filesystem::perms::all);
  ASSERT_OK(MarkFile(dir.File("mark")).Write(kMark));
  struct stat entry {};
  ASSERT_EQ(stat(dir.File("mark").c_str(), &entry), 0);
  EXPECT_EQ(entry.st_mode & 07777, 0600u);
  EXPECT_FALSE(std::filesystem::exists(dir.File("mark.new")));
}

TEST(MarkFileTest, EveryDamageIsNoticed) {
  const TempDir dir;
  const MarkFile file(dir.File("mark"));
  ASSERT_OK(file.Write(kMark));
  const std::string good = BytesOf(dir.File("mark"));
  for (std::size_t length = 0; length < good.size(); ++length) {
    Put(dir.File("mark"), good.substr(0, length));
    EXPECT_THAT(file.Read(), HasCode(absl::StatusCode::kDataLoss)) << length;
  }
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    std::string flipped = good;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    Put(dir.File("mark"), flipped);
    EXPECT_THAT(file.Read(), HasCode(absl::StatusCode::kDataLoss)) << i;
  }
  for (const std::string& bytes :
       {good + "x", good + good, std::string(100000, '9'),
        std::string("ostiary-mark 2 2 41 1767225600123456 0\n")}) {
    Put(dir.File("mark"), bytes);
    const auto read = file.Read();
    EXPECT_THAT(read, HasCode(absl::StatusCode::kDataLoss));
    EXPECT_THAT(std::string(read.status().message()),
                HasSubstr("ostiaryd restore"));
    EXPECT_THAT(std::string(read.status().message()), HasSubstr("mark"));
  }
}

TEST(MarkFileTest, AWriteThatFailsLeavesTheOldMark) {
  const TempDir dir;
  const MarkFile file(dir.File("mark"));
  ASSERT_OK(file.Write(kMark));
  std::filesystem::create_directory(dir.File("mark.new"));
  EXPECT_FALSE(file.Write({2, 42, kNow}).ok());
  ASSERT_OK_AND_ASSIGN(const auto read, file.Read());
  EXPECT_EQ(read->sequence, 41u);
}

TEST(MarkTest, AStoreAtOrAheadOfTheMarkIsServed) {
  EXPECT_OK(CheckAgainstMark(kMark, 2, 41, kNow));
  EXPECT_OK(CheckAgainstMark(kMark, 2, 42, kNow + absl::Hours(1000)));
}

TEST(MarkTest, AStoreBehindTheMarkIsRefusedAndRestoreIsNamed) {
  const absl::Status refused = CheckAgainstMark(kMark, 2, 40, kNow);
  EXPECT_THAT(refused, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("ostiaryd restore"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("40"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("41"));
}

TEST(MarkTest, AStoreOfAnotherEpochIsRefusedHoweverFarItsLedgerGoes) {
  for (const std::uint32_t epoch : {1u, 3u}) {
    const absl::Status refused = CheckAgainstMark(kMark, epoch, 1000, kNow);
    EXPECT_THAT(refused, HasCode(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(refused.message()), HasSubstr("ostiaryd restore"));
  }
}

TEST(MarkTest, AClockMoreThanAMinuteBehindTheMarkIsRefused) {
  EXPECT_OK(CheckAgainstMark(kMark, 2, 41, kNow - absl::Seconds(60)));
  const absl::Status refused = CheckAgainstMark(
      kMark, 2, 41, kNow - absl::Seconds(60) - absl::Nanoseconds(1));
  EXPECT_THAT(refused, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("clock"));
}

}  // namespace
}  // namespace ostiary
