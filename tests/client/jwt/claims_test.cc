#include <limits>

#include "client/jwt/verifier.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ostiary::jwt {
namespace {

using ::ostiary::testing::HasCode;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

Claims GoodClaims() {
  Claims claims;
  claims.audiences = {"api", "other"};
  claims.issue_time = kNow - absl::Minutes(1);
  claims.expire_time = kNow + absl::Minutes(14);
  claims.scopes = {"read", "write"};
  claims.roles = {"admin"};
  return claims;
}

Expectations ForApi() { return {.audience = Audience::Exactly("api")}; }

Expectations WithLeeway(absl::Duration leeway) {
  Expectations expectations = ForApi();
  expectations.leeway = ostiary::testing::ValueOf(Leeway::Of(leeway));
  return expectations;
}

TEST(CheckClaimsTest, GoodClaimsPass) {
  EXPECT_EQ(CheckClaims(GoodClaims(), ForApi(), kNow), std::nullopt);
}

TEST(CheckClaimsTest, TokenWithExpEqualToNowIsExpired) {
  Claims claims = GoodClaims();
  claims.expire_time = kNow;
  EXPECT_EQ(CheckClaims(claims, ForApi(), kNow), Rejection::kTokenExpired);
  EXPECT_EQ(CheckClaims(claims, ForApi(), kNow - absl::Nanoseconds(1)),
            std::nullopt);
}

TEST(CheckClaimsTest, TokenExpiresWhenTheLeewayIsOver) {
  Claims claims = GoodClaims();
  claims.expire_time = kNow - absl::Seconds(60);
  EXPECT_EQ(CheckClaims(claims, WithLeeway(absl::Seconds(60)), kNow),
            Rejection::kTokenExpired);
  EXPECT_EQ(CheckClaims(claims, WithLeeway(absl::Seconds(60)),
                        kNow - absl::Nanoseconds(1)),
            std::nullopt);
}

TEST(CheckClaimsTest, TokenWithNbfEqualToNowIsValid) {
  Claims claims = GoodClaims();
  claims.not_before = kNow;
  EXPECT_EQ(CheckClaims(claims, ForApi(), kNow), std::nullopt);
  EXPECT_EQ(CheckClaims(claims, ForApi(), kNow - absl::Nanoseconds(1)),
            Rejection::kTokenNotYetValid);
}

TEST(CheckClaimsTest, TokenWithNbfWithinTheLeewayIsValid) {
  Claims claims = GoodClaims();
  claims.not_before = kNow + absl::Seconds(60);
  EXPECT_EQ(CheckClaims(claims, WithLeeway(absl::Seconds(60)), kNow),
            std::nullopt);
  EXPECT_EQ(CheckClaims(claims, WithLeeway(absl::Seconds(59)), kNow),
            Rejection::kTokenNotYetValid);
}

TEST(CheckClaimsTest, TokenIssuedInTheFutureIsNotYetValid) {
  Claims claims = GoodClaims();
  claims.issue_time = kNow;
  EXPECT_EQ(CheckClaims(claims, ForApi(), kNow), std::nullopt);
  claims.issue_time = kNow + absl::Nanoseconds(1);
  EXPECT_EQ(CheckClaims(claims, ForApi(), kNow), Rejection::kTokenNotYetValid);
}

TEST(CheckClaimsTest, OneOfTheAudiencesMustBeExactlyTheExpected) {
  Claims claims = GoodClaims();
  for (const char* audience : {"api/", "API", "ap", "", "api other", "*"}) {
    EXPECT_EQ(
        CheckClaims(claims, {.audience = Audience::Exactly(audience)}, kNow),
        Rejection::kAudienceMismatch)
        << audience;
  }
  EXPECT_EQ(CheckClaims(claims, {.audience = Audience::Exactly("other")}, kNow),
            std::nullopt);
}

TEST(CheckClaimsTest, AnEmptyAudienceIsMetByNothing) {
  Claims claims = GoodClaims();
  claims.audiences = {"", "api"};
  EXPECT_EQ(CheckClaims(claims, {.audience = Audience::Exactly("")}, kNow),
            Rejection::kAudienceMismatch);
}

TEST(CheckClaimsTest, AnyAudienceHasToBeSaid) {
  EXPECT_EQ(CheckClaims(GoodClaims(), {.audience = Audience::Any()}, kNow),
            std::nullopt);
}

TEST(CheckClaimsTest, AllRequiredScopesMustBeThere) {
  Expectations expectations = ForApi();
  expectations.required_scopes = {"write", "read"};
  EXPECT_EQ(CheckClaims(GoodClaims(), expectations, kNow), std::nullopt);
  for (const char* missing : {"delete", "", "rea", "read write", "READ"}) {
    expectations.required_scopes = {"read", missing};
    EXPECT_EQ(CheckClaims(GoodClaims(), expectations, kNow),
              Rejection::kScopeMissing)
        << missing;
  }
}

TEST(CheckClaimsTest, AllRequiredRolesMustBeThere) {
  Expectations expectations = ForApi();
  expectations.required_roles = {"admin"};
  EXPECT_EQ(CheckClaims(GoodClaims(), expectations, kNow), std::nullopt);
  expectations.required_roles = {"admin", "auditor"};
  EXPECT_EQ(CheckClaims(GoodClaims(), expectations, kNow),
            Rejection::kRoleMissing);
}

TEST(CheckClaimsTest, OfSeveralFaultsTheFirstInOrderIsNamed) {
  Claims claims = GoodClaims();
  Expectations expectations = ForApi();
  expectations.required_roles = {"auditor"};
  EXPECT_EQ(CheckClaims(claims, expectations, kNow), Rejection::kRoleMissing);
  expectations.required_scopes = {"delete"};
  EXPECT_EQ(CheckClaims(claims, expectations, kNow), Rejection::kScopeMissing);
  claims.audiences = {"elsewhere"};
  EXPECT_EQ(CheckClaims(claims, expectations, kNow),
            Rejection::kAudienceMismatch);
  claims.expire_time = kNow;
  EXPECT_EQ(CheckClaims(claims, expectations, kNow), Rejection::kTokenExpired);
  claims.not_before = kNow + absl::Hours(1);
  EXPECT_EQ(CheckClaims(claims, expectations, kNow),
            Rejection::kTokenNotYetValid);
}

TEST(CheckClaimsTest, RevocationFitsBetweenAudienceAndAuthority) {
  Expectations expectations = ForApi();
  expectations.required_scopes = {"delete"};
  EXPECT_EQ(CheckTimeAndAudience(GoodClaims(), expectations, kNow),
            std::nullopt);
  EXPECT_EQ(CheckAuthority(GoodClaims(), expectations),
            Rejection::kScopeMissing);
  Claims expired = GoodClaims();
  expired.expire_time = kNow;
  EXPECT_EQ(CheckAuthority(expired, ForApi()), std::nullopt);
}

TEST(LeewayTest, IsZeroToFiveMinutes) {
  const auto invalid = HasCode(absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Leeway().duration(), absl::ZeroDuration());
  EXPECT_OK(Leeway::Of(absl::ZeroDuration()));
  EXPECT_OK(Leeway::Of(absl::Minutes(5)));
  EXPECT_THAT(Leeway::Of(absl::Minutes(5) + absl::Nanoseconds(1)), invalid);
  EXPECT_THAT(Leeway::Of(-absl::Nanoseconds(1)), invalid);
  EXPECT_THAT(Leeway::Of(absl::InfiniteDuration()), invalid);
}

TEST(RejectionTest, NamesAreThoseOfTheWireInTheirOrder) {
  const std::vector<std::string> names = {
      "TOKEN_MALFORMED",     "ALGORITHM_NOT_ALLOWED", "KEY_UNKNOWN",
      "SIGNATURE_INVALID",   "TYPE_MISMATCH",         "ISSUER_MISMATCH",
      "TOKEN_NOT_YET_VALID", "TOKEN_EXPIRED",         "AUDIENCE_MISMATCH",
      "TOKEN_REVOKED",       "SCOPE_MISSING",         "ROLE_MISSING"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(RejectionName(static_cast<Rejection>(i)), names[i]);
  }
}

}  // namespace
}  // namespace ostiary::jwt
