#include "client/jwt/base64url.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

// Refusals that change nothing (protocol.md 4, steps 1 to 3).
namespace ostiary::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class RefreshRefused : public ::testing::Test {
 protected:
  RefreshRefused() {
    account_ = house_.SignUp("ada");
    first_ = house_.SignIn("ada");
  }

  // Refused as everything is outside, for `truth` inside, changing nothing.
  void ExpectRefused(const std::string& token, const std::string& truth) {
    const storage::SessionRow before = house_.Session(first_.session_id);
    const std::size_t revocations = house_.Ledger().size();
    ExpectOneAnswer(house_.TryRefresh(token).status());
    EXPECT_EQ(house_.Session(first_.session_id), before);
    EXPECT_THAT(house_.Ledger(), SizeIs(revocations));
    EXPECT_EQ(house_.LastAudit().action, "session.refresh");
    EXPECT_EQ(house_.LastAudit().outcome, truth);
    EXPECT_EQ(house_.LastAudit().session_id, first_.session_id.ToString());
  }
  static void ExpectOneAnswer(const absl::Status& status) {
    EXPECT_EQ(status, Refuse(Reason::kRefreshRejected));
  }

  House house_;
  AccountId account_;
  flow::IssuedTokens first_;
};

TEST_F(RefreshRefused, ForgedTokensReachNoWriterAndNoAudit) {
  const std::size_t audited = house_.Audit().size();
  const std::string bytes =
      *jwt::Base64UrlDecode(first_.refresh_token.substr(4));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string forged = bytes;
    forged[i] = static_cast<char>(forged[i] ^ 0x10);
    ExpectOneAnswer(
        house_.TryRefresh("ort_" + jwt::Base64UrlEncode(forged)).status());
  }
  for (const std::string& text :
       {std::string(), std::string("ort_"), first_.access_token,
        std::string(1 << 20, 'a')}) {
    ExpectOneAnswer(house_.TryRefresh(text).status());
  }
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
  EXPECT_OK(house_.TryRefresh(first_.refresh_token));
}

TEST_F(RefreshRefused, TokenOfAnotherHouseIsForged) {
  House other;
  other.SignUp("ada");
  const std::string foreign = other.SignIn("ada").refresh_token;
  ExpectOneAnswer(house_.TryRefresh(foreign).status());
}

TEST_F(RefreshRefused, RevokedSession) {
  ASSERT_OK(house_->sign_out.Run(House::Anyone(), first_.refresh_token));
  ExpectRefused(first_.refresh_token, "revoked");
}

TEST_F(RefreshRefused, IdleLifetimeEndsExactly) {
  House house({.lifetimes = {.idle = absl::Hours(1)}});
  house.SignUp("ada");
  const flow::IssuedTokens idle = house.SignIn("ada");
  house.clock.Advance(absl::Hours(1) - absl::Microseconds(1));
  const flow::IssuedTokens used = house.Refresh(idle.refresh_token);
  // Every use begins it anew.
  house.clock.Advance(absl::Hours(1) - absl::Microseconds(1));
  const flow::IssuedTokens again = house.Refresh(used.refresh_token);
  house.clock.Advance(absl::Hours(1));
  ExpectOneAnswer(house.TryRefresh(again.refresh_token).status());
  EXPECT_EQ(house.LastAudit().outcome, "idle_expired");
  EXPECT_FALSE(house.Session(idle.session_id).revoked());
}

TEST_F(RefreshRefused, AbsoluteLifetimeEndsExactlyHoweverBusyTheSession) {
  House house({.lifetimes = {.absolute = absl::Hours(24 * 20)}});
  house.SignUp("ada");
  flow::IssuedTokens tokens = house.SignIn("ada");
  const absl::Time end = house.Session(tokens.session_id).expire_time;
  for (int i = 0; i < 2; ++i) {
    house.clock.Advance(absl::Hours(24 * 9));
    tokens = house.Refresh(tokens.refresh_token);
  }
  EXPECT_LE(house.Session(tokens.session_id).idle_expire_time, end);
  house.clock.Advance(end - house.clock.Now() - absl::Microseconds(1));
  tokens = house.Refresh(tokens.refresh_token);
  // In the very last moment too, what is handed out is a whole token that
  // does not outlive its session.
  EXPECT_LE(house.Claims(tokens.access_token).expire_time, end);
  EXPECT_EQ(house.Verdict(tokens.access_token), "");
  house.clock.Advance(absl::Microseconds(1));
  ExpectOneAnswer(house.TryRefresh(tokens.refresh_token).status());
  EXPECT_EQ(house.LastAudit().outcome, "expired");
}

TEST_F(RefreshRefused, DisabledAccount) {
  ASSERT_OK(
      house_->accounts.Disable(House::Operator(), account_.ToString(), ""));
  ExpectRefused(first_.refresh_token, "account_disabled");
}

TEST_F(RefreshRefused, AccountEnabledAgainDoesNotBringItsSessionsBack) {
  ASSERT_OK(
      house_->accounts.Disable(House::Operator(), account_.ToString(), ""));
  ASSERT_OK(house_->accounts.Enable(House::Operator(), account_.ToString()));
  ExpectRefused(first_.refresh_token, "below_floor");
  EXPECT_OK(house_.TrySignIn("ada"));
}

TEST_F(RefreshRefused, BelowTheFloor) {
  ASSERT_OK(house_->manage_sessions.RevokeAll(House::Operator(),
                                              account_.ToString(), ""));
  ExpectRefused(first_.refresh_token, "below_floor");
}

TEST_F(RefreshRefused, OldTokenOfADisabledAccountIsNoTheft) {
  house_.Refresh(house_.Refresh(first_.refresh_token).refresh_token);
  ASSERT_OK(
      house_->accounts.Disable(House::Operator(), account_.ToString(), ""));
  ExpectRefused(first_.refresh_token, "account_disabled");
}

TEST_F(RefreshRefused, DeletedAccountLeavesNothingToRefresh) {
  ASSERT_OK(
      house_->accounts.Delete(House::Operator(), account_.ToString(), ""));
  const std::size_t audited = house_.Audit().size();
  ExpectOneAnswer(house_.TryRefresh(first_.refresh_token).status());
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
}

TEST_F(RefreshRefused, SessionDeletedBetweenTheReadAndTheWriteIsGone) {
  const auto presented =
      session::PresentedRefreshToken::Parse(first_.refresh_token);
  ASSERT_TRUE(presented.has_value());
  ASSERT_OK(
      house_->accounts.Delete(House::Operator(), account_.ToString(), ""));
  session::Rotated rotated;
  ASSERT_OK(house_.Write([&](storage::WriteTx& tx) -> absl::Status {
    auto outcome = house_->sessions.Rotate(tx, {*presented, "", "", ""},
                                           house_.clock.Now());
    if (!outcome.ok()) return outcome.status();
    rotated = *std::move(outcome);
    return absl::OkStatus();
  }));
  EXPECT_EQ(rotated.rotation, session::Rotation::kAccountGone);
  EXPECT_EQ(SessionId(rotated.row.session_id), first_.session_id);
}

TEST_F(RefreshRefused, EveryRefusalLooksTheSame) {
  std::vector<absl::Status> answers = {
      house_.TryRefresh("").status(),
      house_.TryRefresh(first_.refresh_token.substr(0, 50)).status()};
  const flow::IssuedTokens stolen = house_.SignIn("ada");
  house_.Refresh(house_.Refresh(stolen.refresh_token).refresh_token);
  answers.push_back(house_.TryRefresh(stolen.refresh_token).status());
  answers.push_back(house_.TryRefresh(stolen.refresh_token).status());
  ASSERT_OK(
      house_->accounts.Disable(House::Operator(), account_.ToString(), ""));
  answers.push_back(house_.TryRefresh(first_.refresh_token).status());
  for (const absl::Status& answer : answers) {
    EXPECT_EQ(answer, answers[0]);
  }
}

}  // namespace
}  // namespace ostiary::testing
