#include <boost/json.hpp>
#include <set>
#include <string>

#include "client/jwt/key_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/key/ring_fixture.h"

namespace ostiary::key {
namespace {

using ::ostiary::testing::IsOk;
using ::ostiary::testing::ValueOf;

class JwksTest : public ::ostiary::testing::RingFixture {
 protected:
  boost::json::array Keys() const {
    return boost::json::parse(View()->jwks_json()).at("keys").as_array();
  }
};

TEST_F(JwksTest, EveryKeyHasItsMembersAndNoPrivateOne) {
  ASSERT_OK(ring_->Prepare(jwt::Algorithm::kRs256, audit_));
  ASSERT_OK(ring_->Prepare(jwt::Algorithm::kEdDsa, audit_));
  ASSERT_OK(Activate(PreparedId(), Lead::kWaived));  // so that one is retired
  const boost::json::array keys = Keys();
  EXPECT_EQ(keys.size(), 5u);
  std::set<std::string> ids;
  for (const auto& key : keys) {
    const auto& members = key.as_object();
    for (const char* name : {"kty", "kid", "alg", "use"}) {
      EXPECT_TRUE(members.contains(name)) << name;
    }
    EXPECT_EQ(members.at("use").as_string(), "sig");
    EXPECT_NE(members.at("kty").as_string(), "oct");
    for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
      EXPECT_FALSE(members.contains(name)) << name;
    }
    ids.insert(std::string(members.at("kid").as_string()));
  }
  EXPECT_EQ(ids.size(), keys.size());
}

TEST_F(JwksTest, TheActiveKeyComesFirst) {
  ASSERT_OK(Activate(PreparedId(), Lead::kWaived));
  EXPECT_EQ(std::string(Keys()[0].at("kid").as_string()), ActiveId());
}

TEST_F(JwksTest, ConsumersReadTheSameKeysThatTheServerUses) {
  const jwt::KeySet read = ValueOf(jwt::KeySet::Parse(View()->jwks_json()));
  ASSERT_EQ(read.keys().size(), View()->verifying_keys().keys().size());
  const jwt::VerifyingKey* key = read.Find(ActiveId());
  ASSERT_NE(key, nullptr);
  EXPECT_TRUE(key->Verifies("m", ValueOf(View()->active().Sign("m"))));
}

TEST_F(JwksTest, TheEtagChangesIfAndOnlyIfTheContentDoes) {
  const std::string jwks = View()->jwks_json();
  const std::string etag = View()->etag();
  EXPECT_EQ(etag.front(), '"');
  EXPECT_EQ(etag.back(), '"');
  Restart();
  EXPECT_EQ(View()->etag(), etag);
  ASSERT_OK(Revoke(PreparedId()));
  EXPECT_NE(View()->jwks_json(), jwks);
  EXPECT_NE(View()->etag(), etag);
}

TEST_F(JwksTest, CacheControlIsTheSchedules) {
  EXPECT_EQ(View()->cache_control(), "public, max-age=3600");
}

}  // namespace
}  // namespace ostiary::key
