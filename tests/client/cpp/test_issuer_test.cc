#include "ostiary/test_issuer.h"

#include "gtest/gtest.h"
#include "tests/client/cpp/fake_time.h"
#include "tests/support/status_matchers.h"

namespace ostiary {
namespace {

using ::ostiary::testing::HasCode;

class TestIssuerTest : public ::testing::Test {
 protected:
  std::string Check(const std::string& token) const {
    const Verdict verdict = verifier_->Verify(token);
    return verdict.accepted() ? "ACCEPTED"
                              : std::string(RefusalName(verdict.refusal()));
  }

  client::testing::FakeTime time_;
  TestIssuer issuer_{"https://issuer.test", time_};
  std::unique_ptr<Verifier> verifier_ = issuer_.MakeVerifier();
};

TEST_F(TestIssuerTest, TokenSaysWhatWasAskedFor) {
  const Verdict verdict =
      verifier_->Verify(issuer_.Sign({.subject = "acct_ada",
                                      .scopes = {"read", "write"},
                                      .roles = {"admin"},
                                      .session_id = "sess_9",
                                      .client_id = "web",
                                      .generation = 12,
                                      .lifetime = absl::Minutes(5)}));
  ASSERT_TRUE(verdict.accepted());
  const Claims& claims = verdict.claims();
  EXPECT_EQ(claims.subject, "acct_ada");
  EXPECT_EQ(claims.scopes, (std::vector<std::string>{"read", "write"}));
  EXPECT_EQ(claims.roles, std::vector<std::string>{"admin"});
  EXPECT_EQ(claims.session_id, "sess_9");
  EXPECT_EQ(claims.client_id, "web");
  EXPECT_EQ(claims.generation, 12u);
  EXPECT_EQ(claims.expire_time - claims.issue_time, absl::Minutes(5));
}

TEST_F(TestIssuerTest, EachRevocationEndsItsTokensAndNoOthers) {
  const std::string by_token = issuer_.Sign({.session_id = "s1"});
  const std::string other = issuer_.Sign(
      {.subject = "acct_other", .session_id = "s2", .client_id = "other"});
  ASSERT_OK(issuer_.RevokeToken(by_token));
  EXPECT_EQ(Check(by_token), "TOKEN_REVOKED");
  const std::string by_session = issuer_.Sign({.session_id = "s3"});
  issuer_.RevokeSession("s3");
  EXPECT_EQ(Check(by_session), "TOKEN_REVOKED");
  const std::string by_account = issuer_.Sign({.subject = "acct_ada"});
  issuer_.RevokeAccount("acct_ada");
  EXPECT_EQ(Check(by_account), "TOKEN_REVOKED");
  EXPECT_EQ(Check(issuer_.Sign({.subject = "acct_ada"})), "ACCEPTED");
  const std::string by_client = issuer_.Sign({.client_id = "web"});
  issuer_.RevokeClient("web");
  EXPECT_EQ(Check(by_client), "TOKEN_REVOKED");
  EXPECT_EQ(Check(other), "ACCEPTED");
  issuer_.RevokeKey();
  EXPECT_EQ(Check(other), "TOKEN_REVOKED");
  issuer_.RotateKey();
  EXPECT_EQ(Check(issuer_.Sign()), "ACCEPTED");
}

TEST_F(TestIssuerTest, OldKeysVerifyAfterRotation) {
  const std::string token = issuer_.Sign();
  issuer_.RotateKey();
  EXPECT_EQ(Check(token), "ACCEPTED");
  EXPECT_EQ(Check(issuer_.Sign()), "ACCEPTED");
}

TEST_F(TestIssuerTest, TokensOfAnotherIssuerAreRefused) {
  const TestIssuer other("https://issuer.test", time_);
  EXPECT_EQ(Check(other.Sign()), "KEY_UNKNOWN");
  EXPECT_THAT(issuer_.RevokeToken(other.Sign()),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(TestIssuerTest, VerifierIsAlwaysFreshAndReady) {
  time_.Advance(absl::Minutes(10));
  EXPECT_EQ(Check(issuer_.Sign()), "ACCEPTED");
  EXPECT_TRUE(verifier_->WaitUntilReady(absl::ZeroDuration()));
  EXPECT_EQ(verifier_->Stats().staleness, absl::ZeroDuration());
}

TEST_F(TestIssuerTest, ExpiredTokenCanBeMade) {
  EXPECT_EQ(Check(issuer_.Sign({.lifetime = absl::Minutes(-2)})),
            "TOKEN_EXPIRED");
}

TEST_F(TestIssuerTest, OptionsOfTheVerifierCount) {
  VerifierOptions options;
  options.audience = Audience::Exactly("notes");
  const auto verifier = issuer_.TryMakeVerifier(options);
  ASSERT_OK(verifier);
  EXPECT_FALSE((*verifier)->Verify(issuer_.Sign()).accepted());
  EXPECT_TRUE(
      (*verifier)->Verify(issuer_.Sign({.audience = "notes"})).accepted());
  options.leeway = absl::Hours(1);
  EXPECT_THAT(issuer_.TryMakeVerifier(options),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(TestIssuerTest, VerifierMayOutliveItsIssuer) {
  auto issuer = std::make_unique<TestIssuer>("https://short.test", time_);
  const std::string token = issuer->Sign();
  const auto verifier = issuer->MakeVerifier();
  issuer.reset();
  EXPECT_TRUE(verifier->Verify(token).accepted());
}

}  // namespace
}  // namespace ostiary
