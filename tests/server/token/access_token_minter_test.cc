#include "server/token/access_token_minter.h"

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/jwt/base64url.h"
#include "client/jwt/verifier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/token/claims_writer.h"
#include "tests/server/token/test_keys.h"

namespace ostiary::token {
namespace {

using ::ostiary::testing::AMinter;
using ::ostiary::testing::ARequest;
using ::ostiary::testing::HasCode;
using ::ostiary::testing::IsOk;
using ::ostiary::testing::kIssuer;
using ::ostiary::testing::ValueOf;
using ::ostiary::testing::ViewWithKeyOf;
using ::testing::HasSubstr;

std::string PartOf(const std::string& token, std::size_t index) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  return jwt::Base64UrlDecode(parts.at(index)).value();
}
std::string PayloadOf(const AccessToken& token) {
  return PartOf(token.text, 1);
}

class MinterTest : public ::testing::TestWithParam<jwt::Algorithm> {
 protected:
  const std::shared_ptr<const key::KeyView> keys_ = ViewWithKeyOf(GetParam());
  const AccessTokenMinter minter_ = AMinter();
};

TEST_P(MinterTest, HeaderAndClaimsAreExactlyTheDesigns) {
  const AccessToken token = ValueOf(minter_.Mint(ARequest(), *keys_));
  EXPECT_EQ(PartOf(token.text, 0),
            absl::StrCat("{\"alg\":\"", jwt::AlgorithmName(GetParam()),
                         "\",\"kid\":\"", keys_->active().key_id(),
                         "\",\"typ\":\"at+jwt\"}"));
  EXPECT_EQ(PayloadOf(token),
            "{\"iss\":\"https://id.example\","
            "\"sub\":\"acct_0000000000000000000000000a\","
            "\"aud\":\"api\",\"client_id\":\"cli_default\","
            "\"iat\":1700000000,\"exp\":1700000900,\"jti\":\"jti-1\","
            "\"sid\":\"sess_0000000000000000000000000b\","
            "\"scope\":\"read write\",\"roles\":[\"admin\",\"staff\"],"
            "\"auth_time\":1699999000,\"amr\":[\"pwd\"],\"gen\":12884901895}");
  EXPECT_EQ(token.key_id, keys_->active().key_id());
  EXPECT_EQ(token.issue_time, absl::FromUnixSeconds(1'700'000'000));
  EXPECT_EQ(token.expire_time, absl::FromUnixSeconds(1'700'000'900));
}

TEST_P(MinterTest, WhatIsMintedTheVerifierAccepts) {
  const AccessTokenRequest request = ARequest();
  const AccessToken token = ValueOf(minter_.Mint(request, *keys_));
  const jwt::Verifier verifier = ValueOf(
      jwt::Verifier::Create({kIssuer, {GetParam()}, key::kAccessLifetimeCap}));
  const jwt::Verdict verdict = verifier.Verify(
      token.text, keys_->verifying_keys(),
      {jwt::Audience::Exactly("api"), {}, {"read", "write"}, {"admin"}},
      request.issue_time);
  ASSERT_TRUE(verdict.accepted()) << jwt::RejectionName(verdict.rejection());
  const jwt::Claims& claims = verdict.token().claims();
  EXPECT_EQ(claims.subject, request.subject);
  EXPECT_EQ(claims.client_id, request.client_id);
  EXPECT_EQ(claims.session_id, request.session_id);
  EXPECT_EQ(claims.token_id, request.token_id);
  EXPECT_EQ(claims.roles, request.roles);
  EXPECT_EQ(claims.amr, request.amr);
  EXPECT_EQ(claims.generation, request.generation);
  EXPECT_EQ(claims.auth_time, request.auth_time);
  EXPECT_EQ(claims.extra_json, "{}");
}

TEST_P(MinterTest, AnOrdinaryTokenIsUnderOneKilobyte) {
  EXPECT_LT(ValueOf(minter_.Mint(ARequest(), *keys_)).text.size(), 1024u);
}

TEST_P(MinterTest, TheSameRequestSaysTheSame) {
  const AccessToken one = ValueOf(minter_.Mint(ARequest(), *keys_));
  const AccessToken two = ValueOf(minter_.Mint(ARequest(), *keys_));
  EXPECT_EQ(PayloadOf(one), PayloadOf(two));
  if (GetParam() == jwt::Algorithm::kEs256) return;  // its nonce is random
  EXPECT_EQ(one.text, two.text);
}

INSTANTIATE_TEST_SUITE_P(All, MinterTest,
                         ::testing::Values(jwt::Algorithm::kEs256,
                                           jwt::Algorithm::kRs256,
                                           jwt::Algorithm::kEdDsa));

class MintedClaimsTest : public ::testing::Test {
 protected:
  std::string Payload() {
    return PayloadOf(ValueOf(minter_.Mint(request_, *keys_)));
  }
  absl::Status Refusal() { return minter_.Mint(request_, *keys_).status(); }

  const std::shared_ptr<const key::KeyView> keys_ =
      ViewWithKeyOf(jwt::Algorithm::kEs256);
  const AccessTokenMinter minter_ = AMinter();
  AccessTokenRequest request_ = ARequest();
};

TEST_F(MintedClaimsTest, SeveralAudiencesAreAnArray) {
  request_.audiences = {"api", "files"};
  EXPECT_THAT(Payload(), HasSubstr("\"aud\":[\"api\",\"files\"]"));
}

TEST_F(MintedClaimsTest, AServiceTokenHasNoSessionGenerationOrAuthTime) {
  request_.session_id.clear();
  request_.generation.reset();
  request_.auth_time.reset();
  request_.scope.clear();
  request_.roles.clear();
  request_.amr.clear();
  EXPECT_EQ(Payload(),
            "{\"iss\":\"https://id.example\","
            "\"sub\":\"acct_0000000000000000000000000a\","
            "\"aud\":\"api\",\"client_id\":\"cli_default\","
            "\"iat\":1700000000,\"exp\":1700000900,\"jti\":\"jti-1\","
            "\"roles\":[]}");
}

TEST_F(MintedClaimsTest, TextIsEscapedNotBelieved) {
  request_.roles = {"a\",\"admin", "back\\slash", std::string("nul\0", 4),
                    "line\nfeed", "caf\xc3\xa9"};
  const auto roles = boost::json::parse(Payload()).at("roles").as_array();
  ASSERT_EQ(roles.size(), request_.roles.size());
  for (std::size_t i = 0; i < roles.size(); ++i) {
    EXPECT_EQ(std::string(roles[i].as_string()), request_.roles[i]);
  }
}

TEST_F(MintedClaimsTest, WhatIsNotUtf8IsRefused) {
  for (const std::string& bad :
       {std::string("\xff"), std::string("\xc0\xaf"),
        std::string("\xed\xa0\x80"), std::string("cut\xe2\x82")}) {
    request_ = ARequest();
    request_.roles = {bad};
    EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument));
    request_ = ARequest();
    request_.extra_json = "{\"x\":\"" + bad + "\"}";
    EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(MintedClaimsTest, ExtraClaimsStandBesideOurs) {
  request_.extra_json = "{\"tenant\": \"t1\", \"plan\": {\"seats\": 5}}";
  EXPECT_THAT(Payload(),
              HasSubstr(",\"tenant\":\"t1\",\"plan\":{\"seats\":5}}"));
  request_.extra_json = "{}";
  EXPECT_THAT(Payload(), ::testing::EndsWith("\"gen\":12884901895}"));
}

TEST_F(MintedClaimsTest, ExtraClaimsCannotSayWhatOursSay) {
  for (const absl::string_view name :
       {"iss", "sub", "aud", "exp", "nbf", "roles", "scope", "gen", "cnf"}) {
    request_.extra_json = absl::StrCat("{\"", name, "\":1}");
    EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument)) << name;
  }
  // An escape does not hide the name; what is no object is no claims.
  for (const char* json :
       {"{\"\\u0069ss\":1}", "[]", "1", "{", "{\"a\":1,}", "{} {}"}) {
    request_.extra_json = json;
    EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument)) << json;
  }
}

TEST_F(MintedClaimsTest, NoTokenLivesLongerThanADayOrLessThanASecond) {
  request_.expire_time = request_.issue_time + absl::Hours(24);
  EXPECT_OK(Refusal());
  request_.expire_time += absl::Nanoseconds(1);
  EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument));
  request_.expire_time = absl::InfiniteFuture();
  EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument));
  request_.expire_time = request_.issue_time;
  EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument));
  request_.issue_time = absl::InfinitePast();
  EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(MintedClaimsTest, ARequiredClaimMayNotBeEmpty) {
  const std::vector<void (*)(AccessTokenRequest&)> holes = {
      [](AccessTokenRequest& r) { r.subject.clear(); },
      [](AccessTokenRequest& r) { r.audiences.clear(); },
      [](AccessTokenRequest& r) {
        r.audiences = {"api", ""};
      },
      [](AccessTokenRequest& r) { r.client_id.clear(); },
      [](AccessTokenRequest& r) { r.token_id.clear(); },
      [](AccessTokenRequest& r) { r.generation = std::uint64_t{1} << 53; }};
  for (const auto& hole : holes) {
    request_ = ARequest();
    hole(request_);
    EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(MintedClaimsTest, ATokenTooLargeForOurVerifierIsNotMinted) {
  request_.roles.assign(600, "a-rather-long-name-of-a-role");
  EXPECT_THAT(Refusal(), HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(MintedClaimsTest, TheTypeIsJwtOnlyWhenAskedFor) {
  request_.type = TokenType::kJwt;
  const AccessToken token = ValueOf(minter_.Mint(request_, *keys_));
  EXPECT_THAT(PartOf(token.text, 0), HasSubstr("\"typ\":\"JWT\""));
}

TEST(MinterOptionsTest, AWrongOptionIsNamed) {
  EXPECT_THAT(std::string(AccessTokenMinter::Create({""}).status().message()),
              HasSubstr("--issuer"));
  for (const absl::Duration wrong :
       {absl::ZeroDuration(), absl::Milliseconds(1500), absl::Hours(25),
        -absl::Seconds(1), absl::InfiniteDuration()}) {
    const auto minter = AccessTokenMinter::Create({kIssuer, wrong});
    EXPECT_THAT(minter, HasCode(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(std::string(minter.status().message()),
                HasSubstr("--access-token-lifetime"));
  }
  EXPECT_OK(AccessTokenMinter::Create({kIssuer, absl::Hours(24)}));
}

TEST(IsUtf8Test, OnlyWellFormedTextPasses) {
  for (const std::string& good :
       {std::string(), std::string("ascii"), std::string("\xc2\x80"),
        std::string("\xe0\xa0\x80"), std::string("\xed\x9f\xbf"),
        std::string("\xf0\x90\x80\x80"), std::string("\xf4\x8f\xbf\xbf")}) {
    EXPECT_TRUE(IsUtf8(good));
  }
  for (const std::string& bad :
       {std::string("\x80"), std::string("\xc1\xbf"),
        std::string("\xe0\x9f\xbf"), std::string("\xed\xa0\x80"),
        std::string("\xf0\x8f\xbf\xbf"), std::string("\xf4\x90\x80\x80"),
        std::string("\xf5\x80\x80\x80"), std::string("\xe2\x82"),
        std::string("\xe2\x28\xa1")}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

}  // namespace
}  // namespace ostiary::token
