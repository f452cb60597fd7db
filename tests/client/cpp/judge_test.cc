#include "client/cpp/judge.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "client/jwt/verifier.h"
#include "gtest/gtest.h"
#include "ostiary/test_issuer.h"
#include "tests/client/cpp/fake_time.h"
#include "tests/support/status_matchers.h"

namespace ostiary::client {
namespace {

using ::ostiary::testing::ValueOf;

// No server: what the verifier can decide by itself. Asking is in
// asking_test.cc.
class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() {
    KnowKeys();
    knowledge_.MoveTo({{1, 5}, ""});
    knowledge_.Freshen(time_.Now(), time_.Uptime());
  }

  void KnowKeys() {
    knowledge_.ReplaceKeys(ValueOf(jwt::KeySet::Parse(issuer_.JwksJson())));
  }
  void GoStale() { time_.Advance(absl::Seconds(11)); }

  std::string Check(const std::string& token, const CheckOptions& check = {}) {
    return Check(judge_, token, check);
  }
  static std::string Check(Judge& judge, const std::string& token,
                           const CheckOptions& check = {}) {
    const Verdict verdict = judge.Verify(token, check);
    return verdict.accepted() ? "ACCEPTED"
                              : std::string(RefusalName(verdict.refusal()));
  }

  jwt::Verifier Signatures() const {
    jwt::VerifierOptions options;
    options.issuer = issuer_.issuer();
    options.algorithms = {jwt::Algorithm::kEs256};
    options.maximum_lifetime = absl::Hours(24);
    return ValueOf(jwt::Verifier::Create(options));
  }

  testing::FakeTime time_;
  TestIssuer issuer_{"https://id.example.test", time_};
  Knowledge knowledge_;
  const Rules rules_{Audience::Exactly("api"), jwt::Leeway(), absl::Seconds(10),
                     StalenessPolicy::kRefuse};
  Judge judge_{rules_, Signatures(), knowledge_, 100, time_, nullptr};
};

TEST_F(JudgeTest, GoodTokenIsAcceptedWithItsClaims) {
  const Verdict verdict =
      judge_.Verify(issuer_.Sign({.subject = "acct_ada"}), {});
  ASSERT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.claims().subject, "acct_ada");
}

TEST_F(JudgeTest, SecondCheckOfATokenComesFromTheCache) {
  const std::string token = issuer_.Sign();
  EXPECT_EQ(Check(token), "ACCEPTED");
  EXPECT_EQ(Check(token), "ACCEPTED");
  EXPECT_EQ(judge_.cache_misses(), 1u);
  EXPECT_EQ(judge_.cache_hits(), 1u);
}

TEST_F(JudgeTest, CacheHoldsNoVerdict) {
  const std::string token = issuer_.Sign({.lifetime = absl::Seconds(60)});
  EXPECT_EQ(Check(token), "ACCEPTED");
  EXPECT_EQ(Check(token, {.audience = Audience::Exactly("other")}),
            "AUDIENCE_MISMATCH");
  EXPECT_EQ(Check(token, {.scopes = {"read"}}), "SCOPE_MISSING");
  knowledge_.revoked().AddKey("another");
  EXPECT_EQ(Check(token), "ACCEPTED");
  knowledge_.revoked().AddFingerprints(
      {revocation::Fingerprint::OfSession("sess_test")},
      absl::InfiniteFuture());
  EXPECT_EQ(Check(token), "TOKEN_REVOKED");
  time_.Advance(absl::Seconds(60));
  EXPECT_EQ(Check(token), "TOKEN_EXPIRED");
}

// What a check remembers of the set must never outlive an addition, whatever
// kind it is of and however many checks there were before.
TEST_F(JudgeTest, EntryAddedBetweenTwoChecksHits) {
  const absl::Time never = absl::InfiniteFuture();
  for (int i = 0; i < 100; ++i) {
    const std::string session = absl::StrCat("sess_", i);
    const std::string account = absl::StrCat("acct_", i);
    const std::string token = issuer_.Sign(
        {.subject = account, .session_id = session, .generation = 1});
    ASSERT_EQ(Check(token), "ACCEPTED");
    ASSERT_EQ(Check(token), "ACCEPTED");
    if (i % 2 == 0) {
      knowledge_.revoked().AddFingerprints(
          {revocation::Fingerprint::OfSession(session)}, never);
    } else {
      knowledge_.revoked().AddAccount(account, 2, never);
    }
    ASSERT_EQ(Check(token), "TOKEN_REVOKED");
    ASSERT_EQ(Check(token), "TOKEN_REVOKED");
  }
}

TEST_F(JudgeTest, TokenUnderTheSignatureOfACachedOneIsRefused) {
  const std::string token = issuer_.Sign({.subject = "acct_ada"});
  const std::string other = issuer_.Sign({.subject = "acct_root"});
  ASSERT_EQ(Check(token), "ACCEPTED");
  const std::string forged =
      other.substr(0, other.rfind('.')) + token.substr(token.rfind('.'));
  EXPECT_EQ(Check(forged), "SIGNATURE_INVALID");
}

TEST_F(JudgeTest, CachedTokenIsHeldToItsTimesToTheNanosecond) {
  const Rules lenient{Audience::Exactly("api"),
                      ValueOf(jwt::Leeway::Of(absl::Seconds(60))),
                      absl::Hours(1), StalenessPolicy::kRefuse};
  Judge judge(lenient, Signatures(), knowledge_, 10, time_, nullptr);
  const std::string token = issuer_.Sign({.lifetime = absl::Seconds(60)});
  ASSERT_EQ(Check(judge, token), "ACCEPTED");
  const absl::Time expires = judge.Verify(token, {}).claims().expire_time;
  time_.Advance(expires + absl::Seconds(60) - absl::Nanoseconds(1) -
                time_.Now());
  EXPECT_EQ(Check(judge, token), "ACCEPTED");
  time_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(Check(judge, token), "TOKEN_EXPIRED");
}

TEST_F(JudgeTest, LostKeyEmptiesTheCache) {
  const std::string token = issuer_.Sign();
  EXPECT_EQ(Check(token), "ACCEPTED");
  knowledge_.ReplaceKeys(ValueOf(jwt::KeySet::Parse(TestIssuer().JwksJson())));
  EXPECT_EQ(Check(token), "KEY_UNKNOWN");
}

TEST_F(JudgeTest, EveryKindOfEntryHitsItsTokens) {
  const std::string token = issuer_.Sign({.subject = "acct_ada",
                                          .session_id = "sess_ada",
                                          .client_id = "web",
                                          .generation = 4});
  const Claims claims = judge_.Verify(token, {}).claims();
  const auto refused_by = [&](auto add) {
    Knowledge knowledge;
    knowledge.ReplaceKeys(knowledge_.keys().set);
    knowledge.MoveTo({{1, 1}, ""});
    knowledge.Freshen(time_.Now(), time_.Uptime());
    Judge judge(rules_, Signatures(), knowledge, 10, time_, nullptr);
    EXPECT_EQ(Check(judge, token), "ACCEPTED");
    add(knowledge.revoked());
    return Check(judge, token) == "TOKEN_REVOKED";
  };
  const absl::Time never = absl::InfiniteFuture();
  using revocation::Fingerprint;
  using revocation::RevokedSet;
  EXPECT_TRUE(refused_by([&](RevokedSet& set) {
    set.AddFingerprints({Fingerprint::OfToken(claims.token_id)}, never);
  }));
  EXPECT_TRUE(refused_by([&](RevokedSet& set) {
    set.AddFingerprints({Fingerprint::OfSession("sess_ada")}, never);
  }));
  EXPECT_TRUE(refused_by(
      [&](RevokedSet& set) { set.AddAccount("acct_ada", 5, never); }));
  EXPECT_FALSE(refused_by(
      [&](RevokedSet& set) { set.AddAccount("acct_ada", 4, never); }));
  EXPECT_TRUE(refused_by([&](RevokedSet& set) {
    set.AddClient("web", claims.issue_time, never);
  }));
  EXPECT_TRUE(refused_by(
      [&](RevokedSet& set) { set.AddAll(claims.issue_time, never); }));
  EXPECT_TRUE(refused_by([&](RevokedSet& set) {
    set.AddKey(knowledge_.keys().set.keys()[0].kid());
  }));
}

TEST_F(JudgeTest, RevocationComesBeforeAuthorityAndAfterTime) {
  knowledge_.revoked().AddAll(time_.Now(), absl::InfiniteFuture());
  EXPECT_EQ(Check(issuer_.Sign(), {.scopes = {"none"}}), "TOKEN_REVOKED");
  EXPECT_EQ(Check(issuer_.Sign({.lifetime = absl::Seconds(-5)})),
            "TOKEN_EXPIRED");
}

TEST_F(JudgeTest, ScopesAndRolesMustAllBeThere) {
  const std::string token =
      issuer_.Sign({.scopes = {"read", "write"}, .roles = {"editor"}});
  EXPECT_EQ(Check(token, {.scopes = {"read", "write"}, .roles = {"editor"}}),
            "ACCEPTED");
  EXPECT_EQ(Check(token, {.scopes = {"read", "delete"}}), "SCOPE_MISSING");
  EXPECT_EQ(Check(token, {.roles = {"admin"}}), "ROLE_MISSING");
}

TEST_F(JudgeTest, EmptyAudienceIsMetByNoToken) {
  const std::string token = issuer_.Sign();
  EXPECT_EQ(Check(token, {.audience = Audience::Exactly("")}),
            "AUDIENCE_MISMATCH");
  EXPECT_EQ(Check(token, {.audience = Audience::Any()}), "ACCEPTED");
}

TEST_F(JudgeTest, TokenThatLivesTooLongIsMalformed) {
  EXPECT_EQ(Check(issuer_.Sign({.lifetime = absl::Hours(25)})),
            "TOKEN_MALFORMED");
}

TEST_F(JudgeTest, TextThatIsTooLongIsNotLookedAt) {
  EXPECT_EQ(Check(std::string(16 * 1024 + 1, 'a')), "TOKEN_MALFORMED");
  EXPECT_EQ(judge_.cache_misses(), 0u);
}

// Policy by policy, with a token that is good as far as is known.

TEST_F(JudgeTest, StaleKnowledgeIsEnoughForAcceptOnly) {
  const std::string token = issuer_.Sign();
  GoStale();
  EXPECT_FALSE(judge_.IsFresh());
  EXPECT_EQ(Check(token, {.policy = StalenessPolicy::kRefuse}),
            "CHECK_UNAVAILABLE");
  EXPECT_EQ(Check(token, {.policy = StalenessPolicy::kAskServer}),
            "CHECK_UNAVAILABLE");  // nobody to ask
  EXPECT_EQ(Check(token, {.policy = StalenessPolicy::kAccept}), "ACCEPTED");
}

TEST_F(JudgeTest, KnowledgeOfExactlyTheBoundIsFresh) {
  time_.Advance(absl::Seconds(10));
  EXPECT_TRUE(judge_.IsFresh());
  time_.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(judge_.IsFresh());
}

TEST_F(JudgeTest, HitIsFinalHoweverStaleTheSetIs) {
  const std::string token = issuer_.Sign();
  knowledge_.revoked().AddAll(time_.Now(), absl::InfiniteFuture());
  GoStale();
  for (const auto policy :
       {StalenessPolicy::kAskServer, StalenessPolicy::kRefuse,
        StalenessPolicy::kAccept}) {
    EXPECT_EQ(Check(token, {.policy = policy}), "TOKEN_REVOKED");
  }
}

TEST_F(JudgeTest, AcceptNeedsOneCompleteSnapshot) {
  Knowledge knowledge;
  Judge judge(rules_, Signatures(), knowledge, 10, time_, nullptr);
  const std::string token = issuer_.Sign();
  const CheckOptions accept = {.policy = StalenessPolicy::kAccept};
  EXPECT_EQ(Check(judge, token, accept), "CHECK_UNAVAILABLE");
  knowledge.ReplaceKeys(knowledge_.keys().set);
  EXPECT_EQ(Check(judge, token, accept), "CHECK_UNAVAILABLE");
  knowledge.MoveTo({{1, 1}, ""});
  EXPECT_EQ(Check(judge, token, accept), "ACCEPTED");
}

TEST_F(JudgeTest, RevisionThatIsNotReachedIsLikeStaleness) {
  const std::string token = issuer_.Sign();
  for (const auto policy :
       {StalenessPolicy::kAskServer, StalenessPolicy::kRefuse,
        StalenessPolicy::kAccept}) {
    CheckOptions check = {.policy = policy,
                          .min_revision = "rev_000000010000000000000005"};
    EXPECT_EQ(Check(token, check), "ACCEPTED");
    check.min_revision = "rev_000000010000000000000006";
    EXPECT_EQ(Check(token, check), "CHECK_UNAVAILABLE");
    check.min_revision = "no ticket";
    EXPECT_EQ(Check(token, check), "CHECK_UNAVAILABLE");
  }
}

TEST_F(JudgeTest, UnknownKeyIsRefusedByWhoKnowsTheKeys) {
  issuer_.RotateKey();
  const std::string token = issuer_.Sign();
  EXPECT_EQ(Check(token), "KEY_UNKNOWN");
  GoStale();
  // The key may be newer than what is known.
  for (const StalenessPolicy policy :
       {StalenessPolicy::kAskServer, StalenessPolicy::kRefuse,
        StalenessPolicy::kAccept}) {
    EXPECT_EQ(Check(token, {.policy = policy}), "CHECK_UNAVAILABLE");
  }
  KnowKeys();
  EXPECT_EQ(Check(token), "CHECK_UNAVAILABLE");
}

TEST_F(JudgeTest, ChecksAreCountedByOutcome) {
  Check(issuer_.Sign());
  Check("nonsense");
  Check("nonsense");
  const auto counts = judge_.counts();
  EXPECT_EQ(counts.at("ACCEPTED"), 1u);
  EXPECT_EQ(counts.at("TOKEN_MALFORMED"), 2u);
  EXPECT_EQ(counts.at("TOKEN_REVOKED"), 0u);
}

}  // namespace
}  // namespace ostiary::client
