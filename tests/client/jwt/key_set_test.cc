#include "client/jwt/key_set.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "client/jwt/base64url.h"
#include "gtest/gtest.h"
#include "tests/client/jwt/test_signer.h"
#include "tests/support/status_matchers.h"

namespace ostiary::jwt {
namespace {

namespace json = boost::json;
using ::ostiary::testing::HasCode;
using testing::TestSigner;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

const PublicJwk& EcJwk() {
  static const PublicJwk jwk = TestSigner(Algorithm::kEs256).jwk();
  return jwk;
}

const PublicJwk& RsaJwk() {
  static const PublicJwk jwk = TestSigner(Algorithm::kRs256).jwk();
  return jwk;
}

json::object Object(const PublicJwk& jwk) {
  return json::parse(jwk.ToJson()).as_object();
}

json::object With(const PublicJwk& jwk, const char* name, json::value value) {
  json::object object = Object(jwk);
  object[name] = std::move(value);
  return object;
}

json::object Without(const PublicJwk& jwk, const char* name) {
  json::object object = Object(jwk);
  object.erase(name);
  return object;
}

std::string SetOf(json::array keys) {
  return json::serialize(json::object{{"keys", std::move(keys)}});
}

// How many keys of the set {key} can be used; the set itself must be good.
std::size_t Usable(const json::object& key) {
  const auto set = KeySet::Parse(SetOf({key}));
  EXPECT_OK(set);
  return set.ok() ? set->keys().size() : 99;
}

TEST(KeySetTest, AKeyIsFoundByItsKid) {
  ASSERT_OK_AND_ASSIGN(const KeySet set, KeySet::FromKeys({EcJwk(), RsaJwk()}));
  ASSERT_NE(set.Find(RsaJwk().kid), nullptr);
  EXPECT_EQ(set.Find(RsaJwk().kid)->jwk(), RsaJwk());
  EXPECT_EQ(set.Find(""), nullptr);
  EXPECT_EQ(set.Find("nope"), nullptr);
}

TEST(KeySetTest, AnEmptySetKnowsNoKey) {
  EXPECT_TRUE(KeySet().empty());
  EXPECT_EQ(KeySet().Find(""), nullptr);
  ASSERT_OK_AND_ASSIGN(const KeySet set, KeySet::Parse(R"({"keys":[]})"));
  EXPECT_TRUE(set.empty());
}

TEST(KeySetTest, ACopySharesTheKeysAndOutlivesTheOriginal) {
  KeySet copy;
  {
    ASSERT_OK_AND_ASSIGN(const KeySet set, KeySet::FromKeys({EcJwk()}));
    copy = set;
    EXPECT_EQ(copy.Find(EcJwk().kid), set.Find(EcJwk().kid));
  }
  EXPECT_NE(copy.Find(EcJwk().kid), nullptr);
}

TEST(KeySetTest, WhatIsNotASetIsRefused) {
  for (const char* text :
       {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1]})",
        R"({"keys":[],"keys":[]})", R"({"keys":[]} {})", "null"}) {
    EXPECT_THAT(KeySet::Parse(text), HasCode(kInvalid)) << text;
  }
}

TEST(KeySetTest, TooLargeASetIsRefused) {
  const std::string padded = R"({"keys":[]})" + std::string(256 * 1024, ' ');
  EXPECT_THAT(KeySet::Parse(padded), HasCode(kInvalid));
  json::array many;
  for (int i = 0; i < 257; ++i) many.push_back(json::object{{"kty", "x"}});
  EXPECT_THAT(KeySet::Parse(SetOf(many)), HasCode(kInvalid));
}

TEST(KeySetTest, TwoKeysOfOneKidAreRefused) {
  PublicJwk twin = RsaJwk();
  twin.kid = EcJwk().kid;
  EXPECT_THAT(KeySet::FromKeys({EcJwk(), twin}), HasCode(kInvalid));
  EXPECT_THAT(KeySet::Parse(SetOf({Object(EcJwk()), Object(twin)})),
              HasCode(kInvalid));
  EXPECT_THAT(KeySet::Parse(SetOf({Object(EcJwk()), With(twin, "use", "enc")})),
              HasCode(kInvalid));
}

TEST(KeySetTest, UnknownKeysAreLeftOutAndTheOthersWork) {
  ASSERT_OK_AND_ASSIGN(
      const KeySet set,
      KeySet::Parse(SetOf({json::object{{"kty", "NEW"}, {"kid", "n"}},
                           With(RsaJwk(), "alg", "PS256"), Object(EcJwk()),
                           json::object{{"kty", 7}}})));
  EXPECT_EQ(set.keys().size(), 1u);
  EXPECT_NE(set.Find(EcJwk().kid), nullptr);
}

TEST(KeySetTest, UnknownMembersAreIgnored) {
  EXPECT_EQ(Usable(With(EcJwk(), "x5t", "abc")), 1u);
}

TEST(KeySetTest, AKeyMustSayItsAlgorithm) {
  EXPECT_EQ(Usable(Object(RsaJwk())), 1u);
  EXPECT_EQ(Usable(Without(RsaJwk(), "alg")), 0u);
  EXPECT_EQ(Usable(With(RsaJwk(), "alg", "ES256")), 0u);
  EXPECT_EQ(Usable(With(RsaJwk(), "alg", "HS256")), 0u);
  EXPECT_EQ(Usable(With(RsaJwk(), "alg", "none")), 0u);
}

TEST(KeySetTest, AKeyMustHaveAKid) {
  EXPECT_EQ(Usable(Without(RsaJwk(), "kid")), 0u);
  EXPECT_EQ(Usable(With(RsaJwk(), "kid", "")), 0u);
  EXPECT_EQ(Usable(With(RsaJwk(), "kid", 1)), 0u);
  EXPECT_EQ(Usable(With(RsaJwk(), "kid", json::string(257, 'k'))), 0u);
}

TEST(KeySetTest, UseAndKeyOpsAreHonoured) {
  EXPECT_EQ(Usable(Without(EcJwk(), "use")), 1u);
  EXPECT_EQ(Usable(With(EcJwk(), "use", "enc")), 0u);
  EXPECT_EQ(Usable(With(EcJwk(), "use", nullptr)), 0u);
  EXPECT_EQ(Usable(With(EcJwk(), "key_ops", json::array{"verify"})), 1u);
  EXPECT_EQ(Usable(With(EcJwk(), "key_ops", json::array{"encrypt"})), 0u);
  EXPECT_EQ(Usable(With(EcJwk(), "key_ops", json::array{})), 0u);
  EXPECT_EQ(Usable(With(EcJwk(), "key_ops", "verify")), 0u);
}

TEST(KeySetTest, PrivateAndSymmetricKeysAreNeverVerifyingKeys) {
  EXPECT_EQ(Usable(With(EcJwk(), "d", "AAAA")), 0u);
  EXPECT_EQ(Usable(With(RsaJwk(), "p", "AAAA")), 0u);
  EXPECT_EQ(
      Usable({{"kty", "oct"}, {"k", "AAAA"}, {"kid", "o"}, {"alg", "HS256"}}),
      0u);
  EXPECT_EQ(Usable(With(EcJwk(), "kty", "oct")), 0u);
}

TEST(KeySetTest, AnotherCurveIsNotUsed) {
  EXPECT_EQ(Usable(With(EcJwk(), "crv", "P-384")), 0u);
  EXPECT_EQ(Usable(Without(EcJwk(), "crv")), 0u);
  EXPECT_EQ(Usable(With(TestSigner(Algorithm::kEdDsa).jwk(), "crv", "X25519")),
            0u);
}

TEST(KeySetTest, NumbersMustBeCanonicalBase64Url) {
  EXPECT_EQ(Usable(With(EcJwk(), "x",
                        json::string(Base64UrlEncode(EcJwk().x) + "="))),
            0u);
  EXPECT_EQ(Usable(With(RsaJwk(), "e", "AQAC")), 0u);  // even
  EXPECT_EQ(Usable(With(RsaJwk(), "e", "AQAB ")), 0u);
}

TEST(KeySetTest, Ed25519IsAnotherNameForEdDsa) {
  const PublicJwk jwk = TestSigner(Algorithm::kEdDsa).jwk();
  EXPECT_EQ(Usable(Object(jwk)), 1u);
  EXPECT_EQ(Usable(With(jwk, "alg", "Ed25519")), 1u);
}

}  // namespace
}  // namespace ostiary::jwt
