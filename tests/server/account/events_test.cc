#include "server/account/events.h"

#include <vector>

#include "gtest/gtest.h"

namespace ostiary::account {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

storage::AccountRow Row() {
  storage::AccountRow row;
  row.generation = 7;
  row.session_floor = 3;
  row.credential_version = 2;
  row.update_time = kNow - absl::Hours(1);
  return row;
}

// What the event does to the integers of an account (protocol.md 1).
struct Line {
  Event event;
  std::uint32_t generation;
  std::uint32_t session_floor;
  std::uint32_t credential_version;
  bool ledger;
};

void ExpectLine(const Line& line) {
  storage::AccountRow row = Row();
  const Effect effect = Apply(line.event, kNow, row);
  EXPECT_EQ(row.generation, line.generation);
  EXPECT_EQ(row.session_floor, line.session_floor);
  EXPECT_EQ(row.credential_version, line.credential_version);
  EXPECT_EQ(effect.ends_access_tokens, line.ledger);
  // Nothing else about the account is this table's business.
  storage::AccountRow rest = Row();
  rest.generation = row.generation;
  rest.session_floor = row.session_floor;
  rest.credential_version = row.credential_version;
  rest.update_time = row.update_time;
  EXPECT_EQ(row, rest);
}

TEST(AccountEvents, GrantedRoleEndsNothing) {
  ExpectLine({Event::kRoleGranted, 7, 3, 2, false});
}
TEST(AccountEvents, ProfileChangeEndsNothing) {
  ExpectLine({Event::kProfileChanged, 7, 3, 2, false});
}
TEST(AccountEvents, HashUpgradeEndsNothingAndIsNoNewCredential) {
  ExpectLine({Event::kHashUpgraded, 7, 3, 2, false});
}
TEST(AccountEvents, EnableEndsNothing) {
  ExpectLine({Event::kEnabled, 7, 3, 2, false});
}
TEST(AccountEvents, TakenRoleEndsTokensAndLeavesTheFloor) {
  ExpectLine({Event::kRoleTaken, 8, 3, 2, true});
}
TEST(AccountEvents, ChangedPasswordRaisesGenerationFloorAndVersion) {
  ExpectLine({Event::kPasswordChanged, 8, 8, 3, true});
}
TEST(AccountEvents, SetPasswordRaisesGenerationFloorAndVersion) {
  ExpectLine({Event::kPasswordSet, 8, 8, 3, true});
}
TEST(AccountEvents, SigningOutEverywhereRaisesGenerationAndFloor) {
  ExpectLine({Event::kSignedOutEverywhere, 8, 8, 2, true});
}
TEST(AccountEvents, DisablingRaisesGenerationAndFloor) {
  ExpectLine({Event::kDisabled, 8, 8, 2, true});
}
TEST(AccountEvents, DeletingEndsTokensOfEveryGenerationThereWas) {
  ExpectLine({Event::kDeleted, 8, 3, 2, true});
}

TEST(AccountEvents, OnlyAHashUpgradeIsNoUpdateOfTheAccount) {
  storage::AccountRow row = Row();
  Apply(Event::kHashUpgraded, kNow, row);
  EXPECT_EQ(row.update_time, kNow - absl::Hours(1));
  Apply(Event::kProfileChanged, kNow, row);
  EXPECT_EQ(row.update_time, kNow);
}

TEST(AccountEvents, TokenGenerationPutsTheEpochAboveEverything) {
  EXPECT_EQ(TokenGeneration(1, 5), (std::uint64_t{1} << 32) + 5);
  EXPECT_GT(TokenGeneration(2, 1), TokenGeneration(1, 0xffffffffu));
}

}  // namespace
}  // namespace ostiary::account
