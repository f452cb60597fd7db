#include "server/flow/token_issuer.h"

#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "client/jwt/token.h"
#include "gtest/gtest.h"
#include "server/base/random.h"
#include "tests/server/key/ring_fixture.h"

namespace ostiary::flow {
namespace {

using ::ostiary::testing::ValueOf;

class OneRefreshKey final : public session::RefreshKeys {
 public:
  std::string newest_id() const override { return "1234"; }
  const SecretBytes* Find(absl::string_view) const override { return &key_; }

 private:
  const SecretBytes key_{std::string(32, 'k')};
};

class TokenIssuerTest : public ::ostiary::testing::RingFixture {
 protected:
  Issuance NewIssuance() const {
    Issuance issuance;
    issuance.session.refresh_key_id = refresh_keys_.newest_id();
    issuance.session.salt = std::string(32, 's');
    issuance.session.client_id = "cli_default";
    issuance.session.audience = "api";
    issuance.session.create_time = clock_.Now();
    issuance.session.minted_at = clock_.Now();
    issuance.session.access_expire_time = clock_.Now() + absl::Minutes(15);
    issuance.session.idle_expire_time = clock_.Now() + absl::Hours(1);
    return issuance;
  }
  std::string KeyOfNewToken() const {
    const IssuedTokens tokens = ValueOf(issuer_.Issue(NewIssuance()));
    return jwt::RawToken::Parse(tokens.access_token)->kid().value_or("");
  }

  SystemRandom random_;
  const OneRefreshKey refresh_keys_;
  const session::ServingTime serving_time_;
  const session::Sessions sessions_{
      random_, refresh_keys_, serving_time_, {}, {}, 10};
  const token::AccessTokenMinter minter_ = ValueOf(
      token::AccessTokenMinter::Create({"https://id.example", absl::Hours(1)}));
  const revocation::RevocationSet revocations_;
  const TokenIssuer issuer_{clock_, *ring_, sessions_, minter_, revocations_};
};

TEST_F(TokenIssuerTest, TheActiveKeySigns) {
  EXPECT_EQ(KeyOfNewToken(), ActiveId());
}

// What is committed after the end of a key carries no token of that key: the
// sweep of status lists goes by the time of the end (server/status_list).
TEST_F(TokenIssuerTest, AKeyWhoseEndIsCommittedSignsNoMore) {
  const std::string bad = ActiveId();
  std::thread signer;
  std::string key_id;
  store_.AfterCommits([&] {
    signer = std::thread([&] { key_id = KeyOfNewToken(); });
    absl::SleepFor(absl::Milliseconds(20));  // long enough to sign
  });
  ASSERT_OK(Revoke(bad));
  signer.join();
  EXPECT_EQ(key_id, ActiveId());
}

}  // namespace
}  // namespace ostiary::flow
