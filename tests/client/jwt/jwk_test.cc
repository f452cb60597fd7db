#include "client/jwt/jwk.h"

#include "client/jwt/base64url.h"
#include "client/jwt/key_set.h"
#include "gtest/gtest.h"
#include "tests/client/jwt/test_signer.h"
#include "tests/client/jwt/vectors.h"
#include "tests/support/status_matchers.h"

namespace ostiary::jwt {
namespace {

using testing::ReadVectors;
using testing::TestSigner;
using testing::TextOf;

std::string Decoded(const boost::json::value& jwk, const char* name) {
  return Base64UrlDecode(TextOf(jwk.at(name))).value();
}

TEST(ThumbprintTest, Rfc7638Section31) {
  const auto vectors = ReadVectors("oauth/rfc-examples.json");
  const auto& example = vectors.at("rfc7638_3_1");
  const PublicJwk jwk = PublicJwk::Rs256(Decoded(example.at("jwk"), "n"),
                                         Decoded(example.at("jwk"), "e"));
  EXPECT_EQ(Thumbprint(jwk), TextOf(example.at("thumbprint_sha256")));
}

TEST(ThumbprintTest, Rfc8037AppendixA3) {
  const auto vectors = ReadVectors("oauth/rfc-examples.json");
  const auto& example = vectors.at("rfc8037_A");
  const PublicJwk jwk = PublicJwk::EdDsa(Decoded(example.at("jwk"), "x"));
  EXPECT_EQ(Thumbprint(jwk), TextOf(example.at("thumbprint_sha256")));
}

TEST(ThumbprintTest, Rfc9449Section61) {
  const auto vectors = ReadVectors("oauth/rfc-examples.json");
  const auto& example = vectors.at("rfc9449_6_1_thumbprint");
  const PublicJwk jwk = PublicJwk::Es256(Decoded(example.at("jwk"), "x"),
                                         Decoded(example.at("jwk"), "y"));
  EXPECT_EQ(Thumbprint(jwk), TextOf(example.at("jkt")));
}

TEST(ThumbprintTest, DoesNotDependOnTheKid) {
  PublicJwk jwk = PublicJwk::EdDsa(std::string(32, 'x'));
  EXPECT_EQ(jwk.kid, Thumbprint(jwk));
  jwk.kid = "another";
  EXPECT_NE(jwk.kid, Thumbprint(jwk));
  EXPECT_EQ(Thumbprint(jwk), PublicJwk::EdDsa(std::string(32, 'x')).kid);
}

TEST(PublicJwkTest, JsonHasTheMembersInOrder) {
  PublicJwk jwk = PublicJwk::EdDsa("f");
  jwk.kid = "a\"b";
  EXPECT_EQ(jwk.ToJson(), R"({"kty":"OKP","crv":"Ed25519","x":"Zg",)"
                          R"("alg":"EdDSA","use":"sig","kid":"a\"b"})");
  jwk = PublicJwk::Es256("f", "fo");
  jwk.kid = "k";
  EXPECT_EQ(jwk.ToJson(), R"({"kty":"EC","crv":"P-256","x":"Zg","y":"Zm8",)"
                          R"("alg":"ES256","use":"sig","kid":"k"})");
  jwk = PublicJwk::Rs256("foo", "f");
  jwk.kid = "k";
  EXPECT_EQ(jwk.ToJson(), R"({"kty":"RSA","n":"Zm9v","e":"Zg",)"
                          R"("alg":"RS256","use":"sig","kid":"k"})");
}

TEST(PublicJwkTest, WhatIsPublishedIsReadBackTheSame) {
  const std::vector<PublicJwk> keys = {TestSigner(Algorithm::kEs256).jwk(),
                                       TestSigner(Algorithm::kRs256).jwk(),
                                       TestSigner(Algorithm::kEdDsa).jwk()};
  ASSERT_OK_AND_ASSIGN(const KeySet set, KeySet::Parse(ToJwksJson(keys)));
  ASSERT_EQ(set.keys().size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(set.keys()[i].jwk(), keys[i]);
  }
  EXPECT_EQ(set.ToJson(), ToJwksJson(keys));
}

}  // namespace
}  // namespace ostiary::jwt
