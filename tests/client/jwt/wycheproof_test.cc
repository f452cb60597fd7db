#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "client/jwt/base64url.h"
#include "client/jwt/key_set.h"
#include "client/jwt/token.h"
#include "gtest/gtest.h"
#include "tests/client/jwt/vectors.h"
#include "tests/support/status_matchers.h"

// Signatures and keys that broke other libraries. The files are not in this
// repository; see tests/vectors/README.md.

namespace ostiary::jwt {
namespace {

namespace json = boost::json;
using testing::FromHex;
using testing::ReadWycheproof;
using testing::TextOf;

#define OSTIARY_WYCHEPROOF(name)                                        \
  const std::optional<json::value> found = ReadWycheproof(name);        \
  if (!found.has_value()) {                                             \
    std::cerr << "**** SKIPPED: no Wycheproof file " << (name)          \
              << "; set OSTIARY_SHARED to the folder that has vectors/" \
              << std::endl;                                             \
    GTEST_SKIP() << "no Wycheproof file " << (name);                    \
  }                                                                     \
  const json::value& file = *found

std::string Hex(const json::value& holder, const char* name) {
  return FromHex(TextOf(holder.at(name)));
}

std::string Unpadded(std::string number) {
  number.erase(0, number.find_first_not_of('\0'));
  return number;
}

// Judges every signature of `file` by the key `key_of` makes of its group.
template <typename KeyOf>
int JudgeSignatures(const json::value& file, KeyOf key_of) {
  int judged = 0;
  for (const json::value& group : file.at("testGroups").as_array()) {
    const auto key = VerifyingKey::Create(key_of(group));
    EXPECT_OK(key);
    if (!key.ok()) continue;
    for (const json::value& test : group.at("tests").as_array()) {
      const bool good = key->Verifies(Hex(test, "msg"), Hex(test, "sig"));
      if (test.at("result") != "acceptable") {
        EXPECT_EQ(good, test.at("result") == "valid")
            << test.at("tcId") << test.at("comment");
      }
      ++judged;
    }
  }
  return judged;
}

TEST(WycheproofTest, EcdsaP256InP1363Form) {
  OSTIARY_WYCHEPROOF("ecdsa_secp256r1_sha256_p1363_test.json");
  const int judged = JudgeSignatures(file, [](const json::value& group) {
    const std::string point = Hex(group.at("publicKey"), "uncompressed");
    return PublicJwk::Es256(point.substr(1, 32), point.substr(33));
  });
  EXPECT_EQ(judged, file.at("numberOfTests").as_int64());
}

TEST(WycheproofTest, Ed25519) {
  OSTIARY_WYCHEPROOF("ed25519_test.json");
  const int judged = JudgeSignatures(file, [](const json::value& group) {
    return PublicJwk::EdDsa(Hex(group.at("publicKey"), "pk"));
  });
  EXPECT_EQ(judged, file.at("numberOfTests").as_int64());
}

TEST(WycheproofTest, Rsa2048Sha256) {
  OSTIARY_WYCHEPROOF("rsa_signature_2048_sha256_test.json");
  const int judged = JudgeSignatures(file, [](const json::value& group) {
    const json::value& key = group.at("publicKey");
    return PublicJwk::Rs256(Unpadded(Hex(key, "modulus")),
                            Unpadded(Hex(key, "publicExponent")));
  });
  EXPECT_EQ(judged, file.at("numberOfTests").as_int64());
}

// True if the keys of `group` accept `jws` as this room would: any payload,
// but kid, algorithm and signature as the verifier wants them.
bool SignatureAccepted(const json::value& group, const std::string& jws) {
  const auto* published = group.as_object().if_contains("public");
  json::value jwks = published != nullptr ? *published : group.at("private");
  if (!jwks.as_object().contains("keys")) {
    jwks = json::object{{"keys", json::array{jwks}}};
  }
  const auto keys = KeySet::Parse(json::serialize(jwks));
  const auto token = RawToken::Parse(jws);
  if (!keys.ok() || !token.has_value()) return false;
  if (!token->kid().has_value()) return false;
  const VerifyingKey* key = keys->Find(*token->kid());
  return key != nullptr &&
         key->algorithm() == ParseAlgorithm(token->algorithm_name()) &&
         key->Verifies(token->signing_input(), token->signature());
}

bool IsOurs(const json::value& group, const json::value& test) {
  const auto* key = group.as_object().if_contains("public");
  if (key == nullptr) return false;
  const std::string text = json::serialize(*key);
  const auto token = RawToken::Parse(TextOf(test.at("jws")));
  return text.find("\"kid\"") != std::string::npos && token.has_value() &&
         ParseAlgorithm(token->algorithm_name()).has_value();
}

TEST(WycheproofTest, JsonWebSignature) {
  OSTIARY_WYCHEPROOF("json_web_signature_test.json");
  int valid = 0;
  for (const json::value& group : file.at("testGroups").as_array()) {
    for (const json::value& test : group.at("tests").as_array()) {
      const bool accepted = SignatureAccepted(group, TextOf(test.at("jws")));
      const bool expected = test.at("result") == "valid" && IsOurs(group, test);
      EXPECT_EQ(accepted, expected) << test.at("tcId") << test.at("comment");
      valid += accepted ? 1 : 0;
    }
  }
  EXPECT_GE(valid, 4);
}

TEST(WycheproofTest, JsonWebKey) {
  OSTIARY_WYCHEPROOF("json_web_key_test.json");
  int valid = 0;
  for (const json::value& group : file.at("testGroups").as_array()) {
    for (const json::value& test : group.at("tests").as_array()) {
      const bool accepted = SignatureAccepted(group, TextOf(test.at("jws")));
      const bool expected = test.at("result") == "valid" && IsOurs(group, test);
      EXPECT_EQ(accepted, expected) << test.at("tcId") << test.at("comment");
      valid += accepted ? 1 : 0;
    }
  }
  EXPECT_GE(valid, 1);
}

}  // namespace
}  // namespace ostiary::jwt
