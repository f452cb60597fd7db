#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "gtest/gtest.h"
#include "server/base/clock.h"
#include "server/base/ids.h"
#include "server/base/random.h"
#include "server/base/reason.h"
#include "server/base/secret.h"

namespace ostiary {
namespace {

TEST(IdsTest, TextAndBytesAreTheSameId) {
  SystemRandom random;
  for (int i = 0; i < 1000; ++i) {
    const AccountId id(random.NewId(absl::FromUnixMillis(1767225600000 + i)));
    EXPECT_EQ(AccountId::Parse(id.ToString()), id);
  }
}

TEST(IdsTest, OnlyOneSpellingParses) {
  const std::string text = AccountId(IdBytes{}).ToString();
  ASSERT_TRUE(AccountId::Parse(text));
  EXPECT_FALSE(SessionId::Parse(text));
  EXPECT_FALSE(AccountId::Parse(absl::AsciiStrToUpper(text)));
  EXPECT_FALSE(AccountId::Parse(text + "0"));
  EXPECT_FALSE(AccountId::Parse(text.substr(0, text.size() - 1)));
  EXPECT_FALSE(
      AccountId::Parse("acct_8zzzzzzzzzzzzzzzzzzzzzzzzz"));  // 129 bits
  EXPECT_FALSE(AccountId::Parse(
      "acct_0000000000000000000000000u"));  // not in the alphabet
}

TEST(IdsTest, IdsMadeLaterSortLater) {
  SystemRandom random;
  EXPECT_LT(random.NewId(absl::FromUnixMillis(1000)),
            random.NewId(absl::FromUnixMillis(1001)));
}

TEST(ReasonTest, ARefusalCarriesItsReasonFieldsAndDelay) {
  const absl::Status refused = RefuseField("email", "has no @");
  EXPECT_EQ(ReasonOf(refused), Reason::kArgumentInvalid);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(FieldViolationsOf(refused).size(), 1u);
  EXPECT_EQ(FieldViolationsOf(refused)[0].field, "email");
  EXPECT_EQ(FieldViolationsOf(refused)[0].description, "has no @");
  EXPECT_EQ(RetryAfterOf(RefuseUntil(Reason::kRateLimited, absl::Seconds(3))),
            absl::Seconds(3));
}

TEST(ReasonTest, AForeignStatusIsInternalOrTheStores) {
  EXPECT_EQ(ReasonOf(absl::InternalError("x")), Reason::kInternal);
  EXPECT_EQ(ReasonOf(absl::UnavailableError("x")), Reason::kStoreUnavailable);
}

TEST(SecretTest, MovingLeavesNothingBehind) {
  SecretBytes a = SecretBytes::CopyOf("hunter2");
  SecretBytes b = std::move(a);
  EXPECT_EQ(b.Reveal(), "hunter2");
  EXPECT_TRUE(
      a.empty());  // NOLINT(bugprone-use-after-move): the promise under test
}

TEST(SecretTest, ComparisonIsExact) {
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abcd"));
}

TEST(ClockTest, NeverAnswersBelowItsFloor) {
  const absl::Time floor = absl::Now() + absl::Hours(1);
  EXPECT_GE(SystemClock(floor).Now(), floor - absl::Microseconds(1));
}

}  // namespace
}  // namespace ostiary
