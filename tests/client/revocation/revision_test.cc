#include "client/revocation/revision.h"

#include <limits>

#include "gtest/gtest.h"

namespace ostiary::revocation {
namespace {

TEST(Revision, SurvivesTheRoundTrip) {
  for (const Revision revision :
       {Revision{0, 0}, Revision{1, 1}, Revision{7, 123456789},
        Revision{std::numeric_limits<std::uint32_t>::max(),
                 std::numeric_limits<std::int64_t>::max()}}) {
    EXPECT_EQ(ParseRevision(FormatRevision(revision)), revision);
  }
}

TEST(Revision, LaterOneIsAnotherText) {
  EXPECT_NE(FormatRevision({1, 2}), FormatRevision({1, 3}));
  EXPECT_NE(FormatRevision({1, 2}), FormatRevision({2, 2}));
}

TEST(Revision, AnythingElseIsNone) {
  const std::string good = FormatRevision({1, 255});
  for (const std::string& text :
       {std::string(), std::string("rev_"), good + "0",
        good.substr(0, good.size() - 1), " " + good.substr(1),
        "REV_" + good.substr(4), std::string("rev_0x000001000000000000000f"),
        std::string("rev_-0000001000000000000000f"),
        std::string("rev_0000000100000000000000FF"),  // upper case
        std::string("rev_00000001ffffffffffffffff"),  // negative
        std::string("rev_0000000100000000000000 f"),
        std::string("rev_000000010000000000000\0ff", 28)}) {
    EXPECT_FALSE(ParseRevision(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace ostiary::revocation
