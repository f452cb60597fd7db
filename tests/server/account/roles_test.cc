#include "server/account/roles.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/support/status_matchers.h"

namespace ostiary::account {
namespace {

using ::testing::ElementsAre;

TEST(Roles, MayBeWordsOfOneToAHundredSafeCharacters) {
  for (const std::string& role :
       {std::string("a"), std::string("ostiary.operator"),
        std::string("Team:Read_write-9"), std::string(100, 'x')}) {
    EXPECT_OK(CheckRole(role, "role"));
  }
}

TEST(Roles, AnythingElseIsRefusedAboutTheField) {
  for (const std::string& role :
       {std::string(), std::string(101, 'x'), std::string("two words"),
        std::string("a,b"), std::string("a\"b"), std::string("\xc3\xa9"),
        std::string("a\0b", 3), std::string("a\n")}) {
    const absl::Status status = CheckRole(role, "roles");
    EXPECT_EQ(ReasonOf(status), Reason::kArgumentInvalid) << role;
    ASSERT_EQ(FieldViolationsOf(status).size(), 1u);
    EXPECT_EQ(FieldViolationsOf(status)[0].field, "roles");
  }
}

TEST(Roles, AreKeptSortedAndOnce) {
  std::vector<std::string> roles;
  EXPECT_TRUE(AddRole(roles, "b"));
  EXPECT_TRUE(AddRole(roles, "c"));
  EXPECT_TRUE(AddRole(roles, "a"));
  EXPECT_FALSE(AddRole(roles, "b"));
  EXPECT_THAT(roles, ElementsAre("a", "b", "c"));
}

TEST(Roles, AreRemovedOnce) {
  std::vector<std::string> roles = {"a", "b", "c"};
  EXPECT_TRUE(RemoveRole(roles, "b"));
  EXPECT_FALSE(RemoveRole(roles, "b"));
  EXPECT_THAT(roles, ElementsAre("a", "c"));
}

TEST(Roles, AreComparedWholeAndByCase) {
  const std::vector<std::string> roles = {"admin"};
  EXPECT_TRUE(HasRole(roles, "admin"));
  EXPECT_FALSE(HasRole(roles, "Admin"));
  EXPECT_FALSE(HasRole(roles, "adm"));
  EXPECT_FALSE(HasRole(roles, "admin2"));
  EXPECT_FALSE(HasRole({}, "admin"));
}

}  // namespace
}  // namespace ostiary::account
