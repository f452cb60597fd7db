#include "tests/checker/invariants.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/checker/history.h"
#include "tests/checker/made_up.h"

// Every promise notices a history that breaks it and passes one that does not.
namespace ostiary::checker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::set<std::string> NamesOf(const MadeUp& made_up, const Rules& rules = {}) {
  std::set<std::string> names;
  for (const Violation& violation :
       Judge(History(made_up.operations()).operations(), rules)) {
    names.insert(violation.name);
  }
  return names;
}

class Invariants : public ::testing::Test {
 protected:
  Invariants() { history_.SignUp("p1"); }
  MadeUp history_;
};

// --- Revocations.

TEST_F(Invariants, OrdinaryLifePasses) {
  history_.SignIn("a");
  history_.Verify("a", 1);
  history_.Refresh("a", 1);
  history_.Refresh("a", 1);  // its answer was lost
  history_.Refresh("a", 2);
  history_.SignIn("b");
  history_.ChangePassword("b", "p1", "p2");
  history_.SignInRefused("p1");
  history_.SignIn("c", "p2");
  history_.Verify("a", 3, "TOKEN_REVOKED");
  history_.Refresh("a", 3, "REFRESH_REJECTED");
  history_.Refresh("b", 1);
  history_.RevokeToken("c", 1);
  history_.Restart();
  history_.Verify("c", 1, "TOKEN_REVOKED");
  history_.Verify("b", 2);
  history_.RevokeSession("b");
  history_.Verify("b", 2, "TOKEN_REVOKED");
  EXPECT_THAT(NamesOf(history_), IsEmpty());
}

TEST_F(Invariants, RevokedTokenThatPassesIsNoticed) {
  history_.SignIn("a");
  history_.RevokeToken("a", 1);
  history_.Verify("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("revocation_holds"));
}

TEST_F(Invariants, RevokedTokenThatPassesAfterARestartIsNoticed) {
  history_.SignIn("a");
  history_.RevokeToken("a", 1);
  history_.Restart();
  history_.Verify("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("revocation_holds"));
}

TEST_F(Invariants, VerifyDuringTheRevocationMayPass) {
  history_.SignIn("a");
  history_.RevokeToken("a", 1);
  history_.Verify("a", 1).start = 55;
  EXPECT_THAT(NamesOf(history_), IsEmpty());
}

TEST_F(Invariants, SessionThatRefreshesAfterItsEndIsNoticed) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  history_.Refresh("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("revocation_holds"));
}

TEST_F(Invariants, TokenMintedByARaceWithTheEndOfItsSessionMustNotLive) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  // The refresh began before the revocation; its token is used after it.
  history_.Refresh("a", 1).start = 45;
  history_.Verify("a", 2);
  EXPECT_THAT(NamesOf(history_), ElementsAre("revocation_holds"));
}

class EndsAccount : public Invariants,
                    public ::testing::WithParamInterface<Kind> {};

TEST_P(EndsAccount, TokenThatPassesAfterItIsNoticed) {
  history_.SignIn("a");
  history_.OfAccount(GetParam());
  history_.Verify("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("revocation_holds"));
}

TEST_P(EndsAccount, SessionThatRefreshesAfterItIsNoticed) {
  history_.SignIn("a");
  history_.OfAccount(GetParam());
  history_.Refresh("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("revocation_holds"));
}

TEST_P(EndsAccount, SessionOpenedWhileItWasUnderWayMayLive) {
  history_.OfAccount(GetParam()).start = 1;
  MadeUp other;
  other.Add(history_.operations().back());
  other.SignIn("a");
  EXPECT_THAT(NamesOf(other), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, EndsAccount,
                         ::testing::Values(Kind::kRevokeAll, Kind::kDisable,
                                           Kind::kDelete, Kind::kSetPassword));

TEST_F(Invariants, OtherSessionThatSurvivesAChangeOfThePasswordIsNoticed) {
  history_.SignIn("a");
  history_.SignIn("b");
  history_.ChangePassword("b", "p1", "p2");
  history_.Refresh("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("revocation_holds"));
}

TEST_F(Invariants, AccessTokenThatSurvivesTheChangeItMadeIsNoticed) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  history_.Verify("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("revocation_holds"));
}

TEST_F(Invariants, RevokedVerdictThatIsTakenBackIsNoticed) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  history_.CutOff();
  history_.Verify("a", 1, "TOKEN_REVOKED");
  history_.Verify("a", 1);
  EXPECT_THAT(NamesOf(history_),
              ElementsAre("refusal_holds", "unknown_is_all_or_nothing"));
}

TEST_F(Invariants, SessionThatLivesOnAfterItsTokenWasRejectedIsNoticed) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Refresh("a", 2);
  history_.Refresh("a", 1, "REFRESH_REJECTED");
  history_.Verify("a", 3);
  EXPECT_THAT(NamesOf(history_), ElementsAre("refusal_holds"));
}

TEST_F(Invariants, SignInToADisabledAccountIsNoticed) {
  history_.OfAccount(Kind::kDisable);
  history_.SignIn("a");
  EXPECT_THAT(NamesOf(history_), ElementsAre("disabled_stays_out"));
}

TEST_F(Invariants, SignInToAnAccountThatWasEnabledAgainPasses) {
  history_.OfAccount(Kind::kDisable);
  history_.OfAccount(Kind::kEnable);
  history_.SignIn("a");
  EXPECT_THAT(NamesOf(history_), IsEmpty());
}

// --- Refresh tokens.

TEST_F(Invariants, TwoSuccessorsOfOneTokenAreNoticed) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Refresh("a", 1).refresh = "another";
  EXPECT_THAT(NamesOf(history_), ElementsAre("one_successor"));
}

TEST_F(Invariants, OneTokenForTwoGenerationsIsNoticed) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  Operation& second = history_.Refresh("a", 2);
  second.refresh = "ar2";
  EXPECT_THAT(NamesOf(history_), ElementsAre("one_successor"));
}

TEST_F(Invariants, TokenThatSucceedsAfterItsSuccessorWasUsedIsNoticed) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Refresh("a", 2);
  history_.Refresh("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("older_token_is_dead"));
}

TEST_F(Invariants, RetryWhileTheSuccessorIsBeingUsedMaySucceed) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Refresh("a", 2);
  history_.Refresh("a", 1).start = 75;
  EXPECT_THAT(NamesOf(history_), IsEmpty());
}

TEST_F(Invariants, RetryAfterTheWindowIsNoticed) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.Pass(9);
  history_.Refresh("a", 1);
  EXPECT_THAT(NamesOf(history_), ElementsAre("retry_window"));
}

TEST_F(Invariants, WindowDoesNotRunWhileTheServerIsDown) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  Operation down{.kind = Kind::kRestart};
  down.start_time = history_.operations().back().end_time;
  down.end_time = down.start_time + 100'000'000;
  history_.Add(down);
  history_.Pass(100);
  history_.Refresh("a", 1);
  EXPECT_THAT(NamesOf(history_), IsEmpty());
}

TEST_F(Invariants, RequestIdHasALongerWindow) {
  history_.SignIn("a");
  history_.Refresh("a", 1).request_id = "0123456789abcdef";
  history_.Pass(3600);
  history_.Refresh("a", 1).request_id = "0123456789abcdef";
  EXPECT_THAT(NamesOf(history_), IsEmpty());
  history_.Pass(24 * 3600);
  history_.Refresh("a", 1).request_id = "0123456789abcdef";
  EXPECT_THAT(NamesOf(history_), ElementsAre("retry_window"));
}

TEST_F(Invariants, TwoTokensWithOneIdAreNoticed) {
  history_.SignIn("a");
  history_.Refresh("a", 1).token_id = "at1";
  EXPECT_THAT(NamesOf(history_), ElementsAre("token_ids_are_unique"));
}

TEST_F(Invariants, TwoSignInsToOneSessionAreNoticed) {
  history_.SignIn("a");
  Operation again = history_.operations().back();
  again.start = 0;
  again.end = kNever;
  again.token_id = "other";
  again.refresh = "other";
  history_.Add(again);
  EXPECT_THAT(NamesOf(history_), ElementsAre("token_ids_are_unique"));
}

// --- Passwords.

TEST_F(Invariants, OldPasswordThatLetsInIsNoticed) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  history_.SignIn("b", "p1");
  EXPECT_THAT(NamesOf(history_), ElementsAre("password_change_holds"));
}

TEST_F(Invariants, NewPasswordThatIsRejectedIsNoticed) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  history_.Restart();
  history_.SignInRefused("p2");
  EXPECT_THAT(NamesOf(history_), ElementsAre("password_change_holds"));
}

TEST_F(Invariants, PasswordNobodySetIsNoticed) {
  history_.SignIn("a", "guess");
  EXPECT_THAT(NamesOf(history_), ElementsAre("password_change_holds"));
}

TEST_F(Invariants, EitherPasswordMayWorkWhileItIsBeingChanged) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  history_.FromTheBeginning();
  history_.SignIn("b", "p2");
  history_.SignInRefused("p1");
  EXPECT_THAT(NamesOf(history_), IsEmpty());
}

TEST_F(Invariants, ChangeThatWasCutOffMayHaveHappenedOrNot) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  history_.CutOff();
  history_.Restart();
  MadeUp not_happened = history_;
  not_happened.SignIn("b", "p1");
  not_happened.SignInRefused("p2");
  EXPECT_THAT(NamesOf(not_happened), IsEmpty());
  MadeUp happened = history_;
  happened.SignInRefused("p1");
  happened.SignIn("b", "p2");
  EXPECT_THAT(NamesOf(happened), IsEmpty());
}

TEST_F(Invariants, BothPasswordsAfterAChangeThatWasCutOffAreNoticed) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  history_.CutOff();
  history_.Restart();
  history_.SignIn("b", "p2");
  history_.SignIn("c", "p1");
  EXPECT_THAT(NamesOf(history_), ElementsAre("unknown_is_all_or_nothing"));
}

TEST_F(Invariants, NeitherPasswordAfterAChangeThatWasCutOffIsNoticed) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  history_.CutOff();
  history_.Restart();
  history_.SignInRefused("p2");
  history_.SignInRefused("p1");
  EXPECT_THAT(NamesOf(history_), ElementsAre("unknown_is_all_or_nothing"));
}

// --- What was cut off.

TEST_F(Invariants, ATokenOfARevokedKeyTellsNothingOfWhatWasCutOff) {
  history_.SignIn("a");
  history_.ChangePassword("a", "p1", "p2");
  history_.CutOff();
  history_.Restart();
  history_.SignIn("b", "p1");  // so it had not happened
  history_.Add({.kind = Kind::kRefresh,
                .account = "ada",
                .session = "b",
                .token_id = "bt2",
                .token_generation = 1,
                .key = "old",
                .presented = "br1",
                .refresh = "br2"});
  MadeUp without = history_;
  without.Verify("a", 1);
  without.Verify("b", 2, "TOKEN_REVOKED");
  EXPECT_THAT(NamesOf(without), ElementsAre("unknown_is_all_or_nothing"));
  history_.Add({.kind = Kind::kKeyRevoked, .key = "old"});
  history_.Verify("a", 1);
  history_.Verify("b", 2, "TOKEN_REVOKED");
  EXPECT_THAT(NamesOf(history_), IsEmpty());
}

TEST_F(Invariants, HalfAnEndOfASessionIsNoticed) {
  history_.SignIn("a");
  history_.Refresh("a", 1);
  history_.RevokeSession("a");
  history_.CutOff();
  history_.Restart();
  history_.Verify("a", 1, "TOKEN_REVOKED");
  MadeUp whole = history_;
  whole.Verify("a", 2, "TOKEN_REVOKED");
  EXPECT_THAT(NamesOf(whole), IsEmpty());
  MadeUp half = history_;
  half.Verify("a", 2);
  EXPECT_THAT(NamesOf(half), ElementsAre("unknown_is_all_or_nothing"));
  MadeUp other_half = history_;
  other_half.Refresh("a", 2);
  EXPECT_THAT(NamesOf(other_half), ElementsAre("unknown_is_all_or_nothing"));
}

TEST_F(Invariants, EndThatComesAfterTheRestartIsNoticed) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  history_.CutOff();
  history_.Restart();
  history_.Verify("a", 1);
  history_.Verify("a", 1, "TOKEN_REVOKED");
  EXPECT_THAT(NamesOf(history_), ElementsAre("unknown_is_all_or_nothing"));
}

TEST_F(Invariants, EndThatComesLateWithoutARestartPasses) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  history_.CutOff();
  history_.Verify("a", 1);
  history_.Verify("a", 1, "TOKEN_REVOKED");
  EXPECT_THAT(NamesOf(history_), IsEmpty());
}

}  // namespace
}  // namespace ostiary::checker
