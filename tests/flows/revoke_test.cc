#include "server/flow/revoke.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RevokeFlow : public ::testing::Test {
 protected:
  RevokeFlow() {
    account_ = house_.SignUp("ada");
    tokens_ = house_.SignIn("ada");
  }
  std::string RevokeToken(const std::string& token) {
    return ValueOf(house_->revoke.Token(House::Anyone(), token, ""));
  }

  House house_;
  AccountId account_;
  flow::IssuedTokens tokens_;
};

// --- One token.

TEST_F(RevokeFlow, TokenEndsAndNothingElseDoes) {
  const flow::IssuedTokens other = house_.SignIn("ada");
  RevokeToken(tokens_.access_token);
  EXPECT_EQ(house_.Verdict(tokens_.access_token), "TOKEN_REVOKED");
  EXPECT_EQ(house_.Verdict(other.access_token), "");
  // Its session goes on.
  const flow::IssuedTokens next = house_.Refresh(tokens_.refresh_token);
  EXPECT_EQ(house_.Verdict(next.access_token), "");
}

TEST_F(RevokeFlow, TwiceIsOneRowAndOneTicket) {
  const std::string ticket = RevokeToken(tokens_.access_token);
  const std::size_t audited = house_.Audit().size();
  EXPECT_EQ(RevokeToken(tokens_.access_token), ticket);
  EXPECT_THAT(house_.Ledger(), SizeIs(1));
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
}

TEST_F(RevokeFlow, ExpiredTokenIsAnsweredAndWritesNothing) {
  house_.clock.Advance(absl::Minutes(15));
  const std::size_t audited = house_.Audit().size();
  EXPECT_EQ(RevokeToken(tokens_.access_token), "");
  EXPECT_THAT(house_.Ledger(), IsEmpty());
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
}

TEST_F(RevokeFlow, TokenThatDoesNotVerifyIsAnsweredAndWritesNothing) {
  std::string forged = tokens_.access_token;
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  House other;
  other.SignUp("ada");
  for (const std::string& text :
       {forged, std::string(), std::string("a.b.c"), tokens_.refresh_token,
        other.SignIn("ada").access_token, std::string(1 << 20, 'x')}) {
    EXPECT_EQ(RevokeToken(text), "");
  }
  EXPECT_THAT(house_.Ledger(), IsEmpty());
  EXPECT_EQ(house_.Verdict(tokens_.access_token), "");
}

TEST_F(RevokeFlow, AuditSaysWhichTokenButNotItsText) {
  RevokeToken(tokens_.access_token);
  const storage::AuditRow row = house_.LastAudit();
  EXPECT_EQ(row.action, "token.revoke");
  EXPECT_EQ(row.account_id, account_.ToString());
  EXPECT_EQ(row.session_id, tokens_.session_id.ToString());
  EXPECT_THAT(row.detail,
              HasSubstr(house_.Claims(tokens_.access_token).token_id));
  EXPECT_THAT(row.detail, Not(HasSubstr(tokens_.access_token)));
}

// --- A client.

TEST_F(RevokeFlow, ClientEndsEveryTokenIssuedToItUntilNow) {
  const flow::IssuedTokens other = house_.SignIn("ada");
  ASSERT_OK(house_->revoke.Client(House::Operator(), "cli_default", "leak"));
  EXPECT_EQ(house_.Verdict(tokens_.access_token), "TOKEN_REVOKED");
  EXPECT_EQ(house_.Verdict(other.access_token), "TOKEN_REVOKED");
}

TEST_F(RevokeFlow, ClientRevocationOfAnotherClientHitsNothingHere) {
  ASSERT_OK(house_->revoke.Client(House::Operator(), "cli_other", ""));
  EXPECT_EQ(house_.Verdict(tokens_.access_token), "");
  EXPECT_OK(house_.TrySignIn("ada"));
}

TEST_F(RevokeFlow, IssuingForTheClientPausesUntilNoTokenWouldBeHitAtBirth) {
  ASSERT_OK(house_->revoke.Client(House::Operator(), "cli_default", ""));
  const storage::SessionRow before = house_.Session(tokens_.session_id);
  const int turns = house_->lane.turns();
  for (int i = 0; i < 5; ++i) {
    const absl::Status status = house_.TrySignIn("ada").status();
    EXPECT_EQ(ReasonOf(status), Reason::kOverloaded) << i;
    EXPECT_GT(RetryAfterOf(status), absl::ZeroDuration());
    EXPECT_EQ(ReasonOf(house_.TryRefresh(tokens_.refresh_token).status()),
              Reason::kOverloaded);
    house_.clock.Advance(absl::Seconds(1));
  }
  // No session was rotated and no password hashed in vain.
  EXPECT_EQ(house_.Session(tokens_.session_id), before);
  EXPECT_EQ(house_->lane.turns(), turns);
}

TEST_F(RevokeFlow, WhateverIsIssuedAfterThePauseIsGood) {
  ASSERT_OK(house_->revoke.Client(House::Operator(), "cli_default", ""));
  // Step by step over the end of the pause: iat is cut to whole seconds, so a
  // token of the second in which the pause ends would be dead at birth.
  int issued = 0;
  for (int i = 0; i < 80; ++i) {
    house_.clock.Advance(absl::Milliseconds(100));
    const auto tokens = house_.TrySignIn("ada");
    if (!tokens.ok()) continue;
    ++issued;
    EXPECT_EQ(house_.Verdict(tokens->access_token), "") << i;
  }
  EXPECT_GT(issued, 15);
}

TEST_F(RevokeFlow, RetryAfterOfThePauseIsTheTruth) {
  ASSERT_OK(house_->revoke.Client(House::Operator(), "cli_default", ""));
  const absl::Status status = house_.TrySignIn("ada").status();
  house_.clock.Advance(RetryAfterOf(status));
  EXPECT_OK(house_.TrySignIn("ada"));
}

// --- A key.

TEST_F(RevokeFlow, KeyEndsEveryTokenItSignedAndItsSuccessorSigns) {
  const std::string kid = house_->keys->Snapshot()->active().key_id();
  ASSERT_OK(house_->keys->Revoke(kid, "", {}));
  EXPECT_NE(house_.Verdict(tokens_.access_token), "");
  const flow::IssuedTokens next = house_.Refresh(tokens_.refresh_token);
  EXPECT_EQ(house_.Verdict(next.access_token), "");
}

TEST_F(RevokeFlow, RetriedRefreshAfterAKeyRevocationIsSignedAnew) {
  const flow::IssuedTokens answer = house_.Refresh(tokens_.refresh_token);
  const std::string kid = house_->keys->Snapshot()->active().key_id();
  ASSERT_OK(house_->keys->Revoke(kid, "", {}));
  const flow::IssuedTokens again = house_.Refresh(tokens_.refresh_token);
  EXPECT_EQ(again.refresh_token, answer.refresh_token);
  EXPECT_EQ(house_.Verdict(again.access_token), "");
}

}  // namespace
}  // namespace ostiary::testing
