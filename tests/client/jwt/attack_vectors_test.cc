#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "client/jwt/verifier.h"
#include "gtest/gtest.h"
#include "tests/client/jwt/vectors.h"
#include "tests/support/status_matchers.h"

namespace ostiary::jwt {
namespace {

using ::ostiary::testing::ValueOf;
using testing::ReadVectors;
using testing::TextOf;

Verifier VerifierFor(const boost::json::value& file) {
  VerifierOptions options{.issuer = TextOf(file.at("issuer"))};
  for (const auto& name : file.at("allowed_algs").as_array()) {
    options.algorithms.push_back(ParseAlgorithm(TextOf(name)).value());
  }
  return ValueOf(Verifier::Create(options));
}

TEST(AttackVectorsTest, EveryTokenIsJudgedRight) {
  const auto file = ReadVectors("jose/jwt-attacks.json");
  const Verifier verifier = VerifierFor(file);
  const KeySet keys =
      ValueOf(KeySet::Parse(boost::json::serialize(file.at("jwks"))));
  const Expectations expectations{
      .audience = Audience::Exactly(TextOf(file.at("audience"))),
      .leeway =
          ValueOf(Leeway::Of(absl::Seconds(file.at("leeway_s").as_int64())))};
  const absl::Time now = absl::FromUnixSeconds(file.at("now").as_int64());

  int accepted = 0;
  for (const auto& item : file.at("cases").as_array()) {
    const Verdict verdict =
        verifier.Verify(TextOf(item.at("token")), keys, expectations, now);
    EXPECT_EQ(verdict.accepted(), item.at("expect") == "accept")
        << item.at("id") << item.at("why");
    accepted += verdict.accepted() ? 1 : 0;
  }
  EXPECT_EQ(file.at("cases").as_array().size(), 129u);
  EXPECT_EQ(accepted, 12);
}

// The class of a case says which rule it breaks, so most classes have one
// reason that must be the one given.
TEST(AttackVectorsTest, EveryRefusalNamesItsClass) {
  const auto file = ReadVectors("jose/jwt-attacks.json");
  const Verifier verifier = VerifierFor(file);
  const KeySet keys =
      ValueOf(KeySet::Parse(boost::json::serialize(file.at("jwks"))));
  const std::vector<std::pair<std::string, std::string>> reasons = {
      {"alg-none", "ALGORITHM_NOT_ALLOWED"},
      {"alg-confusion", "ALGORITHM_NOT_ALLOWED"},
      {"crit", "TOKEN_MALFORMED"},
      {"json", "TOKEN_MALFORMED"},
      {"b64", "TOKEN_MALFORMED"},
      {"form", "TOKEN_MALFORMED"},
      {"nest", "TOKEN_MALFORMED"},
      {"claim", "TOKEN_MALFORMED"}};
  int checked = 0;
  for (const auto& item : file.at("cases").as_array()) {
    for (const auto& [cls, reason] : reasons) {
      if (TextOf(item.at("cls")) != cls) continue;
      // Their signatures are empty and too long: well-formed, and wrong.
      if (item.at("id") == "v-158" || item.at("id") == "v-146") continue;
      const Verdict verdict =
          verifier.Authenticate(TextOf(item.at("token")), keys);
      ASSERT_FALSE(verdict.accepted()) << item.at("id");
      EXPECT_EQ(std::string(RejectionName(verdict.rejection())), reason)
          << item.at("id");
      ++checked;
    }
  }
  EXPECT_GT(checked, 40);
}

TEST(RfcExamplesTest, AnHs256TokenIsRefusedWhateverKeyIsPublished) {
  const auto file = ReadVectors("oauth/rfc-examples.json");
  const auto& example = file.at("rfc7515_A1");
  boost::json::object oct = example.at("jwk").as_object();
  oct["kid"] = "a1";
  oct["alg"] = "HS256";
  const boost::json::object jwks{{"keys", boost::json::array{oct}}};
  ASSERT_OK_AND_ASSIGN(const KeySet keys,
                       KeySet::Parse(boost::json::serialize(jwks)));
  EXPECT_TRUE(keys.empty());
  const Verifier verifier = ValueOf(
      Verifier::Create({.issuer = "joe", .algorithms = {Algorithm::kEs256}}));
  EXPECT_EQ(verifier.Authenticate(TextOf(example.at("jws")), keys).rejection(),
            Rejection::kAlgorithmNotAllowed);
}

TEST(RfcExamplesTest, Rfc8037AppendixA4Verifies) {
  const auto file = ReadVectors("oauth/rfc-examples.json");
  const auto& example = file.at("rfc8037_A");
  boost::json::object jwk = example.at("jwk").as_object();
  jwk.erase("d");
  jwk["kid"] = "a";
  jwk["alg"] = "EdDSA";
  const boost::json::object jwks{{"keys", boost::json::array{jwk}}};
  ASSERT_OK_AND_ASSIGN(const KeySet keys,
                       KeySet::Parse(boost::json::serialize(jwks)));
  const std::string jws = TextOf(example.at("jws"));
  const std::optional<RawToken> raw = RawToken::Parse(jws);
  ASSERT_TRUE(raw.has_value());
  EXPECT_EQ(raw->payload(), "Example of Ed25519 signing");
  EXPECT_TRUE(keys.Find("a")->Verifies(raw->signing_input(), raw->signature()));
}

}  // namespace
}  // namespace ostiary::jwt
