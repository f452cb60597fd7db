#include "server/flow/change_password.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class ChangePassword : public ::testing::Test {
 protected:
  ChangePassword() {
    account_ = house_.SignUp("ada");
    mine_ = house_.SignIn("ada");
    other_ = house_.SignIn("ada");
  }
  void ExpectNothingChanged() {
    EXPECT_EQ(*house_.Account(account_), before_);
    EXPECT_THAT(house_.Ledger(), SizeIs(revocations_));
  }
  void Remember() {
    before_ = *house_.Account(account_);
    revocations_ = house_.Ledger().size();
  }
  void ExpectRejected(const std::string& truth) {
    EXPECT_EQ(house_.ChangePassword(mine_, kPassword, kNewPassword).status(),
              Refuse(Reason::kCredentialsRejected));
    EXPECT_EQ(house_.LastAudit().action, "account.change_password");
    EXPECT_EQ(house_.LastAudit().outcome, truth);
  }

  House house_;
  AccountId account_;
  flow::IssuedTokens mine_;
  flow::IssuedTokens other_;
  storage::AccountRow before_;
  std::size_t revocations_ = 0;
};

TEST_F(ChangePassword, EndsTheOtherSessionsAndKeepsItsOwn) {
  ASSERT_OK(house_.ChangePassword(mine_, kPassword, kNewPassword));
  EXPECT_EQ(ReasonOf(house_.TryRefresh(other_.refresh_token).status()),
            Reason::kRefreshRejected);
  const flow::IssuedTokens next = house_.Refresh(mine_.refresh_token);
  EXPECT_EQ(house_.Verdict(next.access_token), "");
  const storage::AccountRow row = *house_.Account(account_);
  EXPECT_EQ(row.generation, 2u);
  EXPECT_EQ(row.session_floor, 2u);
  EXPECT_EQ(row.credential_version, 2u);
  EXPECT_EQ(house_.Session(mine_.session_id).opened_generation, 2u);
  EXPECT_EQ(house_.Session(other_.session_id).opened_generation, 1u);
}

TEST_F(ChangePassword, EndsEveryAccessTokenItsOwnToo) {
  ASSERT_OK(house_.ChangePassword(mine_, kPassword, kNewPassword));
  EXPECT_EQ(house_.Verdict(mine_.access_token), "TOKEN_REVOKED");
  EXPECT_EQ(house_.Verdict(other_.access_token), "TOKEN_REVOKED");
}

TEST_F(ChangePassword, OnlyTheNewPasswordSignsIn) {
  ASSERT_OK(house_.ChangePassword(mine_, kPassword, kNewPassword));
  EXPECT_FALSE(house_.TrySignIn("ada", kPassword).ok());
  EXPECT_OK(house_.TrySignIn("ada", kNewPassword));
}

TEST_F(ChangePassword, WrongCurrentPasswordChangesNothing) {
  Remember();
  EXPECT_EQ(house_.ChangePassword(mine_, "wrong", kNewPassword).status(),
            Refuse(Reason::kCredentialsRejected));
  EXPECT_EQ(house_.LastAudit().outcome, "wrong_password");
  ExpectNothingChanged();
}

TEST_F(ChangePassword, WeakNewPasswordIsRefusedAboutItsField) {
  Remember();
  const absl::Status status =
      house_.ChangePassword(mine_, kPassword, "password").status();
  EXPECT_EQ(ReasonOf(status), Reason::kPasswordRejected);
  ASSERT_THAT(FieldViolationsOf(status), SizeIs(1));
  EXPECT_EQ(FieldViolationsOf(status)[0].field, "new_password");
  ExpectNothingChanged();
}

TEST_F(ChangePassword, GuessingWithAStolenTokenIsLimited) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(house_.ChangePassword(mine_, "wrong", kNewPassword).ok());
  }
  EXPECT_EQ(
      ReasonOf(house_.ChangePassword(mine_, kPassword, kNewPassword).status()),
      Reason::kRateLimited);
}

// --- Between the hash and the commit.

TEST_F(ChangePassword, PasswordSetMeanwhileIsRejected) {
  house_->lane.AfterNext([&] {
    ASSERT_OK(house_->accounts.SetPassword(
        House::Operator(), account_.ToString(),
        SecretBytes(std::string("violet harbour 31 kettle"))));
  });
  ExpectRejected("changed_meanwhile");
  EXPECT_OK(house_.TrySignIn("ada", "violet harbour 31 kettle"));
}

TEST_F(ChangePassword, AccountDisabledMeanwhileIsRejected) {
  house_->lane.AfterNext([&] {
    ASSERT_OK(
        house_->accounts.Disable(House::Operator(), account_.ToString(), ""));
  });
  ExpectRejected("changed_meanwhile");
}

TEST_F(ChangePassword, AccountDeletedMeanwhileIsRejected) {
  house_->lane.AfterNext([&] {
    ASSERT_OK(
        house_->accounts.Delete(House::Operator(), account_.ToString(), ""));
  });
  ExpectRejected("changed_meanwhile");
}

TEST_F(ChangePassword, SessionRevokedMeanwhileIsRejected) {
  house_->lane.AfterNext([&] {
    ASSERT_OK(house_->manage_sessions.Revoke(House::Operator(),
                                             mine_.session_id.ToString(), ""));
  });
  ExpectRejected("changed_meanwhile");
  EXPECT_EQ(house_.Account(account_)->credential_version, 1u);
}

TEST_F(ChangePassword, SignedOutEverywhereMeanwhileIsRejected) {
  // Otherwise re-stamping would lift the session over the floor again.
  house_->lane.AfterNext([&] {
    ASSERT_OK(house_->manage_sessions.RevokeAll(House::Operator(),
                                                account_.ToString(), ""));
  });
  ExpectRejected("changed_meanwhile");
  EXPECT_FALSE(house_.TryRefresh(mine_.refresh_token).ok());
}

TEST_F(ChangePassword, SessionThatHasExpiredIsRejected) {
  flow::Caller caller = house_.As(mine_);
  house_.clock.Advance(absl::Hours(24 * 14));
  EXPECT_EQ(house_->change_password
                .Run(caller, SecretBytes(std::string(kPassword)),
                     SecretBytes(std::string(kNewPassword)))
                .status(),
            Refuse(Reason::kCredentialsRejected));
}

TEST_F(ChangePassword, SessionOfAnotherAccountIsRejected) {
  house_.SignUp("eve");
  flow::Caller caller = house_.As(mine_);
  caller.session_id = house_.SignIn("eve").session_id;
  EXPECT_EQ(house_->change_password
                .Run(caller, SecretBytes(std::string(kPassword)),
                     SecretBytes(std::string(kNewPassword)))
                .status(),
            Refuse(Reason::kCredentialsRejected));
  EXPECT_THAT(house_.Ledger(), IsEmpty());
}

TEST_F(ChangePassword, RefreshMeanwhileDoesNotLoseTheSession) {
  flow::IssuedTokens refreshed;
  house_->lane.AfterNext(
      [&] { refreshed = house_.Refresh(mine_.refresh_token); });
  ASSERT_OK(house_.ChangePassword(mine_, kPassword, kNewPassword));
  EXPECT_EQ(house_.Verdict(refreshed.access_token), "TOKEN_REVOKED");
  EXPECT_OK(house_.TryRefresh(refreshed.refresh_token));
}

TEST_F(ChangePassword, RoleTakenBeforeDoesNotMakeTheSessionStale) {
  ASSERT_OK(house_->accounts.GrantRole(House::Operator(), account_.ToString(),
                                       "editor"));
  ASSERT_OK(house_->accounts.RevokeRole(House::Operator(), account_.ToString(),
                                        "editor"));
  const flow::IssuedTokens next = house_.Refresh(mine_.refresh_token);
  ASSERT_OK(house_.ChangePassword(next, kPassword, kNewPassword));
  EXPECT_OK(house_.TryRefresh(next.refresh_token));
}

}  // namespace
}  // namespace ostiary::testing
