#include "server/token/status_list_token.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/jwt/base64url.h"
#include "client/jwt/verifier.h"
#include "gtest/gtest.h"
#include "tests/server/token/test_keys.h"

namespace ostiary::token {
namespace {

using ::ostiary::testing::AMinter;
using ::ostiary::testing::ARequest;
using ::ostiary::testing::kIssuer;
using ::ostiary::testing::ValueOf;
using ::ostiary::testing::ViewWithKeyOf;

std::string PartOf(const std::string& token, std::size_t index) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  return jwt::Base64UrlDecode(parts.at(index)).value();
}

StatusListTokenRequest AList() {
  StatusListTokenRequest request;
  request.uri = "https://id.example/status-lists/stl_x";
  request.issue_time = absl::FromUnixMillis(1'700'000'000'999);
  request.expire_time = request.issue_time + absl::Minutes(2);
  request.ttl = absl::Seconds(30);
  request.lst = "eNrbuRgAAhcBXQ";
  return request;
}

TEST(StatusListToken, HeaderAndClaimsAreExactlyTheSpecifications) {
  const auto keys = ViewWithKeyOf(jwt::Algorithm::kEs256);
  const std::string token =
      ValueOf(MintStatusListToken(AList(), keys->active()));
  EXPECT_EQ(PartOf(token, 0), absl::StrCat("{\"alg\":\"ES256\",\"kid\":\"",
                                           keys->active().key_id(),
                                           "\",\"typ\":\"statuslist+jwt\"}"));
  EXPECT_EQ(PartOf(token, 1),
            "{\"sub\":\"https://id.example/status-lists/stl_x\","
            "\"iat\":1700000000,\"exp\":1700000120,\"ttl\":30,"
            "\"status_list\":{\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}");
}

TEST(StatusListToken, IsNoAccessToken) {
  const auto keys = ViewWithKeyOf(jwt::Algorithm::kEs256);
  const std::string token =
      ValueOf(MintStatusListToken(AList(), keys->active()));
  const jwt::Verifier verifier = ValueOf(jwt::Verifier::Create(
      {kIssuer, {jwt::Algorithm::kEs256}, key::kAccessLifetimeCap}));
  const auto verdict = verifier.Authenticate(token, keys->verifying_keys());
  ASSERT_FALSE(verdict.accepted());
  EXPECT_EQ(verdict.rejection(), jwt::Rejection::kTypeMismatch);
}

TEST(StatusClaim, StandsInTheAccessTokenAsTheSpecificationSays) {
  const auto keys = ViewWithKeyOf(jwt::Algorithm::kEs256);
  AccessTokenRequest request = ARequest();
  request.status = {412, "https://id.example/status-lists/stl_x"};
  const std::string payload =
      PartOf(ValueOf(AMinter().Mint(request, *keys)).text, 1);
  EXPECT_NE(
      payload.find(",\"status\":{\"status_list\":{\"idx\":412,"
                   "\"uri\":\"https://id.example/status-lists/stl_x\"}}}"),
      std::string::npos)
      << payload;
}

}  // namespace
}  // namespace ostiary::token
