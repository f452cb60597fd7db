#include "tests/checker/linearizability.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/checker/history.h"
#include "tests/checker/made_up.h"

namespace ostiary::checker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> NamesOf(const MadeUp& made_up) {
  std::vector<std::string> names;
  for (const Violation& violation :
       CheckLinearizable(History(made_up.operations()).operations(), {})) {
    names.push_back(violation.name);
  }
  return names;
}

class Linearizability : public ::testing::Test {
 protected:
  Linearizability() { history_.SignUp("p1"); }
  void ExpectOrder() { EXPECT_THAT(NamesOf(history_), IsEmpty()); }
  void ExpectNone() {
    EXPECT_THAT(NamesOf(history_), ElementsAre("linearizable"));
  }
  // Makes the last call one that began when nothing but the sign-up and
  // `calls` - 1 others had ended.
  static void After(Operation& op, int calls) { op.start = 20 * calls + 5; }

  MadeUp history_;
};

TEST_F(Linearizability, OrdinaryLifeHasAnOrder) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Refresh("a", 1);
  history_.SignIn("b");
  history_.Verify("a", 2);
  history_.ChangePassword("b", "p1", "p2");
  history_.Verify("b", 1, "TOKEN_REVOKED");
  history_.Refresh("a", 2, "REFRESH_REJECTED");
  history_.SignInRefused("p1");
  history_.SignIn("c", "p2");
  history_.Restart();
  history_.RevokeToken("c", 1);
  history_.Verify("c", 1, "TOKEN_REVOKED");
  history_.Refresh("c", 1);
  history_.OfAccount(Kind::kDisable);
  history_.Refresh("c", 2, "REFRESH_REJECTED");
  history_.SignInRefused("p2");
  history_.OfAccount(Kind::kEnable);
  history_.SignIn("d", "p2");
  history_.Refresh("d", 1);
  history_.Refresh("d", 2);
  history_.Refresh("d", 1, "REFRESH_REJECTED");
  history_.Verify("d", 3, "TOKEN_REVOKED");
  ExpectOrder();
}

TEST_F(Linearizability, RefreshAfterTheEndHasNone) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  history_.Refresh("a", 1);
  ExpectNone();
}

TEST_F(Linearizability, RefreshDuringTheEndMayHaveComeBefore) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  After(history_.Refresh("a", 1), 2);
  ExpectOrder();
  // But then its token died with the session.
  history_.Verify("a", 2);
  ExpectNone();
}

TEST_F(Linearizability, EndsSeenInTwoOrdersByTwoHaveNone) {
  history_.SignIn("a");
  history_.SignIn("b");
  // One account event overlaps four calls: it cannot lie between both pairs.
  Operation& all = history_.OfAccount(Kind::kRevokeAll);
  After(all, 3);
  all.end = 1000;
  history_.Verify("a", 1, "TOKEN_REVOKED");
  ExpectOrder();
  history_.Verify("b", 1);
  ExpectNone();
}

TEST_F(Linearizability, TheftIsAnEnd) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Refresh("a", 2);
  history_.Refresh("a", 1, "REFRESH_REJECTED");
  history_.Refresh("a", 3);
  ExpectNone();
}

TEST_F(Linearizability, CurrentTokenRejectedForNothingHasNone) {
  history_.SignIn("a");
  history_.Refresh("a", 1, "REFRESH_REJECTED");
  ExpectNone();
}

TEST_F(Linearizability, RepeatInsideTheWindowRejectedHasNone) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Refresh("a", 1, "REFRESH_REJECTED");
  ExpectNone();
}

TEST_F(Linearizability, RepeatAfterTheWindowIsTheft) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Pass(10);
  history_.Refresh("a", 1, "REFRESH_REJECTED");
  history_.Verify("a", 2, "TOKEN_REVOKED");
  ExpectOrder();
}

TEST_F(Linearizability, RepeatThatSucceedsAfterTheWindowHasNone) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Pass(10);
  history_.Refresh("a", 1);
  ExpectNone();
}

TEST_F(Linearizability, OtherAttemptIsToldToWait) {
  history_.SignIn("a");
  history_.Refresh("a", 1).request_id = "one";
  history_.Refresh("a", 1, "REFRESH_IN_PROGRESS").request_id = "two";
  history_.Refresh("a", 1).request_id = "one";
  ExpectOrder();
  history_.Refresh("a", 1, "REFRESH_IN_PROGRESS").request_id = "one";
  ExpectNone();
}

TEST_F(Linearizability, TwoPasswordsAtOnceHaveNone) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  ExpectOrder();
  history_.SignIn("b", "p2");
  history_.SignIn("c", "p1");
  ExpectNone();
}

TEST_F(Linearizability, SessionSurvivesOnlyItsOwnChange) {
  history_.SignIn("a");
  history_.SignIn("b");
  history_.ChangePassword("a", "p1", "p2");
  history_.Refresh("a", 1);
  ExpectOrder();
  history_.Refresh("b", 1);
  ExpectNone();
}

TEST_F(Linearizability, RefreshThatWasCutOffMayHaveHappenedLater) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.CutOff();
  history_.Refresh("a", 1);
  history_.Refresh("a", 2);
  ExpectOrder();
}

TEST_F(Linearizability, EndThatWasCutOffMayHappenBetweenAnyTwo) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  history_.CutOff();
  history_.Verify("a", 1);
  history_.Verify("a", 1, "TOKEN_REVOKED");
  ExpectOrder();
  history_.Verify("a", 1);
  ExpectNone();
}

TEST_F(Linearizability, EndThatWasCutOffMustNotHappenAfterTheRestart) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  history_.CutOff();
  history_.Restart();
  history_.Verify("a", 1);
  ExpectOrder();
  history_.Verify("a", 1, "TOKEN_REVOKED");
  ExpectNone();
}

TEST_F(Linearizability, TokenThatSaysWhatIsNoLongerTrueHasNone) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  // Minted after the change, it must not be the token of before.
  history_.Refresh("a", 1).token_id = "at1";
  ExpectNone();
}

TEST_F(Linearizability, RefreshTokenNobodyWasGivenIsSaid) {
  history_.SignIn("a");
  history_.Refresh("a", 7);
  EXPECT_THAT(NamesOf(history_), ElementsAre("history_is_whole"));
}

TEST_F(Linearizability, ManyOverlappingCallsAreSearchedQuickly) {
  history_.SignIn("a");
  for (int i = 1; i <= 60; ++i) {
    history_.Refresh("a", i);
    history_.Refresh("a", i).end += 100;
    history_.Verify("a", i).end += 200;
    if (i % 9 == 0) history_.RevokeToken("a", i).end += 300;
  }
  ExpectOrder();
  history_.Verify("a", 1, "TOKEN_REVOKED");
  ExpectNone();
}

}  // namespace
}  // namespace ostiary::checker
