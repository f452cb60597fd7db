#include "server/flow/verify.h"

#include "client/jwt/base64url.h"
#include "client/revocation/revision.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/revocation/past_epochs.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using jwt::Rejection;

class VerifyFlow : public ::testing::Test {
 protected:
  VerifyFlow() {
    account_ = house_.SignUp("ada");
    tokens_ = house_.SignIn("ada", kPassword, "read");
  }
  std::string Judge(const std::string& token,
                    const jwt::Expectations& expectations) {
    const auto answer = house_->verify.Judge(token, expectations);
    EXPECT_EQ(answer.rejection.has_value(), answer.token == nullptr);
    if (!answer.rejection.has_value()) return "";
    return std::string(jwt::RejectionName(*answer.rejection));
  }
  bool IsKnown(const std::string& token) {
    return house_->verify.JudgeKnown(token, For("api")).has_value();
  }
  static jwt::Expectations For(const std::string& audience) {
    return {jwt::Audience::Exactly(audience)};
  }
  // An access token of the house's own key that says what it is told.
  std::string Mint(absl::FunctionRef<void(token::AccessTokenRequest&)> change,
                   const std::string& issuer = kIssuer) {
    token::AccessTokenRequest request;
    request.subject = account_.ToString();
    request.audiences = {"api"};
    request.client_id = "cli_default";
    request.token_id = "jti-made-here";
    request.scope = "read";
    request.issue_time = house_.clock.Now();
    request.expire_time = house_.clock.Now() + absl::Minutes(15);
    request.generation = (std::uint64_t{1} << 32) + 1;
    change(request);
    const auto minter =
        ValueOf(token::AccessTokenMinter::Create({issuer, absl::Minutes(15)}));
    return ValueOf(minter.Mint(request, *house_->keys->Snapshot())).text;
  }

  House house_;
  AccountId account_;
  flow::IssuedTokens tokens_;
};

// --- Reasons, and which of several is given (protocol.md 6).

TEST_F(VerifyFlow, GoodTokenComesBackWithItsClaims) {
  const auto answer = house_->verify.Judge(tokens_.access_token, For("api"));
  ASSERT_FALSE(answer.rejection.has_value());
  EXPECT_EQ(answer.token->claims().subject, account_.ToString());
}

TEST_F(VerifyFlow, ReasonsComeInTheirOrder) {
  const auto nothing = [](token::AccessTokenRequest&) {};
  const std::string good = Mint(nothing);

  // Each token has its own fault and every fault that comes after it.
  jwt::Expectations impossible = For("elsewhere");
  impossible.required_scopes = {"admin"};
  impossible.required_roles = {"admin"};

  EXPECT_EQ(Judge("", impossible), "TOKEN_MALFORMED");
  EXPECT_EQ(Judge("a.b.c", impossible), "TOKEN_MALFORMED");
  EXPECT_EQ(Judge(std::string(17 * 1024, 'a'), impossible), "TOKEN_MALFORMED");
  const std::string payload = good.substr(good.find('.'));
  const auto with_header = [&](const std::string& header) {
    return jwt::Base64UrlEncode(header) + payload;
  };
  EXPECT_EQ(Judge(with_header(R"({"alg":"none","typ":"at+jwt","kid":"x"})"),
                  impossible),
            "ALGORITHM_NOT_ALLOWED");
  EXPECT_EQ(Judge(with_header(R"({"alg":"ES256","typ":"at+jwt","kid":"x"})"),
                  impossible),
            "KEY_UNKNOWN");
  std::string forged = good;
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Judge(forged, impossible), "SIGNATURE_INVALID");
  EXPECT_EQ(Judge(Mint(
                      [](token::AccessTokenRequest& request) {
                        request.type = token::TokenType::kJwt;
                      },
                      "https://elsewhere"),
                  impossible),
            "TYPE_MISMATCH");
  EXPECT_EQ(Judge(Mint(nothing, "https://elsewhere"), impossible),
            "ISSUER_MISMATCH");
  const std::string early = Mint([](token::AccessTokenRequest& request) {
    request.issue_time += absl::Minutes(1);
    request.expire_time += absl::Minutes(1);
  });
  EXPECT_EQ(Judge(early, impossible), "TOKEN_NOT_YET_VALID");
  const std::string expired = Mint([](token::AccessTokenRequest& request) {
    request.issue_time -= absl::Minutes(15);
    request.expire_time -= absl::Minutes(15);
  });
  EXPECT_EQ(Judge(expired, impossible), "TOKEN_EXPIRED");
  ASSERT_OK(house_->revoke.Token(House::Anyone(), good, ""));
  EXPECT_EQ(Judge(good, impossible), "AUDIENCE_MISMATCH");
  jwt::Expectations ours = For("api");
  ours.required_scopes = {"admin"};
  ours.required_roles = {"admin"};
  EXPECT_EQ(Judge(good, ours), "TOKEN_REVOKED");
  EXPECT_EQ(Judge(tokens_.access_token, ours), "SCOPE_MISSING");
  ours.required_scopes = {"read"};
  EXPECT_EQ(Judge(tokens_.access_token, ours), "ROLE_MISSING");
  ours.required_roles = {};
  EXPECT_EQ(Judge(tokens_.access_token, ours), "");
}

TEST_F(VerifyFlow, RequiredListsMeanAllOfThem) {
  const flow::IssuedTokens both = house_.SignIn("ada", kPassword, "read write");
  jwt::Expectations expectations = For("api");
  expectations.required_scopes = {"write", "read"};
  EXPECT_EQ(Judge(both.access_token, expectations), "");
  EXPECT_EQ(Judge(tokens_.access_token, expectations), "SCOPE_MISSING");
}

TEST_F(VerifyFlow, ServerGrantsNoLeeway) {
  const absl::Time end = house_.Claims(tokens_.access_token).expire_time;
  house_.clock.Advance(end - house_.clock.Now() - absl::Nanoseconds(1));
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "");
  house_.clock.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "TOKEN_EXPIRED");
}

TEST_F(VerifyFlow, EmptyAudienceNeverMeansAny) {
  EXPECT_EQ(Judge(tokens_.access_token, For("")), "AUDIENCE_MISMATCH");
  EXPECT_EQ(Judge(tokens_.access_token, {jwt::Audience::Any()}), "");
}

TEST_F(VerifyFlow, LifetimeOverADayIsMalformed) {
  // Our minter refuses it, so a key thief would have to make it; the verifier
  // must not lean on that.
  jwt::VerifierOptions options;
  options.issuer = kIssuer;
  options.algorithms = {jwt::Algorithm::kEs256};
  options.maximum_lifetime = absl::Minutes(14);
  const auto strict = ValueOf(jwt::Verifier::Create(options));
  const auto verdict = strict.Authenticate(
      tokens_.access_token, house_->keys->Snapshot()->verifying_keys());
  ASSERT_FALSE(verdict.accepted());
  EXPECT_EQ(verdict.rejection(), Rejection::kTokenMalformed);
}

// --- The cache holds claims, never a verdict.

TEST_F(VerifyFlow, CacheHitStillChecksExpiry) {
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "");
  EXPECT_TRUE(IsKnown(tokens_.access_token));
  house_.clock.Advance(absl::Minutes(15));
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "TOKEN_EXPIRED");
}

TEST_F(VerifyFlow, CacheHitStillChecksAudienceAndScope) {
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "");
  EXPECT_EQ(Judge(tokens_.access_token, For("other")), "AUDIENCE_MISMATCH");
  jwt::Expectations expectations = For("api");
  expectations.required_scopes = {"write"};
  EXPECT_EQ(Judge(tokens_.access_token, expectations), "SCOPE_MISSING");
}

TEST_F(VerifyFlow, CacheHitStillChecksRevocation) {
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "");
  EXPECT_TRUE(IsKnown(tokens_.access_token));
  ASSERT_OK(house_->sign_out.Run(House::Anyone(), tokens_.refresh_token));
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "TOKEN_REVOKED");
}

TEST_F(VerifyFlow, CacheHitStillChecksTheKey) {
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "");
  const std::string kid = house_->keys->Snapshot()->active().key_id();
  ASSERT_OK(house_->keys->Revoke(kid, "", {}));
  EXPECT_FALSE(IsKnown(tokens_.access_token));
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "KEY_UNKNOWN");
}

TEST_F(VerifyFlow, RejectedTokensAreNotCached) {
  const std::string foreign =
      Mint([](token::AccessTokenRequest&) {}, "https://elsewhere");
  EXPECT_EQ(Judge(foreign, For("api")), "ISSUER_MISMATCH");
  EXPECT_FALSE(IsKnown(foreign));
}

// --- min_revision.

TEST_F(VerifyFlow, RevisionOfARevocationIsReachedWhenItIsAcknowledged) {
  const std::string ticket =
      ValueOf(house_->sign_out.Run(House::Anyone(), tokens_.refresh_token));
  EXPECT_OK(house_->verify.CheckRevision(ticket));
  EXPECT_OK(house_->verify.CheckRevision(""));
}

TEST_F(VerifyFlow, RevisionNotYetAppliedIsUnavailable) {
  const auto head = house_.Head();
  const absl::Status status = house_->verify.CheckRevision(
      revocation::FormatRevision({head.epoch, head.sequence + 1}));
  EXPECT_EQ(ReasonOf(status), Reason::kRevisionNotReached);
  EXPECT_THAT(status, HasCode(absl::StatusCode::kUnavailable));
  EXPECT_OK(house_->verify.CheckRevision(
      revocation::FormatRevision({head.epoch, head.sequence})));
}

TEST_F(VerifyFlow, RevisionOfALaterEpochIsNotReached) {
  EXPECT_EQ(ReasonOf(house_->verify.CheckRevision(
                revocation::FormatRevision({house_.Head().epoch + 1, 0}))),
            Reason::kRevisionNotReached);
}

// A restore of a store whose ledger of epoch 1 ended at 40; whatever came after
// is lost.
TEST_F(VerifyFlow, RevisionOfAPastEpochPassesUpToWhatSurvivedIt) {
  ASSERT_OK(house_.Write([](storage::WriteTx& tx) -> absl::Status {
    storage::LedgerHead survived;
    survived.epoch = 1;
    survived.sequence = 40;
    auto recorded = revocation::RecordPastEpoch(tx, survived);
    if (!recorded.ok()) return recorded;
    return tx.ledger().BeginEpoch(5, 100);
  }));
  house_.Restart();
  const auto check = [&](std::uint32_t epoch, std::int64_t sequence) {
    return house_->verify.CheckRevision(
        revocation::FormatRevision({epoch, sequence}));
  };
  EXPECT_OK(check(1, 1));
  EXPECT_OK(check(1, 40));
  EXPECT_EQ(ReasonOf(check(1, 41)), Reason::kRevisionLost);
  EXPECT_THAT(check(1, 41), HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReasonOf(check(3, 1)), Reason::kRevisionLost);  // nobody knows it
  EXPECT_OK(check(5, 100));
}

TEST_F(VerifyFlow, EveryPastEpochIsRemembered) {
  for (const std::uint32_t epoch : {1u, 2u, 3u}) {
    ASSERT_OK(house_.Write([&](storage::WriteTx& tx) -> absl::Status {
      auto head = tx.ledger().Head();
      if (!head.ok()) return head.status();
      auto recorded = revocation::RecordPastEpoch(tx, *head);
      if (!recorded.ok()) return recorded;
      return tx.ledger().BeginEpoch(epoch + 1, 10 * epoch);
    }));
  }
  const auto past = ValueOf(revocation::LoadPastEpochs(*house_->store));
  EXPECT_EQ(past, (revocation::PastEpochs{{1, 0}, {2, 10}, {3, 20}}));
}

TEST_F(VerifyFlow, AnythingElseIsAnInvalidArgument) {
  for (const char* text : {"1", "rev_", "rev_zz", "latest"}) {
    EXPECT_EQ(ReasonOf(house_->verify.CheckRevision(text)),
              Reason::kArgumentInvalid)
        << text;
  }
}

// --- Where an epoch begins.

TEST_F(VerifyFlow, TokensMintedAfterARestoreOutrankAllThatWasRevokedBefore) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(house_->manage_sessions.RevokeAll(House::Operator(),
                                                account_.ToString(), ""));
  }
  // The store as an old backup had it: the account at its first generation,
  // under a new epoch.
  ASSERT_OK(house_.Write([&](storage::WriteTx& tx) -> absl::Status {
    auto row = tx.accounts().Find(account_.bytes());
    if (!row.ok()) return row.status();
    (*row)->generation = 1;
    (*row)->session_floor = 1;
    if (auto status = tx.accounts().Update(**row); !status.ok()) return status;
    return tx.ledger().BeginEpoch(2, 100);
  }));
  house_.Restart();
  const flow::IssuedTokens fresh = house_.SignIn("ada");
  EXPECT_EQ(Judge(fresh.access_token, For("api")), "");
  EXPECT_EQ(Judge(tokens_.access_token, For("api")), "TOKEN_REVOKED");
}

}  // namespace
}  // namespace ostiary::testing
