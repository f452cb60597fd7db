#include "server/flow/sign_up.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using ::testing::SizeIs;

absl::StatusOr<storage::AccountRow> SignUpAs(
    House& house, const flow::Caller& caller, const std::string& username,
    const std::string& password = kPassword) {
  return house->sign_up.Run(caller, {username, "", SecretBytes(password), ""});
}

TEST(SignUpFlow, MakesAnAccountThatCanSignIn) {
  House house;
  const auto row = ValueOf(SignUpAs(house, House::Anyone(), "ada"));
  EXPECT_FALSE(row.email_verified);
  EXPECT_TRUE(row.roles.empty());
  EXPECT_EQ(row.password_hash.find(kPassword), std::string::npos);
  EXPECT_OK(house.TrySignIn("ada"));
  EXPECT_EQ(house.Audit()[house.Audit().size() - 2].action, "account.sign_up");
}

TEST(SignUpFlow, ClosedMeansOperatorsOnlyAndCostsNoHash) {
  HouseOptions options;
  options.sign_up = flow::SignUpPolicy::kOperatorOnly;
  House house(options);
  EXPECT_EQ(SignUpAs(house, House::Anyone(), "ada").status(),
            Refuse(Reason::kSignUpClosed));
  EXPECT_EQ(house->lane.turns(), 0);
  EXPECT_OK(SignUpAs(house, House::Operator(), "ada"));
}

TEST(SignUpFlow, IsLimitedByNetworkBeforeTheHash) {
  HouseOptions options;
  options.sign_up_limit = {3, absl::Hours(1)};
  House house(options);
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(SignUpAs(house, House::Anyone(), "user" + std::to_string(i)));
  }
  const int turns = house->lane.turns();
  const auto refused = SignUpAs(house, House::Anyone(), "user3").status();
  EXPECT_EQ(ReasonOf(refused), Reason::kRateLimited);
  EXPECT_GT(RetryAfterOf(refused), absl::ZeroDuration());
  EXPECT_EQ(house->lane.turns(), turns);
  flow::Caller elsewhere = House::Anyone();
  elsewhere.origin = limit::NetworkPrefix::OfText("198.51.100.1");
  EXPECT_OK(SignUpAs(house, elsewhere, "user3"));
}

TEST(SignUpFlow, PasswordThatIsShortLongCommonOrTheNameIsRefused) {
  House house;
  for (const std::string& password :
       {std::string(), std::string("a8F!xq2"), std::string("password123"),
        std::string("graceful-hopper"), std::string(1025, 'x')}) {
    const auto status =
        SignUpAs(house, House::Anyone(), "graceful-hopper", password).status();
    EXPECT_EQ(ReasonOf(status), Reason::kPasswordRejected);
    ASSERT_THAT(FieldViolationsOf(status), SizeIs(1));
    EXPECT_EQ(FieldViolationsOf(status)[0].field, "password");
  }
  EXPECT_EQ(house->lane.turns(), 0);
}

}  // namespace
}  // namespace ostiary::testing
