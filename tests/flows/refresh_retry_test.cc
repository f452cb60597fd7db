#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

// A repeat of a refresh whose answer may have been lost (protocol.md 4).
namespace ostiary::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kRequestId[] = "4f1c0d62a7b14e0b";
constexpr char kOtherRequestId[] = "99d00a4be2c84d17";
constexpr char kHome[] = "198.51.100.9";
constexpr char kElsewhere[] = "203.0.113.77";

class RefreshRetry : public ::testing::Test {
 protected:
  RefreshRetry() {
    house_.SignUp("ada");
    first_ = house_.SignIn("ada");
  }
  void ExpectSame(const flow::IssuedTokens& a, const flow::IssuedTokens& b) {
    EXPECT_EQ(a.refresh_token, b.refresh_token);
    EXPECT_EQ(house_.Claims(a.access_token), house_.Claims(b.access_token));
  }

  flow::IssuedTokens RefreshFrom(const std::string& address,
                                 const flow::IssuedTokens& tokens) {
    return ValueOf(house_->refresh.Run(House::AnyoneFrom(address),
                                       {tokens.refresh_token, "", ""}));
  }

  House house_;
  flow::IssuedTokens first_;
};

TEST_F(RefreshRetry, GivesTheSameSuccessorAndTheSameAccessToken) {
  const flow::IssuedTokens answer = house_.Refresh(first_.refresh_token);
  for (const absl::Duration later :
       {absl::ZeroDuration(), absl::Seconds(3), absl::Milliseconds(6999)}) {
    house_.clock.Advance(later);
    ExpectSame(house_.Refresh(first_.refresh_token), answer);
  }
  EXPECT_EQ(house_.Session(first_.session_id).generation, 2u);
  EXPECT_THAT(house_.Ledger(), IsEmpty());
}

TEST_F(RefreshRetry, DoesNotProlongTheWindow) {
  house_.Refresh(first_.refresh_token);
  house_.clock.Advance(absl::Seconds(9));
  house_.Refresh(first_.refresh_token);
  house_.clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(house_.TryRefresh(first_.refresh_token).ok());
  EXPECT_TRUE(house_.Session(first_.session_id).revoked());
}

TEST_F(RefreshRetry, OnceTheSuccessorWasUsedIsTheft) {
  const flow::IssuedTokens second = house_.Refresh(first_.refresh_token);
  house_.Refresh(second.refresh_token);
  EXPECT_FALSE(house_.TryRefresh(first_.refresh_token).ok());
  EXPECT_TRUE(house_.Session(first_.session_id).revoked());
}

TEST_F(RefreshRetry, GivesTheScopeOfTheFirstAnswer) {
  const flow::IssuedTokens scoped =
      house_.SignIn("ada", kPassword, "read write");
  const flow::IssuedTokens answer =
      ValueOf(house_.TryRefresh(scoped.refresh_token, "read"));
  // Another token with another scope would be a second token.
  ExpectSame(house_.Refresh(scoped.refresh_token), answer);
}

TEST_F(RefreshRetry, GivesAFreshAccessTokenOnceTheFirstHasExpired) {
  const flow::IssuedTokens answer =
      ValueOf(house_.TryRefresh(first_.refresh_token, "", kRequestId));
  house_.clock.Advance(absl::Minutes(15) - absl::Seconds(1));
  ExpectSame(ValueOf(house_.TryRefresh(first_.refresh_token, "", kRequestId)),
             answer);
  house_.clock.Advance(absl::Seconds(1));
  const flow::IssuedTokens fresh =
      ValueOf(house_.TryRefresh(first_.refresh_token, "", kRequestId));
  EXPECT_EQ(fresh.refresh_token, answer.refresh_token);
  EXPECT_NE(house_.Claims(fresh.access_token).token_id,
            house_.Claims(answer.access_token).token_id);
  EXPECT_EQ(house_.Verdict(fresh.access_token), "");
  EXPECT_EQ(house_.Verdict(answer.access_token), "TOKEN_EXPIRED");
  // And that one is then the one that retries give.
  ExpectSame(ValueOf(house_.TryRefresh(first_.refresh_token, "", kRequestId)),
             fresh);
}

TEST_F(RefreshRetry, RevokedAccessTokenStaysRevokedWhenItIsGivenAgain) {
  const flow::IssuedTokens answer = house_.Refresh(first_.refresh_token);
  ASSERT_OK(house_->revoke.Token(House::Anyone(), answer.access_token, ""));
  const flow::IssuedTokens again = house_.Refresh(first_.refresh_token);
  EXPECT_EQ(house_.Verdict(again.access_token), "TOKEN_REVOKED");
}

TEST_F(RefreshRetry, TokensOfARetryTellTheRolesOfNow) {
  const std::string id = house_.Claims(first_.access_token).subject;
  ASSERT_OK(house_->accounts.GrantRole(House::Operator(), id, "editor"));
  const flow::IssuedTokens answer = house_.Refresh(first_.refresh_token);
  ASSERT_OK(house_->accounts.RevokeRole(House::Operator(), id, "editor"));
  EXPECT_EQ(house_.Verdict(answer.access_token), "TOKEN_REVOKED");
  const flow::IssuedTokens again = house_.Refresh(first_.refresh_token);
  EXPECT_EQ(house_.Verdict(again.access_token), "");
  EXPECT_THAT(house_.Claims(again.access_token).roles, IsEmpty());
}

// --- Three generations in a row that were reached by a retry.

TEST_F(RefreshRetry, ThreeGenerationsInARowAreAudited) {
  const std::size_t audited = house_.Audit().size();
  flow::IssuedTokens tokens = first_;
  for (int generation = 1; generation <= 2; ++generation) {
    house_.Refresh(tokens.refresh_token);
    tokens = house_.Refresh(tokens.refresh_token);
  }
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
  house_.Refresh(tokens.refresh_token);
  tokens = house_.Refresh(tokens.refresh_token);
  ASSERT_THAT(house_.Audit(), SizeIs(audited + 1));
  EXPECT_EQ(house_.LastAudit().outcome, "retried_suspiciously");
  // Noticed, not punished: a bad network looks the same.
  EXPECT_OK(house_.TryRefresh(tokens.refresh_token));
}

TEST_F(RefreshRetry, ManyRetriesOfOneGenerationAreOneBadNetwork) {
  const std::size_t audited = house_.Audit().size();
  house_.Refresh(first_.refresh_token);
  for (int i = 0; i < 9; ++i) house_.Refresh(first_.refresh_token);
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
}

TEST_F(RefreshRetry, GenerationWithoutARetryBreaksTheRow) {
  const std::size_t audited = house_.Audit().size();
  flow::IssuedTokens tokens = first_;
  for (const bool retried : {true, true, false, true, true}) {
    const std::string presented = tokens.refresh_token;
    tokens = house_.Refresh(presented);
    if (retried) tokens = house_.Refresh(presented);
  }
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
}

// --- Networks that take turns (session/networks_test.cc has the rule).

TEST_F(RefreshRetry, NetworksThatTakeTurnsAreAudited) {
  const std::size_t audited = house_.Audit().size();
  flow::IssuedTokens tokens = first_;
  for (const char* address : {kHome, kElsewhere, kHome, kElsewhere}) {
    tokens = RefreshFrom(address, tokens);
  }
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
  tokens = RefreshFrom(kHome, tokens);
  ASSERT_THAT(house_.Audit(), SizeIs(audited + 1));
  EXPECT_EQ(house_.LastAudit().outcome, "networks_alternate");
  EXPECT_EQ(house_.LastAudit().address, kHome);
  EXPECT_EQ(house_.LastAudit().session_id, first_.session_id.ToString());
  // Noticed, not punished: who commutes looks the same.
  EXPECT_OK(house_.TryRefresh(tokens.refresh_token));
}

TEST_F(RefreshRetry, AThiefInStepFromElsewhereIsAudited) {
  const std::size_t audited = house_.Audit().size();
  flow::IssuedTokens tokens = first_;
  for (int generation = 1; generation <= 2; ++generation) {
    const flow::IssuedTokens presented = tokens;
    tokens = RefreshFrom(kHome, presented);
    ExpectSame(RefreshFrom(kElsewhere, presented), tokens);
  }
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
  RefreshFrom(kHome, tokens);
  ASSERT_THAT(house_.Audit(), SizeIs(audited + 1));
  EXPECT_EQ(house_.LastAudit().outcome, "networks_alternate");
}

TEST_F(RefreshRetry, OneHouseholdIsOneNetwork) {
  const std::size_t audited = house_.Audit().size();
  flow::IssuedTokens tokens = first_;
  for (int i = 0; i < 12; ++i) {
    tokens = RefreshFrom(absl::StrCat("2001:db8::", i % 2 + 1), tokens);
  }
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
}

// --- request_id.

TEST_F(RefreshRetry, SameRequestIdIsHonouredForADay) {
  const flow::IssuedTokens answer =
      ValueOf(house_.TryRefresh(first_.refresh_token, "", kRequestId));
  house_.clock.Advance(absl::Hours(24) - absl::Nanoseconds(1000));
  const flow::IssuedTokens again =
      ValueOf(house_.TryRefresh(first_.refresh_token, "", kRequestId));
  EXPECT_EQ(again.refresh_token, answer.refresh_token);
  house_.clock.Advance(absl::Nanoseconds(1000));
  EXPECT_EQ(
      ReasonOf(
          house_.TryRefresh(first_.refresh_token, "", kRequestId).status()),
      Reason::kRefreshRejected);
  EXPECT_TRUE(house_.Session(first_.session_id).revoked());
}

TEST_F(RefreshRetry, SameRequestIdIsOverOnceTheSuccessorIsPresented) {
  const flow::IssuedTokens answer =
      ValueOf(house_.TryRefresh(first_.refresh_token, "", kRequestId));
  house_.Refresh(answer.refresh_token);
  EXPECT_FALSE(house_.TryRefresh(first_.refresh_token, "", kRequestId).ok());
  EXPECT_TRUE(house_.Session(first_.session_id).revoked());
}

TEST_F(RefreshRetry, OtherRequestIdInsideTheWindowAbortsWithoutAStateChange) {
  ASSERT_OK(house_.TryRefresh(first_.refresh_token, "", kRequestId));
  const storage::SessionRow before = house_.Session(first_.session_id);
  for (const std::string& id : {std::string(kOtherRequestId), std::string()}) {
    const absl::Status status =
        house_.TryRefresh(first_.refresh_token, "", id).status();
    EXPECT_EQ(ReasonOf(status), Reason::kRefreshInProgress);
    EXPECT_THAT(status, HasCode(absl::StatusCode::kAborted));
  }
  EXPECT_EQ(house_.Session(first_.session_id), before);
  EXPECT_THAT(house_.Ledger(), IsEmpty());
}

TEST_F(RefreshRetry, OtherRequestIdAfterTheWindowIsTheft) {
  ASSERT_OK(house_.TryRefresh(first_.refresh_token, "", kRequestId));
  house_.clock.Advance(absl::Seconds(10));
  EXPECT_EQ(
      ReasonOf(house_.TryRefresh(first_.refresh_token, "", kOtherRequestId)
                   .status()),
      Reason::kRefreshRejected);
  EXPECT_TRUE(house_.Session(first_.session_id).revoked());
}

TEST_F(RefreshRetry, RequestIdMustBe16To128PrintableCharacters) {
  const storage::SessionRow before = house_.Session(first_.session_id);
  for (const std::string& id :
       {std::string(15, 'a'), std::string(129, 'a'),
        std::string("a b c d e f g h i"), std::string(16, '\n'),
        std::string(16, '\xff')}) {
    EXPECT_EQ(
        ReasonOf(house_.TryRefresh(first_.refresh_token, "", id).status()),
        Reason::kArgumentInvalid);
  }
  EXPECT_EQ(house_.Session(first_.session_id), before);
  EXPECT_OK(house_.TryRefresh(first_.refresh_token, "", std::string(128, 'a')));
}

TEST_F(RefreshRetry, RequestIdIsNotKeptAsItCame) {
  ASSERT_OK(house_.TryRefresh(first_.refresh_token, "", kRequestId));
  const storage::SessionRow row = house_.Session(first_.session_id);
  EXPECT_FALSE(row.request_id_hash.empty());
  EXPECT_EQ(row.request_id_hash.find(kRequestId), std::string::npos);
}

}  // namespace
}  // namespace ostiary::testing
