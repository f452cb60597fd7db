#include "server/revocation/cursor.h"

#include <limits>

#include "gtest/gtest.h"

namespace ostiary::revocation {
namespace {

using storage::LedgerHead;

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
const LedgerHead kSome = {0x1a, 0x2b3c, 0x89abcdef01234567};

// What clients keep on disk: never changes.
TEST(CursorTest, TextIsWhatItHasAlwaysBeen) {
  EXPECT_EQ(FormatCursor(kSome),
            "cur_0000001a0000000000002b3c89abcdef01234567");
}

TEST(CursorTest, WhatWasFormattedIsRead) {
  for (const LedgerHead& head :
       {kSome, LedgerHead{0, 0, 0}, LedgerHead{1, 0, 0},
        LedgerHead{0xffffffff, kLargest, 0xffffffffffffffff}}) {
    EXPECT_EQ(ParseCursor(FormatCursor(head)), head);
  }
}

TEST(CursorTest, EveryOtherByteInAnyPlaceIsAnotherCursorOrNone) {
  const std::string good = FormatCursor(kSome);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[at] = static_cast<char>(byte);
      if (text == good) continue;
      const auto read = ParseCursor(text);
      if (!read.has_value()) continue;
      EXPECT_GE(at, 4u) << text;  // the prefix is not for choosing
      EXPECT_NE(*read, kSome) << text;
      EXPECT_EQ(FormatCursor(*read), text);
    }
  }
}

TEST(CursorTest, AnythingShorterOrLongerIsNone) {
  const std::string good = FormatCursor(kSome);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(ParseCursor(good.substr(0, size)), std::nullopt);
    EXPECT_EQ(ParseCursor(good.substr(good.size() - size)), std::nullopt);
  }
  for (const char* more : {"0", " ", "\n", "x"}) {
    EXPECT_EQ(ParseCursor(good + more), std::nullopt);
    EXPECT_EQ(ParseCursor(more + good), std::nullopt);
  }
  EXPECT_EQ(ParseCursor(good + std::string(1, '\0')), std::nullopt);
  EXPECT_EQ(ParseCursor(std::string(1 << 20, '0')), std::nullopt);
}

TEST(CursorTest, OneWayToWriteIt) {
  const std::string rest = std::string(24, '0') + "0123456789abcdef";
  EXPECT_NE(ParseCursor("cur_" + rest), std::nullopt);
  EXPECT_EQ(ParseCursor("CUR_" + rest), std::nullopt);
  EXPECT_EQ(ParseCursor("rev_" + rest), std::nullopt);
  EXPECT_EQ(ParseCursor("cur_" + std::string(24, '0') + "0123456789ABCDEF"),
            std::nullopt);
  for (const char* epoch : {"0x000001", "+0000001", "-0000001", " 0000001",
                            "0000001 ", "00000_01"}) {
    EXPECT_EQ(ParseCursor(std::string("cur_") + epoch + std::string(32, '0')),
              std::nullopt)
        << epoch;
  }
}

TEST(CursorTest, ASequenceBelowZeroIsNone) {
  EXPECT_EQ(ParseCursor("cur_00000001"
                        "8000000000000000"
                        "0000000000000000"),
            std::nullopt);
  EXPECT_EQ(ParseCursor("cur_00000001"
                        "ffffffffffffffff"
                        "0000000000000000"),
            std::nullopt);
}

}  // namespace
}  // namespace ostiary::revocation
