#include "client/status_list/status_list.h"

#include <boost/json/serialize.hpp>

#include "gtest/gtest.h"
#include "tests/client/jwt/vectors.h"
#include "tests/support/status_matchers.h"

namespace ostiary::status_list {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::ValueOf;

std::string JsonOf(const boost::json::value& value) {
  const std::string text = boost::json::serialize(value);
  return text;
}

// A one-bit list of a million and more slots, as the server has them.
constexpr std::uint32_t kMillion = 1 << 20;

TEST(StatusListVectors, EveryProbeIsAnsweredAndEveryBadListIsRefused) {
  const auto file = jwt::testing::ReadVectors("status-list/status-lists.json");
  int probes = 0;
  int refused = 0;
  for (const auto& entry : file.at("cases").as_array()) {
    SCOPED_TRACE(jwt::testing::TextOf(entry.at("id")) + " " +
                 jwt::testing::TextOf(entry.at("why")));
    const auto list = StatusList::FromJson(JsonOf(entry.at("status_list")));
    if (jwt::testing::TextOf(entry.at("expect")) != "ok") {
      EXPECT_THAT(list.status(), HasCode(absl::StatusCode::kInvalidArgument));
      ++refused;
      continue;
    }
    ASSERT_TRUE(list.ok()) << list.status();
    for (const auto& probe : entry.at("probes").as_array()) {
      const auto status = list->At(probe.at(0).to_number<std::uint64_t>());
      if (probe.at(1).is_string()) {
        EXPECT_EQ(status, std::nullopt) << JsonOf(probe);
      } else {
        EXPECT_EQ(status, probe.at(1).to_number<std::uint8_t>())
            << JsonOf(probe);
      }
      ++probes;
    }
  }
  EXPECT_GT(probes, 200);
  EXPECT_GE(refused, 20);
}

// Section 4.1: the 16 entries are the bytes b9 a3, section 4.2 the text.
TEST(StatusList, TheSpecificationsExampleIsEncodedByteForByte) {
  OneBitArray array(16);
  for (const std::uint32_t slot : {0, 3, 4, 5, 7, 8, 9, 13, 15})
    EXPECT_TRUE(array.Flip(slot));
  EXPECT_EQ(array.bytes(), "\xb9\xa3");
  EXPECT_EQ(EncodeLst(array.bytes()), "eNrbuRgAAhcBXQ");
}

TEST(StatusList, TheSpecificationsTwoBitExampleIsEncodedByteForByte) {
  EXPECT_EQ(EncodeLst("\xc9\x44\xf9"), "eNo76fITAAPfAgc");
}

TEST(StatusList, ASlotIsFlippedOnceAndNeverBeyondTheEnd) {
  OneBitArray array(10);
  EXPECT_EQ(array.bytes().size(), 2u);
  EXPECT_FALSE(array.IsFlipped(9));
  EXPECT_TRUE(array.Flip(9));
  EXPECT_TRUE(array.IsFlipped(9));
  EXPECT_FALSE(array.Flip(9));
  EXPECT_FALSE(array.Flip(16));
  EXPECT_FALSE(array.IsFlipped(16));
  EXPECT_EQ(array.bytes(), std::string("\x00\x02", 2));
}

TEST(StatusList, WhatIsWrittenIsRead) {
  OneBitArray array(kMillion);
  for (std::uint32_t slot = 3; slot < kMillion; slot += 99991) array.Flip(slot);
  const auto list =
      ValueOf(StatusList::FromMembers(1, EncodeLst(array.bytes())));
  ASSERT_EQ(list.size(), kMillion);
  for (std::uint32_t slot = 0; slot < kMillion; ++slot) {
    ASSERT_EQ(list.At(slot), slot % 99991 == 3 ? kInvalid : kValid) << slot;
  }
  EXPECT_EQ(list.At(kMillion), std::nullopt);
}

// The specification's appendix: 2.2 KB at 0.1 %, 13.7 KB at 1 % (raw bytes).
TEST(StatusList, AMillionSlotsCompressAsTheSpecificationSays) {
  std::uint64_t state = 42;
  const auto text_size = [&state](std::uint32_t one_in) {
    OneBitArray array(kMillion);
    for (std::uint32_t i = 0; i < kMillion / one_in; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      array.Flip(static_cast<std::uint32_t>(state >> 44));
    }
    return EncodeLst(array.bytes()).size();
  };
  EXPECT_LT(EncodeLst(OneBitArray(kMillion).bytes()).size(), 250u);
  EXPECT_NEAR(static_cast<double>(text_size(1000)), 2300 * 4.0 / 3, 500);
  EXPECT_NEAR(static_cast<double>(text_size(100)), 14200 * 4.0 / 3, 2000);
}

TEST(StatusList, AListMayBeAsLargeAsTheCeilingAndNoByteLarger) {
  EXPECT_TRUE(
      StatusList::FromMembers(1, EncodeLst(std::string(kMaxListBytes, '\0')))
          .ok());
  EXPECT_THAT(StatusList::FromMembers(
                  1, EncodeLst(std::string(kMaxListBytes + 1, '\0')))
                  .status(),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST(StatusList, AnEmptyListSaysNothingAboutAnyToken) {
  const auto list = ValueOf(StatusList::FromMembers(1, EncodeLst("")));
  EXPECT_EQ(list.size(), 0u);
  EXPECT_EQ(list.At(0), std::nullopt);
}

}  // namespace
}  // namespace ostiary::status_list
