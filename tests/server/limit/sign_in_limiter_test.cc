#include "server/limit/sign_in_limiter.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/limit/rate_limiter.h"
#include "tests/support/status_matchers.h"

namespace ostiary::limit {
namespace {

std::optional<NetworkPrefix> Network(int i) {
  return NetworkPrefix::OfText(absl::StrCat("198.51.", i / 256, ".", i % 256));
}

class SignInLimiterTest : public ::testing::Test {
 protected:
  absl::Status Fail(absl::string_view who,
                    const std::optional<NetworkPrefix>& origin) {
    return limiter_.Admit(who, origin, now_).status();
  }
  // How many of `tries` failing attempts were let through.
  int Failures(absl::string_view who,
               const std::optional<NetworkPrefix>& origin, int tries) {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += Fail(who, origin).ok() ? 1 : 0;
    return admitted;
  }
  void SignIn(absl::string_view who,
              const std::optional<NetworkPrefix>& origin) {
    const auto admission = limiter_.Admit(who, origin, now_);
    ASSERT_OK(admission);
    limiter_.Succeeded(*admission, now_);
  }
  // Strangers spend the identifier's budget, each from a network of its own.
  void SpendIdentifier(absl::string_view who) {
    for (int i = 0; i < 100; ++i) ASSERT_OK(Fail(who, Network(1000 + i)));
    ASSERT_FALSE(Fail(who, Network(2000)).ok());
  }

  SystemRandom random_;
  SignInLimiter limiter_{{}, random_};
  absl::Time now_ = absl::FromUnixSeconds(1767225600);
};

TEST_F(SignInLimiterTest, TenFailuresFromOneNetworkAndTheNextWaits) {
  EXPECT_EQ(Failures("ada", Network(1), 50), 10);
  const absl::Status refused = Fail("ada", Network(1));
  EXPECT_EQ(ReasonOf(refused), Reason::kRateLimited);
  EXPECT_EQ(RetryAfterOf(refused), absl::Seconds(90));
  EXPECT_OK(Fail("ada", Network(2)));
  EXPECT_OK(Fail("bob", Network(1)));
}

TEST_F(SignInLimiterTest, AttemptsComeBackOneByOneAndNotTogether) {
  Failures("ada", Network(1), 10);
  now_ += absl::Seconds(89);
  EXPECT_FALSE(Fail("ada", Network(1)).ok());
  now_ += absl::Seconds(1);
  EXPECT_EQ(Failures("ada", Network(1), 5), 1);
  now_ += absl::Minutes(15);
  EXPECT_EQ(Failures("ada", Network(1), 50), 10);
}

TEST_F(SignInLimiterTest, ComingBackAfterRetryAfterIsAdmitted) {
  Failures("ada", Network(1), 10);
  now_ += RetryAfterOf(Fail("ada", Network(1)));
  EXPECT_OK(Fail("ada", Network(1)));
}

TEST_F(SignInLimiterTest, ASuccessGivesItsAttemptBack) {
  for (int i = 0; i < 500; ++i) SignIn("ada", Network(1));
  EXPECT_EQ(Failures("ada", Network(1), 50), 10);
}

TEST_F(SignInLimiterTest, AnAttemptThatWasNeverTriedIsGivenBack) {
  for (int i = 0; i < 500; ++i) {
    const auto admission = limiter_.Admit("ada", Network(1), now_);
    ASSERT_OK(admission);
    limiter_.NotTried(*admission);
  }
  // And the network is not remembered for it.
  SpendIdentifier("ada");
  EXPECT_FALSE(Fail("ada", Network(1)).ok());
}

TEST_F(SignInLimiterTest, AnIdentifierHasOneBudgetForAllNetworks) {
  SpendIdentifier("nobody@example.com");
  EXPECT_EQ(ReasonOf(Fail("nobody@example.com", Network(3))),
            Reason::kRateLimited);
  EXPECT_OK(Fail("somebody@example.com", Network(3)));
}

TEST_F(SignInLimiterTest, TheOwnersNetworkKeepsItsBudgetWhenStrangersSpent) {
  SignIn("ada", Network(1));
  SpendIdentifier("ada");
  EXPECT_FALSE(Fail("ada", Network(2)).ok());
  EXPECT_EQ(Failures("ada", Network(1), 50), 10);
}

TEST_F(SignInLimiterTest, ANetworkIsForgottenAfterThirtyDays) {
  SignIn("ada", Network(1));
  now_ += absl::Hours(24 * 30);
  SpendIdentifier("ada");
  EXPECT_FALSE(Fail("ada", Network(1)).ok());
}

TEST_F(SignInLimiterTest, ANetworkKnownForOneIdentifierIsNotForAnother) {
  SignIn("eve", Network(1));
  SpendIdentifier("ada");
  EXPECT_FALSE(Fail("ada", Network(1)).ok());
}

TEST_F(SignInLimiterTest, ANetworkHasOneBudgetForAllIdentifiers) {
  int admitted = 0;
  for (int i = 0; i < 300; ++i) {
    admitted += Fail(absl::StrCat("user", i), Network(1)).ok() ? 1 : 0;
  }
  EXPECT_EQ(admitted, 100);
  EXPECT_OK(Fail("user299", Network(2)));
}

TEST_F(SignInLimiterTest, LoopbackHasNoBudgetOfItsOwn) {
  for (int i = 0; i < 300; ++i) {
    EXPECT_OK(Fail(absl::StrCat("user", i), std::nullopt));
  }
  EXPECT_EQ(Failures("ada", std::nullopt, 50), 10);
}

TEST_F(SignInLimiterTest, ARefusedAttemptTakesNothingFromTheOthers) {
  Failures("ada", Network(1), 1000);  // 10 admitted
  for (int i = 0; i < 90; ++i) {
    EXPECT_OK(Fail(absl::StrCat("user", i), Network(1)));
  }
  EXPECT_FALSE(Fail("user90", Network(1)).ok());
}

TEST_F(SignInLimiterTest, OfManyGuessesAtOnceTheLimitGetsThrough) {
  std::atomic<int> admitted{0};
  std::vector<std::thread> guessers;
  for (int t = 0; t < 8; ++t) {
    guessers.emplace_back([&, t] {
      for (int i = 0; i < 125; ++i) {
        if (Fail("ada", Network(t % 2)).ok()) ++admitted;
        const auto other =
            limiter_.Admit(absl::StrCat("t", t), Network(9 + t), now_);
        if (other.ok()) limiter_.Succeeded(*other, now_);
      }
    });
  }
  for (std::thread& guesser : guessers) guesser.join();
  EXPECT_EQ(admitted.load(), 20);
}

class CounterTableTest : public ::testing::Test {
 protected:
  bool Try(CounterTable& table, absl::string_view name, absl::Time now) {
    const CounterKey key = keys_.Of("test", name);
    if (table.WaitFor(key, kRule, now) > absl::ZeroDuration()) return false;
    table.Charge(key, kRule, now);
    return true;
  }

  static constexpr int kCount = 3;
  const Rule kRule{kCount, absl::Minutes(1)};
  SystemRandom random_;
  CounterKeys keys_{random_};
  const absl::Time now_ = absl::FromUnixSeconds(1767225600);
};

TEST_F(CounterTableTest, AFloodFreesNoCounterThatIsOverItsLimit) {
  CounterTable table(64);
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(Try(table, "guesser", now_));
  ASSERT_FALSE(Try(table, "guesser", now_));
  for (int i = 0; i < 100000; ++i) Try(table, absl::StrCat("x", i), now_);
  EXPECT_FALSE(Try(table, "guesser", now_));
  EXPECT_EQ(table.slot_count(), 64u);
}

TEST_F(CounterTableTest, AFloodGivesUpTheCounterNearestToWhole) {
  CounterTable table(8);
  Try(table, "twice", now_);
  Try(table, "twice", now_);
  for (int i = 0; i < 1000; ++i) Try(table, absl::StrCat("once", i), now_);
  EXPECT_TRUE(Try(table, "twice", now_));
  EXPECT_FALSE(Try(table, "twice", now_));
}

TEST_F(CounterTableTest, WhenAllAreOverANewKeyWaitsForTheFirstOfThem) {
  CounterTable table(8);
  for (int slot = 0; slot < 8; ++slot) {
    for (int i = 0; i < kCount; ++i) {
      ASSERT_TRUE(Try(table, absl::StrCat("full", slot), now_));
    }
  }
  const CounterKey fresh = keys_.Of("test", "fresh");
  const absl::Duration wait = table.WaitFor(fresh, kRule, now_);
  EXPECT_GT(wait, absl::ZeroDuration());
  EXPECT_LE(wait, kRule.per);
  EXPECT_EQ(table.WaitFor(fresh, kRule, now_ + wait), absl::ZeroDuration());
}

TEST_F(CounterTableTest, KeysOfOtherKindsAndPartsAreOtherKeys) {
  EXPECT_NE(keys_.Of("a", "bc"), keys_.Of("ab", "c"));
  EXPECT_NE(keys_.Of("k", "a", "bc"), keys_.Of("k", "ab", "c"));
  EXPECT_EQ(keys_.Of("k", "a", "b"), keys_.Of("k", "a", "b"));
  EXPECT_NE(keys_.Of("k", "a"), CounterKeys(random_).Of("k", "a"));
}

TEST(RateLimiterTest, EachKeyHasItsRule) {
  SystemRandom random;
  RateLimiter limiter({5, absl::Hours(1)}, 1024, random);
  const absl::Time now = absl::FromUnixSeconds(1767225600);
  for (int i = 0; i < 5; ++i) EXPECT_OK(limiter.Admit("192.0.2.1/32", now));
  const absl::Status refused = limiter.Admit("192.0.2.1/32", now);
  EXPECT_EQ(ReasonOf(refused), Reason::kRateLimited);
  EXPECT_EQ(RetryAfterOf(refused), absl::Minutes(12));
  EXPECT_OK(limiter.Admit("192.0.2.2/32", now));
  EXPECT_OK(limiter.Admit("192.0.2.1/32", now + absl::Minutes(12)));
}

}  // namespace
}  // namespace ostiary::limit
