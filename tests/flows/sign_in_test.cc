#include "server/flow/sign_in.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/password/hasher.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SignIn : public ::testing::Test {
 protected:
  SignIn() { account_ = house_.SignUp("ada"); }

  // A hash of kPassword with less work than the house asks for.
  std::string OldHash() {
    const password::Hasher old({1024, 1}, house_->random);
    return ValueOf(old.Hash(password::PresentedPassword::From(kPassword)))
        .text();
  }
  void StoreHash(const std::string& hash) {
    ASSERT_OK(house_.Write([&](storage::WriteTx& tx) -> absl::Status {
      auto row = tx.accounts().Find(account_.bytes());
      if (!row.ok()) return row.status();
      (*row)->password_hash = hash;
      return tx.accounts().Update(**row);
    }));
  }
  std::string StoredHash() { return house_.Account(account_)->password_hash; }

  House house_;
  AccountId account_;
};

TEST_F(SignIn, OpensASessionAndSaysWhatWasGranted) {
  const flow::IssuedTokens tokens = house_.SignIn("ADA", kPassword, "read");
  EXPECT_EQ(tokens.scope, "read");
  EXPECT_LE(tokens.expires_in, absl::Minutes(15));
  EXPECT_GT(tokens.expires_in, absl::Minutes(14));
  const jwt::Claims claims = house_.Claims(tokens.access_token);
  EXPECT_EQ(claims.issuer, kIssuer);
  EXPECT_EQ(claims.subject, account_.ToString());
  EXPECT_THAT(claims.audiences, ::testing::ElementsAre("api"));
  EXPECT_EQ(claims.client_id, "cli_default");
  EXPECT_EQ(claims.session_id, tokens.session_id.ToString());
  EXPECT_THAT(claims.amr, ::testing::ElementsAre("pwd"));
  EXPECT_EQ(claims.generation, (std::uint64_t{1} << 32) + 1);
  const storage::SessionRow row = house_.Session(tokens.session_id);
  EXPECT_EQ(row.address, "192.0.2.7");
  EXPECT_EQ(row.user_agent, "test/1");
  EXPECT_EQ(row.opened_generation, 1u);
}

TEST_F(SignIn, TokensUnderOneKilobyte) {
  EXPECT_LT(house_.SignIn("ada").access_token.size(), 1024u);
}

// --- Equal work (protocol.md 7).

struct Failure {
  std::string identifier;
  std::string password;
  std::string truth;
};

TEST_F(SignIn, EveryFailureIsOneAnswerOneTurnOneCommitAndOneAuditRow) {
  const AccountId disabled = house_.SignUp("bob");
  ASSERT_OK(
      house_->accounts.Disable(House::Operator(), disabled.ToString(), ""));
  flow::AccountDraft carl;
  carl.username = "carl";
  ASSERT_OK(house_->accounts.Create(House::Operator(), carl, std::nullopt));
  const std::vector<Failure> failures = {
      {"nobody", kPassword, "unknown_identifier"},
      {"no@body.example", kPassword, "unknown_identifier"},
      {"not a name", kPassword, "unknown_identifier"},
      {std::string(300, 'x'), kPassword, "unknown_identifier"},
      {"\xff\xfe", kPassword, "unknown_identifier"},
      {"ada", "wrong", "wrong_password"},
      {"ada", std::string(2000, 'x'), "wrong_password"},
      {"bob", kPassword, "disabled"},
      {"bob", "wrong", "wrong_password"},
      {"carl", kPassword, "no_password"},
  };
  std::set<std::size_t> memory;
  for (const Failure& failure : failures) {
    const int turns = house_->lane.turns();
    const std::size_t audited = house_.Audit().size();
    const absl::Status status =
        house_.TrySignIn(failure.identifier, failure.password).status();
    EXPECT_EQ(status, Refuse(Reason::kCredentialsRejected));
    EXPECT_EQ(house_->lane.turns(), turns + 1) << failure.truth;
    memory.insert(house_->lane.last_memory());
    ASSERT_THAT(house_.Audit(), SizeIs(audited + 1));
    const storage::AuditRow row = house_.LastAudit();
    EXPECT_EQ(row.action, "session.sign_in");
    EXPECT_EQ(row.outcome, failure.truth);
    EXPECT_EQ(row.client_id, "cli_default");
    EXPECT_EQ(row.address, "192.0.2.7");
    EXPECT_THAT(row.detail, HasSubstr("identifier_hash"));
    EXPECT_EQ(row.session_id, "");
  }
  EXPECT_THAT(memory, SizeIs(1));
  EXPECT_THAT(house_.Ledger(), SizeIs(1));  // that bob was disabled
}

TEST_F(SignIn, AuditKeepsTheIdentifierOnlyAsAKeyedHash) {
  EXPECT_FALSE(house_.TrySignIn("my-secret-password", "x").ok());
  const storage::AuditRow row = house_.LastAudit();
  EXPECT_THAT(row.detail, Not(HasSubstr("secret")));
  EXPECT_FALSE(house_.TrySignIn("MY-secret-password", "x").ok());
  EXPECT_EQ(house_.LastAudit().detail, row.detail);  // the same, normalised
  EXPECT_FALSE(house_.TrySignIn("another", "x").ok());
  EXPECT_NE(house_.LastAudit().detail, row.detail);
}

TEST_F(SignIn, RightAndWrongPasswordTakeTheSameTurnsInTheLane) {
  int turns = house_->lane.turns();
  house_.SignIn("ada");
  EXPECT_EQ(house_->lane.turns(), turns + 1);
}

// --- What may be asked for.

TEST_F(SignIn, WhatIsNotGrantedIsRefusedBeforeAnyHash) {
  const int turns = house_->lane.turns();
  EXPECT_EQ(ReasonOf(house_.TrySignIn("ada", kPassword, "admin").status()),
            Reason::kScopeNotAllowed);
  EXPECT_EQ(
      ReasonOf(house_.TrySignIn("ada", kPassword, "", "elsewhere").status()),
      Reason::kAudienceNotAllowed);
  const auto unknown = house_->sign_in.WithPassword(
      House::Anyone(),
      {"ada", SecretBytes(std::string(kPassword)), "", "", "cli_stranger"});
  EXPECT_EQ(ReasonOf(unknown.status()), Reason::kClientUnknown);
  EXPECT_EQ(house_->lane.turns(), turns);
}

TEST_F(SignIn, AudienceAskedForIsTheTokensAudience) {
  const auto tokens = ValueOf(house_.TrySignIn("ada", kPassword, "", kIssuer));
  EXPECT_EQ(house_.Verdict(tokens.access_token, kIssuer), "");
  EXPECT_EQ(house_.Verdict(tokens.access_token, "api"), "AUDIENCE_MISMATCH");
}

// --- Upgrades.

TEST_F(SignIn, OldHashIsVerifiedAndUpgraded) {
  const std::string old = OldHash();
  StoreHash(old);
  const storage::AccountRow before = *house_.Account(account_);
  house_.SignIn("ada");
  const storage::AccountRow after = *house_.Account(account_);
  EXPECT_THAT(after.password_hash, HasSubstr("m=1024,t=2"));
  // An upgrade is no new credential and ends nothing.
  EXPECT_EQ(after.credential_version, before.credential_version);
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_EQ(after.session_floor, before.session_floor);
  const std::string upgraded = after.password_hash;
  house_.SignIn("ada");
  EXPECT_EQ(StoredHash(), upgraded);
}

TEST_F(SignIn, WrongPasswordUpgradesNothing) {
  const std::string old = OldHash();
  StoreHash(old);
  EXPECT_FALSE(house_.TrySignIn("ada", "wrong").ok());
  EXPECT_EQ(StoredHash(), old);
}

TEST_F(SignIn, UpgradeIsWrittenOnlyOverTheHashThatWasVerified) {
  StoreHash(OldHash());
  // While ours is upgraded, another sign-in upgrades it first.
  const std::string theirs = OldHash();
  house_->lane.AfterNext([&] { StoreHash(theirs); });
  house_.SignIn("ada");
  EXPECT_EQ(StoredHash(), theirs);
}

TEST_F(SignIn, UpgradeIsNotWrittenOverANewPassword) {
  StoreHash(OldHash());
  house_->lane.AfterNext([&] {
    ASSERT_OK(
        house_->accounts.SetPassword(House::Operator(), account_.ToString(),
                                     SecretBytes(std::string(kNewPassword))));
  });
  EXPECT_EQ(ReasonOf(house_.TrySignIn("ada").status()),
            Reason::kCredentialsRejected);
  EXPECT_OK(house_.TrySignIn("ada", kNewPassword));
}

// --- Races between the hash and the commit.

TEST_F(SignIn, PasswordChangedMeanwhileIsRejected) {
  house_->lane.AfterNext([&] {
    ASSERT_OK(
        house_->accounts.SetPassword(House::Operator(), account_.ToString(),
                                     SecretBytes(std::string(kNewPassword))));
  });
  EXPECT_EQ(house_.TrySignIn("ada").status(),
            Refuse(Reason::kCredentialsRejected));
  EXPECT_EQ(house_.LastAudit().outcome, "changed_meanwhile");
}

TEST_F(SignIn, AccountDisabledMeanwhileIsRejected) {
  house_->lane.AfterNext([&] {
    ASSERT_OK(
        house_->accounts.Disable(House::Operator(), account_.ToString(), ""));
  });
  EXPECT_EQ(house_.TrySignIn("ada").status(),
            Refuse(Reason::kCredentialsRejected));
}

TEST_F(SignIn, AccountDeletedMeanwhileIsRejected) {
  house_->lane.AfterNext([&] {
    ASSERT_OK(
        house_->accounts.Delete(House::Operator(), account_.ToString(), ""));
  });
  EXPECT_EQ(house_.TrySignIn("ada").status(),
            Refuse(Reason::kCredentialsRejected));
}

TEST_F(SignIn, RoleTakenMeanwhileIsNotInTheToken) {
  ASSERT_OK(house_->accounts.GrantRole(House::Operator(), account_.ToString(),
                                       "editor"));
  house_->lane.AfterNext([&] {
    ASSERT_OK(house_->accounts.RevokeRole(House::Operator(),
                                          account_.ToString(), "editor"));
  });
  const flow::IssuedTokens tokens = house_.SignIn("ada");
  EXPECT_THAT(house_.Claims(tokens.access_token).roles, IsEmpty());
  EXPECT_EQ(house_.Verdict(tokens.access_token), "");
}

TEST_F(SignIn, SignedOutEverywhereMeanwhileDoesNotLeaveADeadSession) {
  house_->lane.AfterNext([&] {
    ASSERT_OK(house_->manage_sessions.RevokeAll(House::Operator(),
                                                account_.ToString(), ""));
  });
  const flow::IssuedTokens tokens = house_.SignIn("ada");
  EXPECT_EQ(house_.Verdict(tokens.access_token), "");
  EXPECT_OK(house_.TryRefresh(tokens.refresh_token));
}

// --- The limiter.

TEST_F(SignIn, LimiterRefusesBeforeTheHashAndSaysWhen) {
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(house_.TrySignIn("ada", "x").ok());
  const int turns = house_->lane.turns();
  const absl::Status status = house_.TrySignIn("ada").status();
  EXPECT_EQ(ReasonOf(status), Reason::kRateLimited);
  EXPECT_GT(RetryAfterOf(status), absl::ZeroDuration());
  EXPECT_EQ(house_->lane.turns(), turns);
  house_.clock.Advance(RetryAfterOf(status) + absl::Milliseconds(1));
  EXPECT_OK(house_.TrySignIn("ada"));
}

TEST_F(SignIn, LimiterTreatsAnIdentifierThatDoesNotExistAlike) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ReasonOf(house_.TrySignIn("nobody", "x").status()),
              Reason::kCredentialsRejected);
  }
  EXPECT_EQ(ReasonOf(house_.TrySignIn("nobody", "x").status()),
            Reason::kRateLimited);
}

TEST_F(SignIn, SuccessesAreNotCountedAgainstAnybody) {
  for (int i = 0; i < 30; ++i) house_.SignIn("ada");
}

TEST_F(SignIn, TurnTheLaneRefusedIsNoAttempt) {
  house_->lane.Refuse(RefuseUntil(Reason::kOverloaded, absl::Seconds(1)));
  const std::size_t audited = house_.Audit().size();
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(ReasonOf(house_.TrySignIn("ada", "x").status()),
              Reason::kOverloaded);
  }
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
  house_->lane.Refuse(absl::OkStatus());
  EXPECT_OK(house_.TrySignIn("ada"));
}

}  // namespace
}  // namespace ostiary::testing
