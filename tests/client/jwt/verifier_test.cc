#include "client/jwt/verifier.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "client/jwt/base64url.h"
#include "gtest/gtest.h"
#include "tests/client/jwt/test_signer.h"
#include "tests/support/status_matchers.h"

namespace ostiary::jwt {
namespace {

namespace json = boost::json;
using ::ostiary::testing::HasCode;
using ::ostiary::testing::ValueOf;
using testing::GoodPayload;
using testing::kExpiresAt;
using testing::kIssuedAt;
using testing::kIssuer;
using testing::TestSigner;

VerifierOptions GoodOptions() {
  return {
      .issuer = kIssuer,
      .algorithms = {Algorithm::kEs256, Algorithm::kRs256, Algorithm::kEdDsa}};
}

json::object With(json::object object, const char* name, json::value value) {
  object[name] = std::move(value);
  return object;
}

json::object Without(json::object object, const char* name) {
  object.erase(name);
  return object;
}

class VerifierTest : public ::testing::Test {
 protected:
  Verdict Judge(const std::string& token) const {
    return verifier_.Authenticate(token, keys_);
  }

  // The rejection's name, or "ACCEPTED".
  std::string Says(const std::string& token) const {
    const Verdict verdict = Judge(token);
    if (verdict.accepted()) return "ACCEPTED";
    return std::string(RejectionName(verdict.rejection()));
  }
  std::string SaysOfHeader(const json::object& header) const {
    return Says(ec_.Token(header, GoodPayload()));
  }
  std::string SaysOfPayload(const json::object& payload) const {
    return Says(ec_.Token(ec_.Header(), payload));
  }
  std::string SaysOfPayloadText(const std::string& payload) const {
    return Says(ec_.Token(json::serialize(ec_.Header()), payload));
  }

  std::string GoodToken() const {
    return ec_.Token(ec_.Header(), GoodPayload());
  }

  const TestSigner ec_{Algorithm::kEs256};
  const TestSigner ed_{Algorithm::kEdDsa};
  const KeySet keys_ = ValueOf(KeySet::FromKeys({ec_.jwk(), ed_.jwk()}));
  const Verifier verifier_ = ValueOf(Verifier::Create(GoodOptions()));
};

TEST_F(VerifierTest, EveryClaimOfAGoodTokenIsRead) {
  json::object payload = GoodPayload();
  payload["aud"] = json::array{"api", "other"};
  payload["nbf"] = kIssuedAt + 1;
  payload["auth_time"] = kIssuedAt - 5;
  payload["amr"] = json::array{"pwd", "otp"};
  payload["gen"] = 18446744073709551615u;
  payload["tenant"] = json::object{{"id", 7}};
  const Verdict verdict = Judge(ec_.Token(ec_.Header(), payload));
  ASSERT_TRUE(verdict.accepted());

  Claims expected;
  expected.issuer = kIssuer;
  expected.subject = "acct_ada";
  expected.audiences = {"api", "other"};
  expected.client_id = "web";
  expected.session_id = "sess_1";
  expected.token_id = "j-1";
  expected.issue_time = absl::FromUnixSeconds(kIssuedAt);
  expected.expire_time = absl::FromUnixSeconds(kExpiresAt);
  expected.not_before = absl::FromUnixSeconds(kIssuedAt + 1);
  expected.auth_time = absl::FromUnixSeconds(kIssuedAt - 5);
  expected.scopes = {"read", "write"};
  expected.roles = {"admin"};
  expected.amr = {"pwd", "otp"};
  expected.generation = 18446744073709551615u;
  expected.extra_json = R"({"tenant":{"id":7}})";
  EXPECT_EQ(verdict.token().claims(), expected);
  EXPECT_EQ(verdict.token().kid(), ec_.jwk().kid);
}

TEST_F(VerifierTest, OptionalClaimsMayBeAbsent) {
  json::object payload = GoodPayload();
  for (const char* name : {"sid", "scope", "roles"}) payload.erase(name);
  const Verdict verdict = Judge(ec_.Token(ec_.Header(), payload));
  ASSERT_TRUE(verdict.accepted());
  const Claims& claims = verdict.token().claims();
  EXPECT_EQ(claims.session_id, "");
  EXPECT_TRUE(claims.scopes.empty() && claims.roles.empty());
  EXPECT_EQ(claims.generation, std::nullopt);
  EXPECT_EQ(claims.not_before, std::nullopt);
  EXPECT_EQ(claims.extra_json, "{}");
}

TEST_F(VerifierTest, EveryCutOfAGoodTokenIsRefused) {
  const std::string token = GoodToken();
  ASSERT_EQ(Says(token), "ACCEPTED");
  for (std::size_t length = 0; length < token.size(); ++length) {
    EXPECT_FALSE(Judge(token.substr(0, length)).accepted()) << length;
    EXPECT_FALSE(Judge(token.substr(length + 1)).accepted()) << length;
  }
}

TEST_F(VerifierTest, EveryChangedCharacterIsNoticed) {
  const std::string token = ed_.Token(ed_.Header(), GoodPayload());
  ASSERT_EQ(Says(token), "ACCEPTED");
  for (std::size_t place = 0; place < token.size(); ++place) {
    for (const char other : {'A', '_', '.', '=', '\n', '\0'}) {
      if (token[place] == other) continue;
      std::string changed = token;
      changed[place] = other;
      EXPECT_FALSE(Judge(changed).accepted()) << place << other;
    }
  }
}

TEST_F(VerifierTest, TokensAbove16KiBAreMalformed) {
  json::object payload = GoodPayload();
  payload["pad"] = std::string(11'000, 'x');
  EXPECT_EQ(SaysOfPayload(payload), "ACCEPTED");
  payload["pad"] = std::string(12'300, 'x');
  EXPECT_EQ(SaysOfPayload(payload), "TOKEN_MALFORMED");
}

TEST_F(VerifierTest, OtherFormsThanThreePartsAreMalformed) {
  const std::string token = GoodToken();
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), token + ".",
        token + ".AAAA.AAAA", token + "\n", " " + token, "Bearer " + token,
        std::string(20'000, '.'), std::string(20'000, 'A')}) {
    EXPECT_EQ(Says(text), "TOKEN_MALFORMED");
  }
}

TEST_F(VerifierTest, HeadersOfTheWrongShapeAreMalformed) {
  const json::object good = ec_.Header();
  EXPECT_EQ(SaysOfHeader(Without(good, "alg")), "TOKEN_MALFORMED");
  for (const char* name : {"alg", "kid", "typ"}) {
    EXPECT_EQ(SaysOfHeader(With(good, name, 1)), "TOKEN_MALFORMED") << name;
    EXPECT_EQ(SaysOfHeader(With(good, name, nullptr)), "TOKEN_MALFORMED");
    EXPECT_EQ(SaysOfHeader(With(good, name, json::array{"ES256"})),
              "TOKEN_MALFORMED");
  }
  EXPECT_EQ(Says(ec_.Token(R"([{"alg":"ES256"}])", "{}")), "TOKEN_MALFORMED");
  EXPECT_EQ(Says(ec_.Token(R"({"alg":"none","alg":"ES256"})", "{}")),
            "TOKEN_MALFORMED");
}

TEST_F(VerifierTest, NoExtensionIsUnderstood) {
  for (const char* name : {"crit", "b64", "zip"}) {
    for (const json::value& value :
         {json::value(json::array{"exp"}), json::value(json::array{}),
          json::value("b64"), json::value(true), json::value(nullptr)}) {
      EXPECT_EQ(SaysOfHeader(With(ec_.Header(), name, value)),
                "TOKEN_MALFORMED");
    }
  }
}

TEST_F(VerifierTest, KeysInTheHeaderAreIgnored) {
  json::object header = ec_.Header();
  header["jku"] = "http://127.0.0.1:9/jwks";
  header["x5u"] = "http://127.0.0.1:9/cert";
  header["x5c"] = json::array{"AAAA"};
  header["jwk"] = json::object{{"kty", "OKP"}};
  EXPECT_EQ(SaysOfHeader(header), "ACCEPTED");
  const TestSigner stranger(Algorithm::kEs256);
  EXPECT_EQ(Says(stranger.Token(header, GoodPayload())), "SIGNATURE_INVALID");
}

TEST_F(VerifierTest, OtherAlgorithmsAreNotAllowed) {
  for (const char* name : {"none", "None", "", "HS256", "HS384", "RS384",
                           "PS256", "ES384", "ES256K", "es256", "ES256 "}) {
    EXPECT_EQ(SaysOfHeader(With(ec_.Header(), "alg", name)),
              "ALGORITHM_NOT_ALLOWED")
        << name;
  }
  const std::string input =
      Base64UrlEncode(R"({"alg":"none","typ":"at+jwt"})") + "." +
      Base64UrlEncode(json::serialize(GoodPayload()));
  EXPECT_EQ(Says(input + "."), "ALGORITHM_NOT_ALLOWED");
}

TEST_F(VerifierTest, TheKeysOwnAlgorithmBinds) {
  EXPECT_EQ(SaysOfHeader(With(ec_.Header(), "alg", "RS256")),
            "ALGORITHM_NOT_ALLOWED");
  EXPECT_EQ(SaysOfHeader(With(ec_.Header(), "alg", "EdDSA")),
            "ALGORITHM_NOT_ALLOWED");
}

TEST_F(VerifierTest, TheCallersListBinds) {
  VerifierOptions options = GoodOptions();
  options.algorithms = {Algorithm::kEdDsa};
  const Verifier picky = ValueOf(Verifier::Create(options));
  EXPECT_EQ(picky.Authenticate(GoodToken(), keys_).rejection(),
            Rejection::kAlgorithmNotAllowed);
  EXPECT_TRUE(picky.Authenticate(ed_.Token(ed_.Header(), GoodPayload()), keys_)
                  .accepted());
}

TEST_F(VerifierTest, Ed25519IsAnotherNameForEdDsa) {
  const json::object header = With(ed_.Header(), "alg", "Ed25519");
  EXPECT_EQ(Says(ed_.Token(header, GoodPayload())), "ACCEPTED");
}

TEST_F(VerifierTest, TheKeyMustBeNamedAndKnown) {
  EXPECT_EQ(SaysOfHeader(Without(ec_.Header(), "kid")), "KEY_UNKNOWN");
  for (const char* kid : {"", "nope", "../../dev/null", "' OR 1=1 --"}) {
    EXPECT_EQ(SaysOfHeader(With(ec_.Header(), "kid", kid)), "KEY_UNKNOWN");
  }
  EXPECT_EQ(verifier_.Authenticate(GoodToken(), KeySet()).rejection(),
            Rejection::kKeyUnknown);
}

TEST_F(VerifierTest, TheTypeIsThatOfAnAccessToken) {
  for (const char* type :
       {"at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"}) {
    EXPECT_EQ(SaysOfHeader(With(ec_.Header(), "typ", type)), "ACCEPTED");
  }
  for (const char* type : {"JWT", "jwt", "", "at+jwt ", "id+jwt", "dpop+jwt",
                           "application/jwt", "statuslist+jwt", "at"}) {
    EXPECT_EQ(SaysOfHeader(With(ec_.Header(), "typ", type)), "TYPE_MISMATCH");
  }
  EXPECT_EQ(SaysOfHeader(Without(ec_.Header(), "typ")), "TYPE_MISMATCH");
}

TEST_F(VerifierTest, JwtIsAcceptedAsTypeOnlyWhenAskedFor) {
  VerifierOptions options = GoodOptions();
  options.types = AcceptedTypes::kAccessTokenOrJwt;
  const Verifier wide = ValueOf(Verifier::Create(options));
  const auto accepts = [&](const json::object& header) {
    return wide.Authenticate(ec_.Token(header, GoodPayload()), keys_)
        .accepted();
  };
  EXPECT_TRUE(accepts(With(ec_.Header(), "typ", "JWT")));
  EXPECT_TRUE(accepts(ec_.Header()));
  EXPECT_FALSE(accepts(With(ec_.Header(), "typ", "dpop+jwt")));
  EXPECT_FALSE(accepts(Without(ec_.Header(), "typ")));
}

TEST_F(VerifierTest, AnIdTokenIsToldByItsTypeNotByItsClaims) {
  const json::object id_token = {{"iss", kIssuer},    {"sub", "acct_ada"},
                                 {"aud", "web"},      {"iat", kIssuedAt},
                                 {"exp", kExpiresAt}, {"nonce", "n"}};
  EXPECT_EQ(Says(ec_.Token(With(ec_.Header(), "typ", "JWT"), id_token)),
            "TYPE_MISMATCH");
}

TEST_F(VerifierTest, TheIssuerIsComparedExactly) {
  for (const char* issuer :
       {"https://id.example.test/", "HTTPS://ID.EXAMPLE.TEST", "",
        "https://id.example.tes"}) {
    EXPECT_EQ(SaysOfPayload(With(GoodPayload(), "iss", issuer)),
              "ISSUER_MISMATCH");
  }
  EXPECT_EQ(SaysOfPayload(Without(GoodPayload(), "iss")), "ISSUER_MISMATCH");
}

TEST_F(VerifierTest, RequiredClaimsAreThereAndNotEmpty) {
  for (const char* name : {"sub", "aud", "client_id", "jti", "iat", "exp"}) {
    EXPECT_EQ(SaysOfPayload(Without(GoodPayload(), name)), "TOKEN_MALFORMED")
        << name;
  }
  for (const char* name : {"sub", "aud", "client_id", "jti"}) {
    EXPECT_EQ(SaysOfPayload(With(GoodPayload(), name, "")), "TOKEN_MALFORMED")
        << name;
  }
  EXPECT_EQ(SaysOfPayload(With(GoodPayload(), "aud", json::array{})),
            "TOKEN_MALFORMED");
}

TEST_F(VerifierTest, ClaimsOfTheWrongTypeAreMalformed) {
  const auto refuses = [this](const char* name, json::value value) {
    return SaysOfPayload(With(GoodPayload(), name, std::move(value))) ==
           "TOKEN_MALFORMED";
  };
  for (const char* name : {"iss", "sub", "client_id", "sid", "jti", "scope",
                           "aud", "roles", "amr"}) {
    for (const json::value& wrong :
         {json::value(1), json::value(true), json::value(nullptr),
          json::value(json::object{}), json::value(json::array{1}),
          json::value(json::array{json::value(json::array{"x", "y"})})}) {
      EXPECT_TRUE(refuses(name, wrong)) << name << json::serialize(wrong);
    }
  }
  EXPECT_TRUE(refuses("aud", json::array{"api", ""}));
  EXPECT_TRUE(refuses("roles", "admin"));
  EXPECT_TRUE(refuses("gen", -1));
  EXPECT_TRUE(refuses("gen", 1.5));
  EXPECT_TRUE(refuses("gen", "1"));
}

TEST_F(VerifierTest, DatesAreNumbersOfSecondsUpToTheYear9999) {
  for (const char* name : {"iat", "exp", "nbf", "auth_time"}) {
    for (const char* number : {"0", "1.5", "1e3", "253402300799"}) {
      json::object payload = GoodPayload();
      payload.erase(name);
      std::string text = json::serialize(payload);
      text.back() = ',';
      EXPECT_EQ(SaysOfPayloadText(text + '"' + name + "\":" + number + "}"),
                "ACCEPTED")
          << name << number;
    }
    for (const char* number :
         {"-1", "-0.0", "-1e308", "1e308", "1e999", "253402300800",
          "253402300799.5", "9223372036854775807", "9223372036854775808",
          "18446744073709551616", "\"1\"", "true", "null", "{}", "[1]", "0x10",
          "01", "1abc"}) {
      json::object payload = GoodPayload();
      payload.erase(name);
      std::string text = json::serialize(payload);
      text.back() = ',';
      EXPECT_EQ(SaysOfPayloadText(text + '"' + name + "\":" + number + "}"),
                "TOKEN_MALFORMED")
          << name << number;
    }
  }
}

TEST_F(VerifierTest, AFractionOfASecondCounts) {
  json::object payload = GoodPayload();
  payload["exp"] = kExpiresAt + 0.5;
  const Verdict verdict = Judge(ec_.Token(ec_.Header(), payload));
  ASSERT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.token().claims().expire_time,
            absl::FromUnixSeconds(kExpiresAt) + absl::Milliseconds(500));
}

TEST_F(VerifierTest, PayloadsMustBeStrictJsonObjects) {
  const std::string good = json::serialize(GoodPayload());
  ASSERT_EQ(SaysOfPayloadText(good), "ACCEPTED");
  for (const std::string& text :
       {std::string(), "[" + good + "]", good + "{}", "\xef\xbb\xbf" + good,
        std::string("\"text\""), good.substr(0, good.size() - 1),
        good.substr(0, good.size() - 1) + ",\"s\\u0075b\":\"root\"}"}) {
    EXPECT_EQ(SaysOfPayloadText(text), "TOKEN_MALFORMED") << text;
  }
}

TEST_F(VerifierTest, OfSeveralFaultsTheFirstInOrderIsNamed) {
  const TestSigner stranger(Algorithm::kEs256);
  json::object header = ec_.Header();
  json::object payload = GoodPayload();
  const auto says = [&](const TestSigner& signer) {
    return Says(signer.Token(header, payload));
  };
  payload.erase("jti");
  EXPECT_EQ(says(ec_), "TOKEN_MALFORMED");
  payload["iss"] = "https://elsewhere.test";
  EXPECT_EQ(says(ec_), "ISSUER_MISMATCH");
  header["typ"] = "JWT";
  EXPECT_EQ(says(ec_), "TYPE_MISMATCH");
  EXPECT_EQ(says(stranger), "SIGNATURE_INVALID");
  header["kid"] = "nope";
  EXPECT_EQ(says(stranger), "KEY_UNKNOWN");
  header["alg"] = "HS256";
  EXPECT_EQ(says(stranger), "ALGORITHM_NOT_ALLOWED");
  payload["exp"] = "soon";
  EXPECT_EQ(says(stranger), "TOKEN_MALFORMED");
}

TEST_F(VerifierTest, ALifetimeAboveTheMaximumIsMalformed) {
  VerifierOptions options = GoodOptions();
  options.maximum_lifetime = absl::Hours(24);
  const Verifier bounded = ValueOf(Verifier::Create(options));
  json::object payload = GoodPayload();
  payload["exp"] = kIssuedAt + 24 * 3600;
  EXPECT_TRUE(
      bounded.Authenticate(ec_.Token(ec_.Header(), payload), keys_).accepted());
  payload["exp"] = kIssuedAt + 24 * 3600 + 1;
  const std::string token = ec_.Token(ec_.Header(), payload);
  EXPECT_EQ(bounded.Authenticate(token, keys_).rejection(),
            Rejection::kTokenMalformed);
  EXPECT_EQ(Says(token), "ACCEPTED");
}

TEST_F(VerifierTest, VerifyChecksTokenAndClaims) {
  const absl::Time now = absl::FromUnixSeconds(kIssuedAt + 60);
  const auto verify = [&](Expectations expectations, absl::Time at) {
    return verifier_.Verify(GoodToken(), keys_, expectations, at);
  };
  const Expectations for_api{.audience = Audience::Exactly("api")};
  EXPECT_TRUE(verify(for_api, now).accepted());
  EXPECT_EQ(verify(for_api, absl::FromUnixSeconds(kExpiresAt)).rejection(),
            Rejection::kTokenExpired);
  EXPECT_EQ(verify({.audience = Audience::Exactly("other")}, now).rejection(),
            Rejection::kAudienceMismatch);
  EXPECT_EQ(verifier_.Verify("", keys_, for_api, now).rejection(),
            Rejection::kTokenMalformed);
}

TEST(VerifierOptionsTest, ContradictoryOrEmptySettingsAreRefused) {
  const auto invalid = HasCode(absl::StatusCode::kInvalidArgument);
  VerifierOptions options = GoodOptions();
  EXPECT_OK(Verifier::Create(options));
  options.issuer = "";
  EXPECT_THAT(Verifier::Create(options), invalid);
  options = GoodOptions();
  options.algorithms = {};
  EXPECT_THAT(Verifier::Create(options), invalid);
  options.algorithms = {Algorithm::kEs256, Algorithm::kEs256};
  EXPECT_THAT(Verifier::Create(options), invalid);
  options = GoodOptions();
  for (const absl::Duration lifetime :
       {absl::ZeroDuration(), -absl::Seconds(1), absl::InfiniteDuration()}) {
    options.maximum_lifetime = lifetime;
    EXPECT_THAT(Verifier::Create(options), invalid);
  }
}

TEST(VerdictTest, AskingForWhatIsNotThereEndsTheProcess) {
  const Verdict refused(Rejection::kKeyUnknown);
  EXPECT_DEATH(refused.token(), "");
}

}  // namespace
}  // namespace ostiary::jwt
