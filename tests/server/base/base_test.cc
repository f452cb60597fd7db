#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "server/base/clock.h"
#include "server/base/ids.h"
#include "server/base/keyed_hash.h"
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

// RFC 4231 section 4, cases 1, 2 and 6 (a key longer than a block); and no key.
TEST(KeyedHashTest, KnownAnswers) {
  const auto tag = [](const std::string& key, const std::string& message) {
    return absl::BytesToHexString(HmacSha256(key, message));
  };
  const std::string first =
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
  EXPECT_EQ(tag(std::string(20, '\x0b'), "Hi There"), first);
  EXPECT_EQ(tag("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(tag(std::string(131, '\xaa'),
                "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(tag("", ""),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  // Nothing of the key before is left.
  EXPECT_EQ(tag(std::string(20, '\x0b'), "Hi There"), first);
}

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kBegan = 1'700'000'000 * kSecond;

// Seconds since the beginning, when the two clocks say so many.
double At(const OnwardTime& time, double wall, double steady) {
  const auto nanos = [](double seconds) {
    return static_cast<std::int64_t>(seconds * static_cast<double>(kSecond));
  };
  return absl::ToDoubleSeconds(
      time.At({kBegan + nanos(wall), 77 * kSecond + nanos(steady)}) -
      absl::FromUnixNanos(kBegan));
}

OnwardTime Beginning() {
  return OnwardTime(absl::InfinitePast(), {kBegan, 77 * kSecond});
}

TEST(ClockTest, IsTheWallClockAsLongAsThatGoesOn) {
  const OnwardTime time = Beginning();
  EXPECT_DOUBLE_EQ(At(time, 0, 0), 0);
  EXPECT_DOUBLE_EQ(At(time, 10, 10), 10);
  EXPECT_DOUBLE_EQ(At(time, 1e6, 11), 1e6);  // set forwards
}

TEST(ClockTest, GoesOnAtNineTenthsUntilTheWallClockHasCaughtUp) {
  const OnwardTime time = Beginning();
  EXPECT_DOUBLE_EQ(At(time, 100, 100), 100);
  EXPECT_DOUBLE_EQ(At(time, 100 - 60, 100), 100);  // set back by a minute
  EXPECT_DOUBLE_EQ(At(time, 110 - 60, 110), 109);
  EXPECT_DOUBLE_EQ(At(time, 600 - 60, 600), 550);
  EXPECT_DOUBLE_EQ(At(time, 700 - 60, 700), 640);
  EXPECT_DOUBLE_EQ(At(time, 800 - 60, 800), 740);  // the wall clock
}

TEST(ClockTest, DoesNotStandStillWithTheWallClock) {
  const OnwardTime time = Beginning();
  EXPECT_DOUBLE_EQ(At(time, 0, 0), 0);
  EXPECT_DOUBLE_EQ(At(time, 0, 100), 90);
}

TEST(ClockTest, GoesOnFromItsFloor) {
  const OnwardTime time(absl::FromUnixNanos(kBegan + 30 * kSecond),
                        {kBegan, 77 * kSecond});
  EXPECT_DOUBLE_EQ(At(time, 0, 0), 30);
  EXPECT_DOUBLE_EQ(At(time, 10, 10), 39);
  EXPECT_DOUBLE_EQ(At(time, 301, 301), 301);
}

TEST(ClockTest, ReadingTakenLateMovesNothing) {
  const OnwardTime time = Beginning();
  EXPECT_DOUBLE_EQ(At(time, 5, 5), 5);
  EXPECT_DOUBLE_EQ(At(time, 5, 6), 5.9);  // waited between the two
  EXPECT_DOUBLE_EQ(At(time, 7, 7), 7);
}

TEST(ClockTest, TellsHowFarItWasSet) {
  const OnwardTime time = Beginning();
  const auto leapt = [&](std::int64_t wall, std::int64_t steady) {
    return time.Leapt({kBegan + wall * kSecond, (77 + steady) * kSecond});
  };
  EXPECT_EQ(leapt(9, 9), absl::ZeroDuration());
  EXPECT_EQ(leapt(70, 9), absl::Seconds(61));
  EXPECT_EQ(leapt(9, 70), absl::Seconds(-61));
}

TEST(ClockTest, NeverAnswersBelowItsFloor) {
  const absl::Time floor = absl::Now() + absl::Hours(1);
  EXPECT_GE(SystemClock(floor).Now(), floor - absl::Microseconds(1));
}

}  // namespace
}  // namespace ostiary
