#include "server/password/passwords.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/password/calibrate.h"
#include "tests/support/status_matchers.h"

namespace ostiary::password {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr HashParameters kCheap{1024, 1};
constexpr char kPhrase[] = "correct horse battery staple";
constexpr char kBcrypt[] =
    "$2b$04$JTlMi8jcdRhxBXXw3.6arOlSTv/53PezaKz2Q.ZfBshKciu5vY8hC";
constexpr char kBcryptShape[] = "$2b$04";

// Runs at once, and remembers what was asked of it.
class RecordingLane final : public HashLane {
 public:
  absl::Status Run(const HashRequest& request,
                   absl::FunctionRef<void()> work) override {
    if (!refusal.ok()) return refusal;
    asked.push_back(request.memory_bytes);
    work();
    return absl::OkStatus();
  }
  std::vector<std::size_t> asked;
  absl::Status refusal;
};

class PasswordsTest : public ::testing::Test {
 protected:
  Attempt For(const std::string& stored) {
    Attempt attempt;
    attempt.identifier_key = "ada@example.com";
    attempt.stored_hash = stored;
    return attempt;
  }
  VerifyOutcome Verify(const Attempt& attempt, absl::string_view password) {
    return testing::ValueOf(
        passwords_.Verify(attempt, PresentedPassword::From(password)));
  }
  std::string HashOf(absl::string_view password) {
    return testing::ValueOf(passwords_.Hash(PresentedPassword::From(password),
                                            absl::InfiniteFuture(), {}));
  }

  SystemRandom random_;
  RecordingLane lane_;
  Passwords passwords_{kCheap, lane_, random_, SecretBytes::CopyOf("a key")};
};

TEST_F(PasswordsTest, ANewHashMatchesItsPasswordAndNoOther) {
  const std::string hash = HashOf(kPhrase);
  EXPECT_THAT(hash, StartsWith("$argon2id$v=19$m=1024,t=1,p=1$"));
  EXPECT_TRUE(Verify(For(hash), kPhrase).match);
  EXPECT_FALSE(Verify(For(hash), absl::StrCat(kPhrase, "x")).match);
  EXPECT_FALSE(Verify(For(hash), kPhrase).upgraded_hash.has_value());
}

TEST_F(PasswordsTest, TwoHashesOfOnePasswordDiffer) {
  EXPECT_NE(HashOf(kPhrase), HashOf(kPhrase));
}

TEST_F(PasswordsTest, ThePasswordTypedDecomposedMatchesTheOneTypedComposed) {
  EXPECT_TRUE(
      Verify(For(HashOf("Pa\xc3\x9fwort-\xc3\xa9")), "Pa\xc3\x9fwort-e\xcc\x81")
          .match);
}

TEST_F(PasswordsTest, BcryptIsUpgradedAtTheFirstMatchOnly) {
  EXPECT_FALSE(Verify(For(kBcrypt), "wrong").upgraded_hash.has_value());
  const VerifyOutcome outcome = Verify(For(kBcrypt), kPhrase);
  ASSERT_TRUE(outcome.match);
  ASSERT_TRUE(outcome.upgraded_hash.has_value());
  EXPECT_THAT(*outcome.upgraded_hash, StartsWith(kCheap.Shape()));
  EXPECT_TRUE(Verify(For(*outcome.upgraded_hash), kPhrase).match);
}

TEST_F(PasswordsTest, TheUpgradeOfABcryptHashCoversTheWholePassword) {
  const std::string seventy_two(72, 'a');
  const char hash[] =
      "$2b$04$fFC3nQyKAMsfjvfw4T80PurgJc0BCHkLbQHRpviPUx1pxzWFaKHBy";
  const VerifyOutcome outcome = Verify(For(hash), seventy_two + "TAIL");
  ASSERT_TRUE(outcome.upgraded_hash.has_value());
  EXPECT_TRUE(Verify(For(*outcome.upgraded_hash), seventy_two + "TAIL").match);
  EXPECT_FALSE(Verify(For(*outcome.upgraded_hash), seventy_two).match);
}

TEST_F(PasswordsTest, CheaperParametersAreUpgradedAndCostlierOnesKept) {
  Passwords costlier({2048, 2}, lane_, random_, SecretBytes::CopyOf("a key"));
  const std::string cheap = HashOf(kPhrase);
  const auto presented = PresentedPassword::From(kPhrase);
  const VerifyOutcome outcome =
      testing::ValueOf(costlier.Verify(For(cheap), presented));
  ASSERT_TRUE(outcome.upgraded_hash.has_value());
  EXPECT_THAT(*outcome.upgraded_hash, StartsWith("$argon2id$v=19$m=2048,t=2"));
  EXPECT_FALSE(
      Verify(For(*outcome.upgraded_hash), kPhrase).upgraded_hash.has_value());
}

TEST_F(PasswordsTest, EveryRefusalTakesOneEqualTurnInTheLane) {
  const std::string stored = HashOf(kPhrase);
  lane_.asked.clear();
  for (const std::string& hash :
       {stored, std::string(), std::string("*"), std::string("{noop}x")}) {
    Attempt attempt = For(hash);
    attempt.shapes = {{kCheap.Shape(), 7}};
    for (const std::string& password :
         {std::string("wrong"), std::string(), std::string(2000, 'x')}) {
      EXPECT_FALSE(Verify(attempt, password).match);
    }
  }
  EXPECT_EQ(lane_.asked.size(), 12u);
  EXPECT_THAT(lane_.asked, Each(kCheap.memory_bytes()));
}

TEST_F(PasswordsTest, TheRightPasswordOfADisabledAccountIsNotUpgraded) {
  Attempt attempt = For(kBcrypt);
  attempt.standing = Standing::kCannotSucceed;
  const VerifyOutcome outcome = Verify(attempt, kPhrase);
  EXPECT_TRUE(outcome.match);
  EXPECT_FALSE(outcome.upgraded_hash.has_value());
  EXPECT_FALSE(Verify(attempt, "wrong").match);
}

TEST_F(PasswordsTest, AStrangersDecoyHasAShapeTheStoreHolds) {
  Attempt attempt = For("");
  attempt.shapes = {{"$argon2id$v=19$m=4096,t=1,p=1", 1}};
  EXPECT_FALSE(Verify(attempt, kPhrase).match);
  EXPECT_THAT(lane_.asked, ElementsAre(4096u * 1024u));
}

TEST_F(PasswordsTest, NoPasswordOpensADecoy) {
  // Even one that is known: the decoy of current parameters is all zeroes.
  EXPECT_FALSE(Verify(For(""), "").match);
}

TEST_F(PasswordsTest, ARefusalOfTheLaneIsReturned) {
  lane_.refusal = RefuseUntil(Reason::kOverloaded, absl::Seconds(1));
  EXPECT_EQ(
      ReasonOf(passwords_.Verify(For(kBcrypt), PresentedPassword::From("x"))
                   .status()),
      Reason::kOverloaded);
  EXPECT_EQ(ReasonOf(passwords_
                         .Hash(PresentedPassword::From("x"),
                               absl::InfiniteFuture(), {})
                         .status()),
            Reason::kOverloaded);
}

class DecoysTest : public ::testing::Test {
 protected:
  std::string ShapeFor(int i, const HashShapes& shapes) {
    const std::string text =
        decoys_.For(absl::StrCat("user", i), shapes).text();
    for (const auto& [shape, count] : shapes) {
      if (absl::StartsWith(text, shape)) return shape;
    }
    return text;
  }
  Decoys decoys_{SecretBytes::CopyOf("a key"), kCheap};
};

TEST_F(DecoysTest, AnIdentifierAlwaysHasTheSameDecoy) {
  const HashShapes shapes = {{kBcryptShape, 50}, {kCheap.Shape(), 50}};
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ShapeFor(i, shapes), ShapeFor(i, shapes));
  }
}

TEST_F(DecoysTest, ShapesAppearInTheirProportion) {
  const HashShapes shapes = {{kBcryptShape, 30}, {kCheap.Shape(), 70}};
  int bcrypt = 0;
  for (int i = 0; i < 2000; ++i) {
    if (ShapeFor(i, shapes) == kBcryptShape) ++bcrypt;
  }
  EXPECT_NEAR(bcrypt, 600, 80);  // four standard deviations
}

TEST_F(DecoysTest, AsCountsMoveIdentifiersOnlyLeaveTheShapeThatShrinks) {
  const HashShapes before = {{kBcryptShape, 50}, {kCheap.Shape(), 50}};
  const HashShapes after = {{kBcryptShape, 40}, {kCheap.Shape(), 60}};
  int moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string was = ShapeFor(i, before);
    const std::string is = ShapeFor(i, after);
    if (was == is) continue;
    ++moved;
    EXPECT_EQ(was, kBcryptShape);
  }
  EXPECT_NEAR(moved, 100, 40);
}

TEST_F(DecoysTest, AnotherKeyGivesOtherDecoys) {
  const Decoys other(SecretBytes::CopyOf("another key"), kCheap);
  const HashShapes shapes = {{kBcryptShape, 50}, {kCheap.Shape(), 50}};
  int different = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string id = absl::StrCat("user", i);
    if (other.For(id, shapes).text() != decoys_.For(id, shapes).text()) {
      ++different;
    }
  }
  EXPECT_GT(different, 50);
}

TEST_F(DecoysTest, AnEmptyOrUnreadableStoreGivesTheCurrentParameters) {
  EXPECT_THAT(decoys_.For("x", {}).text(), StartsWith(kCheap.Shape()));
  EXPECT_THAT(
      decoys_.For("x", {{"*", 9}, {"{noop}", 9}, {kBcryptShape, 0}}).text(),
      StartsWith(kCheap.Shape()));
}

TEST(HashParametersTest, FiguresOutOfBoundsAreNamed) {
  EXPECT_OK(CheckParameters({}));
  EXPECT_OK(CheckParameters({262144, 3}));
  EXPECT_FALSE(CheckParameters({512, 2}).ok());
  EXPECT_FALSE(CheckParameters({262145, 2}).ok());
  EXPECT_FALSE(CheckParameters({19456, 0}).ok());
  EXPECT_FALSE(CheckParameters({262144, 9}).ok());
  EXPECT_FALSE(CheckParameters({19456, 65}).ok());
}

TEST(CalibrateTest, TheCostliestWithinTheTargetIsSuggested) {
  const Calibration calibration = CalibrateWith(
      absl::Milliseconds(100), [](const HashParameters& parameters) {
        return absl::Milliseconds(parameters.memory_kib *
                                  parameters.iterations / 1500);
      });
  EXPECT_TRUE(calibration.within_target);
  EXPECT_EQ(calibration.suggested, (HashParameters{65536, 2}));
  EXPECT_EQ(calibration.rows.size(), 7u);  // up to the first over 200 ms
}

TEST(CalibrateTest, ASlowMachineStillGetsTheMinimum) {
  const Calibration calibration =
      CalibrateWith(absl::Milliseconds(100),
                    [](const HashParameters&) { return absl::Seconds(1); });
  EXPECT_FALSE(calibration.within_target);
  EXPECT_EQ(calibration.suggested, HashParameters{});
  EXPECT_EQ(calibration.rows.size(), 1u);
}

}  // namespace
}  // namespace ostiary::password
