#include "server/door/documents.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::door {
namespace {

using ::ostiary::testing::House;
using ::testing::UnorderedElementsAre;

boost::json::object Parse(const std::shared_ptr<const Document>& document) {
  return boost::json::parse(document->body).as_object();
}

class Documents : public ::testing::Test {
 protected:
  using All = absl::flat_hash_map<std::string, HouseDoor::DocumentSource>;
  All For(const std::string& issuer) {
    return WellKnownDocuments(issuer, *house_->keys);
  }
  static std::vector<std::string> PathsOf(const All& documents) {
    std::vector<std::string> paths;
    for (const auto& [path, source] : documents) paths.push_back(path);
    return paths;
  }

  House house_;
};

TEST_F(Documents, IssuerWithoutAPathHasThreePaths) {
  EXPECT_THAT(PathsOf(For("https://id.example")),
              UnorderedElementsAre("/.well-known/jwks.json",
                                   "/.well-known/openid-configuration",
                                   "/.well-known/oauth-authorization-server"));
  EXPECT_EQ(For("https://id.example").size(),
            For("https://id.example/").size());
}

TEST_F(Documents, IssuerWithAPathIsFoundWhereBothSpecificationsLook) {
  EXPECT_THAT(PathsOf(For("https://id.example/tenant")),
              UnorderedElementsAre(
                  "/.well-known/jwks.json", "/tenant/.well-known/jwks.json",
                  "/tenant/.well-known/openid-configuration",
                  "/.well-known/openid-configuration/tenant",
                  "/.well-known/oauth-authorization-server/tenant"));
}

TEST_F(Documents, NamesTheIssuerByteByByteAndAnAddressOfTheJwksThatIsServed) {
  for (const std::string issuer :
       {"https://id.example", "https://id.example/tenant",
        "http://127.0.0.1:8080"}) {
    const All documents = For(issuer);
    for (const auto& [path, source] : documents) {
      if (path.find("jwks") != std::string::npos) continue;
      const boost::json::object metadata = Parse(source());
      EXPECT_EQ(metadata.at("issuer").as_string(), issuer);
      const std::string uri(metadata.at("jwks_uri").as_string());
      const std::size_t host_end = uri.find('/', uri.find("://") + 3);
      EXPECT_TRUE(documents.contains(uri.substr(host_end))) << uri;
    }
  }
}

TEST_F(Documents, AdvertisesOnlyWhatWorks) {
  const All documents = For("https://id.example");
  const boost::json::object metadata =
      Parse(documents.at("/.well-known/openid-configuration")());
  std::vector<std::string> members;
  for (const auto& member : metadata)
    members.emplace_back(member.key().data(), member.key().size());
  // No endpoint that is not served, no grant that is not granted.
  EXPECT_THAT(members, UnorderedElementsAre(
                           "issuer", "jwks_uri", "response_types_supported",
                           "grant_types_supported", "subject_types_supported",
                           "id_token_signing_alg_values_supported"));
  EXPECT_TRUE(metadata.at("response_types_supported").as_array().empty());
  EXPECT_TRUE(metadata.at("grant_types_supported").as_array().empty());
  const auto& algorithms =
      metadata.at("id_token_signing_alg_values_supported").as_array();
  ASSERT_EQ(algorithms.size(), 1u);
  EXPECT_EQ(algorithms[0].as_string(), "ES256");
}

TEST_F(Documents, EtagIsStableUntilTheKeysChange) {
  const All documents = For("https://id.example");
  const auto& jwks = documents.at("/.well-known/jwks.json");
  const auto& metadata = documents.at("/.well-known/openid-configuration");
  const std::string etag = jwks()->etag;
  const std::string metadata_etag = metadata()->etag;
  EXPECT_EQ(etag.front(), '"');
  EXPECT_EQ(etag.back(), '"');
  EXPECT_EQ(jwks()->etag, etag);
  house_.clock.Advance(absl::Hours(1));
  EXPECT_EQ(jwks()->etag, etag);
  // The same keys after a restart: the same document.
  house_.Restart();
  EXPECT_EQ(For("https://id.example").at("/.well-known/jwks.json")()->etag,
            etag);
  EXPECT_EQ(
      For("https://id.example").at("/.well-known/openid-configuration")()->etag,
      metadata_etag);
}

TEST_F(Documents, RevokedKeyIsGoneFromTheNextAnswer) {
  const All documents = For("https://id.example");
  const auto& jwks = documents.at("/.well-known/jwks.json");
  const auto before = jwks();
  const std::string kid = house_->keys->Snapshot()->active().key_id();
  ASSERT_NE(before->body.find(kid), std::string::npos);
  ASSERT_OK(house_->keys->Revoke(kid, "", {}));
  EXPECT_EQ(jwks()->body.find(kid), std::string::npos);
  EXPECT_NE(jwks()->etag, before->etag);
}

TEST_F(Documents, NoPrivatePartIsPublished) {
  const All documents = For("https://id.example");
  const auto keys =
      Parse(documents.at("/.well-known/jwks.json")()).at("keys").as_array();
  ASSERT_FALSE(keys.empty());
  for (const auto& key : keys) {
    for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "k"}) {
      EXPECT_FALSE(key.as_object().contains(secret)) << secret;
    }
  }
}

TEST_F(Documents, MayBeCachedAsLongAsTheScheduleAllows) {
  for (const auto& [path, source] : For("https://id.example")) {
    EXPECT_EQ(source()->cache_control, "public, max-age=3600") << path;
    EXPECT_EQ(source()->content_type, "application/json") << path;
  }
}

}  // namespace
}  // namespace ostiary::door
