#include "client/revocation/revision.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/account/events.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

// For every call that ends or narrows access: the ledger row is there, in the
// same commit as its cause, and in force when the call returns (design.md 4).
namespace ostiary::testing {
namespace {

using storage::LedgerKind;
using storage::LedgerRow;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Ledger : public ::testing::Test {
 protected:
  Ledger() {
    account_ = house_.SignUp("ada");
    EXPECT_OK(
        house_->accounts.GrantRole(operator_, account_.ToString(), "editor"));
    EXPECT_THAT(house_.Ledger(), IsEmpty());  // a grant ends nothing
    tokens_ = house_.SignIn("ada");
  }
  std::string id() const { return account_.ToString(); }

  // One row, which the ticket names and which refuses the access token now.
  LedgerRow ExpectOneRow(const std::string& ticket) {
    EXPECT_EQ(house_.Verdict(tokens_.access_token), "TOKEN_REVOKED");
    EXPECT_OK(house_->verify.CheckRevision(ticket));
    const std::vector<LedgerRow> rows = house_.Ledger();
    EXPECT_THAT(rows, SizeIs(1));
    if (rows.size() != 1) return {};
    const auto revision = revocation::ParseRevision(ticket);
    EXPECT_TRUE(revision.has_value()) << ticket;
    if (revision.has_value()) {
      EXPECT_EQ(revision->sequence, rows[0].sequence);
      EXPECT_EQ(revision->epoch, house_.Head().epoch);
    }
    EXPECT_EQ(rows[0].commit_time, house_.clock.Now());
    return rows[0];
  }
  void ExpectAccountRow(const std::string& ticket) {
    const LedgerRow row = ExpectOneRow(ticket);
    EXPECT_EQ(row.kind, LedgerKind::kAccount);
    EXPECT_EQ(row.key, id());
    EXPECT_EQ(row.min_generation,
              account::TokenGeneration(house_.Head().epoch, 2));
    EXPECT_EQ(row.expire_time, house_.clock.Now() + absl::Minutes(20));
  }
  void ExpectSessionRow(const std::string& ticket) {
    const LedgerRow row = ExpectOneRow(ticket);
    EXPECT_EQ(row.kind, LedgerKind::kSession);
    EXPECT_EQ(row.key, tokens_.session_id.ToString());
    EXPECT_EQ(row.expire_time, house_.clock.Now() + absl::Minutes(20));
  }

  House house_;
  const flow::Caller operator_ = House::Operator();
  AccountId account_;
  flow::IssuedTokens tokens_;
};

TEST_F(Ledger, RevokeRole) {
  const auto changed =
      ValueOf(house_->accounts.RevokeRole(operator_, id(), "editor"));
  ExpectAccountRow(changed.revision);
}

TEST_F(Ledger, ChangePassword) {
  ExpectAccountRow(
      ValueOf(house_.ChangePassword(tokens_, kPassword, kNewPassword)));
}

TEST_F(Ledger, SetPassword) {
  const auto changed = ValueOf(house_->accounts.SetPassword(
      operator_, id(), SecretBytes(std::string(kNewPassword))));
  ExpectAccountRow(changed.revision);
}

TEST_F(Ledger, DisableAccount) {
  ExpectAccountRow(
      ValueOf(house_->accounts.Disable(operator_, id(), "left")).revision);
  EXPECT_EQ(house_.Ledger()[0].reason, "left");
}

TEST_F(Ledger, DeleteAccount) {
  ExpectAccountRow(
      ValueOf(house_->accounts.Delete(operator_, id(), "asked")).revision);
  EXPECT_FALSE(house_.Account(account_).has_value());
}

TEST_F(Ledger, RevokeAllSessions) {
  ExpectAccountRow(
      ValueOf(house_->manage_sessions.RevokeAll(operator_, id(), "")));
}

TEST_F(Ledger, RevokeSession) {
  ExpectSessionRow(ValueOf(house_->manage_sessions.Revoke(
      operator_, tokens_.session_id.ToString(), "")));
}

TEST_F(Ledger, SignOut) {
  ExpectSessionRow(
      ValueOf(house_->sign_out.Run(House::Anyone(), tokens_.refresh_token)));
}

TEST_F(Ledger, ReuseDetectedByRefresh) {
  house_.Refresh(house_.Refresh(tokens_.refresh_token).refresh_token);
  EXPECT_FALSE(house_.TryRefresh(tokens_.refresh_token).ok());
  ExpectSessionRow(revocation::FormatRevision({house_.Head().epoch, 1}));
}

TEST_F(Ledger, RevokeToken) {
  const LedgerRow row = ExpectOneRow(ValueOf(
      house_->revoke.Token(House::Anyone(), tokens_.access_token, "lost")));
  EXPECT_EQ(row.kind, LedgerKind::kToken);
  const jwt::Claims claims = house_.Claims(tokens_.access_token);
  EXPECT_EQ(row.key, claims.token_id);
  EXPECT_EQ(row.expire_time, claims.expire_time + absl::Minutes(5));
}

TEST_F(Ledger, RevokeClient) {
  const LedgerRow row = ExpectOneRow(
      ValueOf(house_->revoke.Client(operator_, "cli_default", "")));
  EXPECT_EQ(row.kind, LedgerKind::kClient);
  EXPECT_EQ(row.key, "cli_default");
  EXPECT_EQ(row.issued_before, house_.clock.Now() + absl::Seconds(5));
}

TEST_F(Ledger, RevokeSigningKey) {
  const std::string key_id = house_->keys->Snapshot()->active().key_id();
  const auto revoked = ValueOf(house_->keys->Revoke(key_id, "stolen", {}));
  const auto rows = house_.Ledger();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].kind, LedgerKind::kKey);
  EXPECT_EQ(rows[0].key, key_id);
  EXPECT_EQ(rows[0].sequence, revoked.sequence);
  EXPECT_EQ(rows[0].expire_time, absl::InfiniteFuture());
  EXPECT_NE(house_.Verdict(tokens_.access_token), "");
}

TEST_F(Ledger, EvictionByTheCapOfSessions) {
  House house({.max_sessions = 1});
  house.SignUp("ada");
  const flow::IssuedTokens oldest = house.SignIn("ada");
  house.SignIn("ada");
  const auto rows = house.Ledger();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].kind, LedgerKind::kSession);
  EXPECT_EQ(rows[0].key, oldest.session_id.ToString());
  EXPECT_EQ(house.Verdict(oldest.access_token), "TOKEN_REVOKED");
}

// --- And what ends nothing writes none.

TEST_F(Ledger, WhatEndsNothingWritesNoRow) {
  ASSERT_OK(house_->accounts.GrantRole(operator_, id(), "viewer"));
  flow::ProfileChange change;
  change.display_name = "Ada";
  ASSERT_OK(house_->accounts.Update(operator_, id(), change));
  ASSERT_OK(house_->accounts.Enable(operator_, id()));
  ASSERT_OK(house_->accounts.RevokeRole(operator_, id(), "never-had"));
  ASSERT_OK(house_.TryRefresh(tokens_.refresh_token));
  EXPECT_FALSE(house_.ChangePassword(tokens_, "wrong", kNewPassword).ok());
  EXPECT_FALSE(house_.TrySignIn("ada", "wrong").ok());
  EXPECT_THAT(house_.Ledger(), IsEmpty());
  EXPECT_EQ(house_.Verdict(tokens_.access_token), "");
}

TEST_F(Ledger, SequenceHasNoGapOverEverything) {
  ASSERT_OK(house_->accounts.RevokeRole(operator_, id(), "editor"));
  ASSERT_OK(house_->manage_sessions.RevokeAll(operator_, id(), ""));
  EXPECT_FALSE(house_->manage_sessions.Revoke(operator_, "sess_x", "").ok());
  ASSERT_OK(house_->accounts.Disable(operator_, id(), ""));
  ASSERT_OK(house_->accounts.Delete(operator_, id(), ""));
  const auto rows = house_.Ledger();
  ASSERT_THAT(rows, SizeIs(4));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].sequence, static_cast<std::int64_t>(i + 1));
  }
  // Each of an account's rows outranks the one before.
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_GT(rows[i].min_generation, rows[i - 1].min_generation);
  }
}

}  // namespace
}  // namespace ostiary::testing
