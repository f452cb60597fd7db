#include <filesystem>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using ::testing::SizeIs;

class Restart : public ::testing::Test {
 protected:
  Restart() {
    account_ = house_.SignUp("ada");
    tokens_ = house_.SignIn("ada");
  }
  std::string VerdictAfterRestart() {
    EXPECT_EQ(house_.Verdict(tokens_.access_token), "TOKEN_REVOKED");
    const auto applied = house_->aftermath->revocations.applied();
    house_.Restart();
    EXPECT_EQ(house_->aftermath->revocations.applied(), applied);
    return house_.Verdict(tokens_.access_token);
  }

  House house_;
  AccountId account_;
  flow::IssuedTokens tokens_;
};

TEST_F(Restart, TokensSessionsAndAccountsGoOn) {
  house_.Restart(absl::Minutes(1));
  EXPECT_EQ(house_.Verdict(tokens_.access_token), "");
  const flow::IssuedTokens next = house_.Refresh(tokens_.refresh_token);
  EXPECT_EQ(house_.Verdict(next.access_token), "");
  EXPECT_OK(house_.TrySignIn("ada"));
}

// Whatever was acknowledged is in force after a restart.

TEST_F(Restart, RevokedTokenStaysRevoked) {
  ASSERT_OK(house_->revoke.Token(House::Anyone(), tokens_.access_token, ""));
  EXPECT_EQ(VerdictAfterRestart(), "TOKEN_REVOKED");
}

TEST_F(Restart, EndedSessionStaysEnded) {
  ASSERT_OK(house_->sign_out.Run(House::Anyone(), tokens_.refresh_token));
  EXPECT_EQ(VerdictAfterRestart(), "TOKEN_REVOKED");
  EXPECT_FALSE(house_.TryRefresh(tokens_.refresh_token).ok());
}

TEST_F(Restart, DisabledAccountStaysOut) {
  ASSERT_OK(
      house_->accounts.Disable(House::Operator(), account_.ToString(), ""));
  EXPECT_EQ(VerdictAfterRestart(), "TOKEN_REVOKED");
  EXPECT_FALSE(house_.TrySignIn("ada").ok());
}

TEST_F(Restart, RevokedClientStaysRevokedAndPaused) {
  ASSERT_OK(house_->revoke.Client(House::Operator(), "cli_default", ""));
  EXPECT_EQ(VerdictAfterRestart(), "TOKEN_REVOKED");
  EXPECT_EQ(ReasonOf(house_.TrySignIn("ada").status()), Reason::kOverloaded);
}

TEST_F(Restart, RevokedKeyStaysRevoked) {
  const std::string kid = house_->keys->Snapshot()->active().key_id();
  ASSERT_OK(house_->keys->Revoke(kid, "", {}));
  house_.Restart();
  EXPECT_EQ(house_.Verdict(tokens_.access_token), "KEY_UNKNOWN");
}

TEST_F(Restart, TheftStaysDetected) {
  house_.Refresh(house_.Refresh(tokens_.refresh_token).refresh_token);
  EXPECT_FALSE(house_.TryRefresh(tokens_.refresh_token).ok());
  EXPECT_EQ(VerdictAfterRestart(), "TOKEN_REVOKED");
}

// --- A crash between commit and answer must not look like theft.

TEST_F(Restart, RetryGivesTheSameSuccessorAfterARestart) {
  const flow::IssuedTokens answer = house_.Refresh(tokens_.refresh_token);
  house_.Restart();
  const flow::IssuedTokens again = house_.Refresh(tokens_.refresh_token);
  EXPECT_EQ(again.refresh_token, answer.refresh_token);
  EXPECT_EQ(house_.Claims(again.access_token),
            house_.Claims(answer.access_token));
}

TEST_F(Restart, RetryWindowDoesNotRunWhileTheServerIsDown) {
  const flow::IssuedTokens answer = house_.Refresh(tokens_.refresh_token);
  house_.clock.Advance(absl::Seconds(4));
  house_.Restart(absl::Hours(1));
  house_.clock.Advance(absl::Seconds(6) - absl::Microseconds(1));
  EXPECT_EQ(house_.Refresh(tokens_.refresh_token).refresh_token,
            answer.refresh_token);
  house_.clock.Advance(absl::Microseconds(1));
  EXPECT_EQ(ReasonOf(house_.TryRefresh(tokens_.refresh_token).status()),
            Reason::kRefreshRejected);
  EXPECT_TRUE(house_.Session(tokens_.session_id).revoked());
}

TEST_F(Restart, LifetimesRunWhileTheServerIsDown) {
  house_.Restart(absl::Hours(24 * 14));
  EXPECT_EQ(house_.Verdict(tokens_.access_token), "TOKEN_EXPIRED");
  EXPECT_FALSE(house_.TryRefresh(tokens_.refresh_token).ok());
  EXPECT_EQ(house_.LastAudit().outcome, "idle_expired");
}

TEST_F(Restart, RetryWindowDoesNotRunWhileACommitStalls) {
  const flow::IssuedTokens answer = house_.Refresh(tokens_.refresh_token);
  const absl::Time began = house_.clock.Now();
  house_.clock.Advance(absl::Seconds(30));
  // As the store's listener reports a commit that took 30 s.
  house_->aftermath->serving_time.AddPause(began, house_.clock.Now());
  EXPECT_EQ(house_.Refresh(tokens_.refresh_token).refresh_token,
            answer.refresh_token);
}

// --- No password or token text at rest (design.md 10).

std::string BytesUnder(const std::string& dir) {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    all += bytes.str();
  }
  return all;
}

TEST_F(Restart, NoFileHoldsAPasswordOrAToken) {
  std::vector<std::string> secrets = {kPassword, kNewPassword,
                                      "4f1c0d62a7b14e0b-request",
                                      "typed-into-the-wrong-field"};
  const auto keep = [&](const flow::IssuedTokens& tokens) {
    secrets.push_back(tokens.access_token);
    // Neither the whole text nor the tag at its end.
    secrets.push_back(tokens.refresh_token);
    secrets.push_back(tokens.refresh_token.substr(40));
    const std::size_t dot = tokens.access_token.rfind('.');
    secrets.push_back(tokens.access_token.substr(dot + 1));
  };
  keep(tokens_);
  const flow::IssuedTokens next = ValueOf(
      house_.TryRefresh(tokens_.refresh_token, "", "4f1c0d62a7b14e0b-request"));
  keep(next);
  EXPECT_FALSE(house_.TrySignIn("typed-into-the-wrong-field", "x").ok());
  EXPECT_FALSE(house_.TrySignIn("ada", kNewPassword).ok());
  ASSERT_OK(house_.ChangePassword(next, kPassword, kNewPassword));
  ASSERT_OK(house_->revoke.Token(House::Anyone(), next.access_token, ""));
  ASSERT_OK(house_->sign_out.Run(House::Anyone(), next.refresh_token));

  // While it runs, with the write-ahead log, and once it is closed.
  std::string bytes = BytesUnder(house_.dir.path());
  house_.Restart();
  bytes += BytesUnder(house_.dir.path());
  // The search can find something at all.
  EXPECT_NE(bytes.find("session.sign_in"), std::string::npos);
  EXPECT_NE(bytes.find("$argon2id$"), std::string::npos);
  for (const std::string& secret : secrets) {
    EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
  }
}

TEST_F(Restart, DatabaseThiefCannotForgeARefreshToken) {
  // All of the row but without the server's key: the tag is another.
  const storage::SessionRow row = house_.Session(tokens_.session_id);
  const SecretBytes guess(std::string(32, '\0'));
  const std::string forged =
      session::SessionSecrets(guess, row).RefreshToken(row.generation);
  EXPECT_EQ(ReasonOf(house_.TryRefresh(forged).status()),
            Reason::kRefreshRejected);
  EXPECT_FALSE(house_.Session(tokens_.session_id).revoked());
}

TEST_F(Restart, SessionsStayOneRowHoweverOftenTheyRefresh) {
  flow::IssuedTokens tokens = tokens_;
  for (int i = 0; i < 50; ++i) tokens = house_.Refresh(tokens.refresh_token);
  using Rows = std::vector<storage::SessionRow>;
  EXPECT_THAT(ValueOf(storage::ReadValue<Rows>(
                  *house_->store,
                  [&](storage::ReadTx& tx) {
                    return tx.sessions().ListByAccount(account_.bytes(), 1000);
                  })),
              SizeIs(1));
}

}  // namespace
}  // namespace ostiary::testing
