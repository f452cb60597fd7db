#include "server/session/networks.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ostiary::session {
namespace {

using ::testing::ElementsAre;

// 'A' is a rotation from network A, 'a' a retry from there, '-' and '.' are a
// rotation and a retry from an unknown network. Between two of them the state
// is stored and read. The answer: after which of them turns were seen.
std::vector<int> TurnsSeenAfter(absl::string_view presentations) {
  std::vector<int> seen;
  std::int64_t stored = 0;
  for (std::size_t i = 0; i < presentations.size(); ++i) {
    const char who = presentations[i];
    const bool retried = who == '.' || absl::ascii_islower(who);
    const bool known = absl::ascii_isalpha(who);
    const std::string network =
        known ? std::string(1, absl::ascii_toupper(who)) : "";
    Networks networks(stored);
    if (retried ? networks.Retried(network) : networks.Rotated(network))
      seen.push_back(static_cast<int>(i) + 1);
    stored = networks.ToStored();
  }
  return seen;
}

TEST(NetworksTest, ThreeReturnsInARowAreTurns) {
  EXPECT_THAT(TurnsSeenAfter("ABAB"), ElementsAre());
  EXPECT_THAT(TurnsSeenAfter("ABABA"), ElementsAre(5));
}

TEST(NetworksTest, TurnsThatGoOnAreSeenEveryThree) {
  EXPECT_THAT(TurnsSeenAfter("ABABABABABA"), ElementsAre(5, 8, 11));
}

TEST(NetworksTest, AThiefInStepTakesTurnsWithinGenerations) {
  EXPECT_THAT(TurnsSeenAfter("AbAbA"), ElementsAre(5));
  // A retry from the same place is a bad network, and hides nobody.
  EXPECT_THAT(TurnsSeenAfter("AabbAabbA"), ElementsAre(9));
}

TEST(NetworksTest, WhoStaysOrMovesOnTakesNoTurns) {
  EXPECT_THAT(TurnsSeenAfter("AAAAAAAAAA"), ElementsAre());
  EXPECT_THAT(TurnsSeenAfter("ABCABCABCABC"), ElementsAre());
  EXPECT_THAT(TurnsSeenAfter("Aaaaaaaaaa"), ElementsAre());
}

TEST(NetworksTest, StayingForAGenerationBreaksTheRow) {
  // Home, work, home, work: a stay of several tokens each time.
  EXPECT_THAT(TurnsSeenAfter("AAABBBAAABBBAAABBBAAA"), ElementsAre());
  EXPECT_THAT(TurnsSeenAfter("ABABBABBAB"), ElementsAre());
  EXPECT_THAT(TurnsSeenAfter("ABABCABAB"), ElementsAre());
}

TEST(NetworksTest, AnUnknownNetworkChangesNothing) {
  EXPECT_THAT(TurnsSeenAfter("----------"), ElementsAre());
  EXPECT_THAT(TurnsSeenAfter("-A-B.A-B.A"), ElementsAre(10));
}

TEST(NetworksTest, NetworksAreToldApartByTheirWholeName) {
  Networks networks(0);
  for (const char* network :
       {"192.0.2.1/32", "192.0.2.10/32", "192.0.2.1/32", "192.0.2.10/32"}) {
    EXPECT_FALSE(networks.Rotated(network)) << network;
  }
  EXPECT_TRUE(networks.Rotated("192.0.2.1/32"));
}

TEST(NetworksTest, WhoNeverMovesCostsThreeBytesInTheRow) {
  for (int i = 0; i < 1000; ++i) {
    Networks networks(0);
    networks.Rotated(std::to_string(i));
    EXPECT_GT(networks.ToStored(), 0);
    EXPECT_LT(networks.ToStored(), 1 << 23);
  }
}

// A row that some other program wrote: nothing but numbers.
TEST(NetworksTest, AnyNumberIsAState) {
  for (const std::int64_t stored :
       {std::int64_t{-1}, INT64_MIN, INT64_MAX, std::int64_t{1} << 60}) {
    Networks networks(stored);
    networks.Rotated("A");
    networks.Retried("B");
    networks.Rotated("A");
    EXPECT_GE(networks.ToStored(), 0);
  }
}

}  // namespace
}  // namespace ostiary::session
