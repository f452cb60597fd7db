#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

// The rotation table of design.md 3, against the store.
namespace ostiary::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class RefreshTable : public ::testing::Test {
 protected:
  RefreshTable() {
    house_.SignUp("ada");
    first_ = house_.SignIn("ada", kPassword, "read write");
  }

  House house_;
  flow::IssuedTokens first_;
};

TEST_F(RefreshTable, CurrentTokenGivesASuccessorAndANewAccessToken) {
  house_.clock.Advance(absl::Minutes(5));
  const flow::IssuedTokens second = house_.Refresh(first_.refresh_token);
  EXPECT_NE(second.refresh_token, first_.refresh_token);
  EXPECT_EQ(second.session_id, first_.session_id);
  const jwt::Claims before = house_.Claims(first_.access_token);
  const jwt::Claims after = house_.Claims(second.access_token);
  EXPECT_NE(after.token_id, before.token_id);
  EXPECT_EQ(after.issue_time, before.issue_time + absl::Minutes(5));
  EXPECT_EQ(after.expire_time, after.issue_time + absl::Minutes(15));
  EXPECT_EQ(after.auth_time, before.auth_time);
  EXPECT_EQ(after.session_id, before.session_id);
  EXPECT_EQ(house_.Session(first_.session_id).generation, 2u);
  // The older access token lives until it expires.
  EXPECT_EQ(house_.Verdict(first_.access_token), "");
}

TEST_F(RefreshTable, OrdinaryRotationsLeaveNoLedgerAndNoAuditRows) {
  const std::size_t audited = house_.Audit().size();
  flow::IssuedTokens tokens = first_;
  for (int i = 0; i < 5; ++i) tokens = house_.Refresh(tokens.refresh_token);
  EXPECT_THAT(house_.Ledger(), IsEmpty());
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
}

TEST_F(RefreshTable, OlderTokenIsTheftAndItsConsequencesAreCommitted) {
  const flow::IssuedTokens second = house_.Refresh(first_.refresh_token);
  const flow::IssuedTokens third = house_.Refresh(second.refresh_token);
  EXPECT_EQ(ReasonOf(house_.TryRefresh(first_.refresh_token).status()),
            Reason::kRefreshRejected);
  // Committed although the call failed: session, ledger and audit.
  EXPECT_TRUE(house_.Session(first_.session_id).revoked());
  const auto ledger = house_.Ledger();
  ASSERT_THAT(ledger, SizeIs(1));
  EXPECT_EQ(ledger[0].kind, storage::LedgerKind::kSession);
  EXPECT_EQ(ledger[0].key, first_.session_id.ToString());
  const storage::AuditRow audit = house_.LastAudit();
  EXPECT_EQ(audit.action, "session.refresh");
  EXPECT_EQ(audit.outcome, "reused");
  EXPECT_EQ(audit.session_id, first_.session_id.ToString());
  EXPECT_EQ(audit.detail, R"({"presented_generation":"1","generation":"3"})");
  // Thief and owner are both out, with every token they hold.
  EXPECT_EQ(ReasonOf(house_.TryRefresh(third.refresh_token).status()),
            Reason::kRefreshRejected);
  for (const auto& tokens : {first_, second, third}) {
    EXPECT_EQ(house_.Verdict(tokens.access_token), "TOKEN_REVOKED");
  }
}

TEST_F(RefreshTable, TheftIsNotedOnce) {
  house_.Refresh(house_.Refresh(first_.refresh_token).refresh_token);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(house_.TryRefresh(first_.refresh_token).ok());
  }
  EXPECT_THAT(house_.Ledger(), SizeIs(1));
  EXPECT_EQ(house_.LastAudit().outcome, "revoked");
}

TEST_F(RefreshTable, TheftEndsThatSessionOnly) {
  const flow::IssuedTokens other = house_.SignIn("ada");
  house_.Refresh(house_.Refresh(first_.refresh_token).refresh_token);
  EXPECT_FALSE(house_.TryRefresh(first_.refresh_token).ok());
  EXPECT_EQ(house_.Verdict(other.access_token), "");
  EXPECT_OK(house_.TryRefresh(other.refresh_token));
}

TEST_F(RefreshTable, PredecessorAtTheEndOfTheWindowIsTheft) {
  house_.Refresh(first_.refresh_token);
  house_.clock.Advance(absl::Seconds(10));
  EXPECT_EQ(ReasonOf(house_.TryRefresh(first_.refresh_token).status()),
            Reason::kRefreshRejected);
  EXPECT_TRUE(house_.Session(first_.session_id).revoked());
}

TEST_F(RefreshTable, NewerTokenFastForwardsAStoreThatWentBack) {
  // Two refreshes happen that the store then forgets, as after a restore.
  const storage::SessionRow before = house_.Session(first_.session_id);
  const flow::IssuedTokens second = house_.Refresh(first_.refresh_token);
  const flow::IssuedTokens third = house_.Refresh(second.refresh_token);
  ASSERT_OK(house_.Write([&](storage::WriteTx& tx) -> absl::Status {
    auto updated = tx.sessions().UpdateIf(before, 3);
    if (!updated.ok()) return updated.status();
    return *updated ? absl::OkStatus() : absl::InternalError("not updated");
  }));
  const flow::IssuedTokens fourth = house_.Refresh(third.refresh_token);
  EXPECT_EQ(house_.Session(first_.session_id).generation, 4u);
  EXPECT_EQ(house_.LastAudit().outcome, "state_regression");
  EXPECT_THAT(house_.Ledger(), IsEmpty());
  EXPECT_EQ(house_.Verdict(fourth.access_token), "");
  // The store is right again: what is older is theft again.
  EXPECT_FALSE(house_.TryRefresh(second.refresh_token).ok());
  EXPECT_TRUE(house_.Session(first_.session_id).revoked());
}

// --- Scope.

TEST_F(RefreshTable, ScopeMayBeNarrowedForOneTokenAndComesBack) {
  const flow::IssuedTokens narrow =
      ValueOf(house_.TryRefresh(first_.refresh_token, "read"));
  EXPECT_EQ(narrow.scope, "read");
  EXPECT_THAT(house_.Claims(narrow.access_token).scopes,
              ::testing::ElementsAre("read"));
  const flow::IssuedTokens wide = house_.Refresh(narrow.refresh_token);
  EXPECT_EQ(wide.scope, "read write");
}

TEST_F(RefreshTable, WiderScopeIsRefusedWithoutAStateChange) {
  const storage::SessionRow before = house_.Session(first_.session_id);
  const std::size_t audited = house_.Audit().size();
  for (const char* scope : {"read admin", "admin", "\"read\""}) {
    EXPECT_EQ(ReasonOf(house_.TryRefresh(first_.refresh_token, scope).status()),
              Reason::kScopeNotAllowed)
        << scope;
  }
  EXPECT_EQ(house_.Session(first_.session_id), before);
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
  EXPECT_OK(house_.TryRefresh(first_.refresh_token));
}

TEST_F(RefreshTable, SessionWithoutScopesCannotGainOne) {
  const flow::IssuedTokens bare = house_.SignIn("ada");
  EXPECT_EQ(bare.scope, "");
  EXPECT_EQ(ReasonOf(house_.TryRefresh(bare.refresh_token, "read").status()),
            Reason::kScopeNotAllowed);
}

// --- Truth.

TEST_F(RefreshTable, RefreshedTokenTellsTheRolesOfNow) {
  const std::string id = house_.Claims(first_.access_token).subject;
  ASSERT_OK(house_->accounts.GrantRole(House::Operator(), id, "editor"));
  const flow::IssuedTokens second = house_.Refresh(first_.refresh_token);
  EXPECT_THAT(house_.Claims(second.access_token).roles,
              ::testing::ElementsAre("editor"));
  ASSERT_OK(house_->accounts.RevokeRole(House::Operator(), id, "editor"));
  const flow::IssuedTokens third = house_.Refresh(second.refresh_token);
  EXPECT_THAT(house_.Claims(third.access_token).roles, IsEmpty());
  EXPECT_EQ(house_.Verdict(third.access_token), "");
}

}  // namespace
}  // namespace ostiary::testing
