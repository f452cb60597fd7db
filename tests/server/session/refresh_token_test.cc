#include "server/session/refresh_token.h"

#include <limits>
#include <set>
#include <string>

#include "client/jwt/base64url.h"
#include "gtest/gtest.h"

namespace ostiary::session {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

storage::SessionRow Row() {
  storage::SessionRow row;
  for (std::size_t i = 0; i < row.session_id.size(); ++i) {
    row.session_id[i] = static_cast<std::uint8_t>(i + 1);
  }
  row.salt = std::string(32, 's');
  row.refresh_key_id = "0a1b2c3d";
  return row;
}

class RefreshToken : public ::testing::Test {
 protected:
  SessionSecrets Secrets(const storage::SessionRow& row) const {
    return SessionSecrets(key_, row);
  }
  PresentedRefreshToken Parsed(const std::string& text) const {
    const auto parsed = PresentedRefreshToken::Parse(text);
    EXPECT_TRUE(parsed.has_value());
    return parsed.value_or(PresentedRefreshToken());
  }

  const SecretBytes key_{std::string(32, 'k')};
  const storage::SessionRow row_ = Row();
  const SessionSecrets secrets_ = Secrets(row_);
  const std::string token_ = secrets_.RefreshToken(7);
};

TEST_F(RefreshToken, SaysWhatItWasMadeOfAndIsMadeByUs) {
  EXPECT_EQ(token_.rfind("ort_", 0), 0u);
  const PresentedRefreshToken parsed = Parsed(token_);
  EXPECT_EQ(parsed.key_id, "0a1b2c3d");
  EXPECT_EQ(parsed.session_id, SessionId(row_.session_id));
  EXPECT_EQ(parsed.generation, 7u);
  EXPECT_TRUE(secrets_.Made(parsed));
}

TEST_F(RefreshToken, EveryGenerationSurvivesTheRoundTrip) {
  for (const std::uint32_t generation :
       {1u, 255u, 256u, 65536u, std::numeric_limits<std::uint32_t>::max()}) {
    const PresentedRefreshToken parsed =
        Parsed(secrets_.RefreshToken(generation));
    EXPECT_EQ(parsed.generation, generation);
    EXPECT_TRUE(secrets_.Made(parsed));
  }
}

TEST_F(RefreshToken, EveryFlippedBitIsRefused) {
  const std::string bytes = *jwt::Base64UrlDecode(token_.substr(4));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string forged = bytes;
      forged[i] = static_cast<char>(forged[i] ^ (1 << bit));
      const auto parsed =
          PresentedRefreshToken::Parse("ort_" + jwt::Base64UrlEncode(forged));
      EXPECT_FALSE(parsed.has_value() && secrets_.Made(*parsed))
          << "byte " << i << " bit " << bit;
    }
  }
}

TEST_F(RefreshToken, EveryOtherCharacterIsRefused) {
  for (std::size_t i = 0; i < token_.size(); ++i) {
    for (const char c : {'A', 'x', '=', '.', ' ', '\0', '\xff'}) {
      std::string forged = token_;
      if (forged[i] == c) continue;
      forged[i] = c;
      const auto parsed = PresentedRefreshToken::Parse(forged);
      EXPECT_FALSE(parsed.has_value() && secrets_.Made(*parsed)) << i;
    }
  }
}

TEST_F(RefreshToken, EveryOtherLengthIsMalformed) {
  for (std::size_t size = 0; size < token_.size(); ++size) {
    EXPECT_FALSE(PresentedRefreshToken::Parse(token_.substr(0, size)));
  }
  EXPECT_FALSE(PresentedRefreshToken::Parse(token_ + "A"));
  EXPECT_FALSE(PresentedRefreshToken::Parse(std::string(100000, 'A')));
}

TEST_F(RefreshToken, OtherVersionIsMalformed) {
  std::string bytes = *jwt::Base64UrlDecode(token_.substr(4));
  for (const char version : {'\0', '\2', '\xff'}) {
    bytes[0] = version;
    EXPECT_FALSE(
        PresentedRefreshToken::Parse("ort_" + jwt::Base64UrlEncode(bytes)));
  }
}

TEST_F(RefreshToken, AnotherKeyNeitherMakesNorAcceptsIt) {
  const SecretBytes other(std::string(32, 'K'));
  const SessionSecrets thief(other, row_);
  EXPECT_NE(thief.RefreshToken(7), token_);
  EXPECT_FALSE(thief.Made(Parsed(token_)));
}

TEST_F(RefreshToken, AnotherSaltNeitherMakesNorAcceptsIt) {
  storage::SessionRow row = Row();
  row.salt[31] = 'S';
  EXPECT_NE(Secrets(row).RefreshToken(7), token_);
  EXPECT_FALSE(Secrets(row).Made(Parsed(token_)));
}

TEST_F(RefreshToken, AnotherSessionWithTheSameSaltDoesNotAcceptIt) {
  storage::SessionRow row = Row();
  row.session_id[0] ^= 1;
  EXPECT_FALSE(Secrets(row).Made(Parsed(token_)));
  // Not even its tag under that session's name.
  PresentedRefreshToken moved = Parsed(token_);
  moved.session_id = SessionId(row.session_id);
  EXPECT_FALSE(Secrets(row).Made(moved));
}

TEST_F(RefreshToken, AnotherKeyIdOfTheSameBytesIsRefused) {
  PresentedRefreshToken presented = Parsed(token_);
  presented.key_id = "0a1b2c3e";
  EXPECT_FALSE(secrets_.Made(presented));
}

TEST_F(RefreshToken, TagOfOneGenerationIsNoneOfAnother) {
  PresentedRefreshToken presented = Parsed(token_);
  presented.generation = 8;
  EXPECT_FALSE(secrets_.Made(presented));
}

// --- jti = HMAC(session key; generation, minted_at, granted scope).

TEST_F(RefreshToken, SameMintingGivesTheSameJti) {
  EXPECT_EQ(secrets_.TokenId(7, kNow, "read"),
            Secrets(Row()).TokenId(7, kNow, "read"));
}

TEST_F(RefreshToken, EveryInputOfTheJtiCounts) {
  storage::SessionRow salted = Row();
  salted.salt[0] = 'S';
  storage::SessionRow renamed = Row();
  renamed.session_id[15] ^= 1;
  const std::set<std::string> ids = {
      secrets_.TokenId(7, kNow, "read"),
      secrets_.TokenId(8, kNow, "read"),
      secrets_.TokenId(7, kNow + absl::Seconds(1), "read"),
      secrets_.TokenId(7, kNow, "read write"),
      secrets_.TokenId(7, kNow, ""),
      Secrets(salted).TokenId(7, kNow, "read"),
      Secrets(renamed).TokenId(7, kNow, "read"),
      SessionSecrets(SecretBytes(std::string(32, 'K')), row_)
          .TokenId(7, kNow, "read"),
  };
  EXPECT_EQ(ids.size(), 8u);
}

TEST_F(RefreshToken, JtiIsSixteenBytesOfText) {
  const auto bytes = jwt::Base64UrlDecode(secrets_.TokenId(1, kNow, ""));
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(bytes->size(), 16u);
}

TEST_F(RefreshToken, RequestIdIsRememberedOnlyAsAKeyedHash) {
  const std::string id = "request-id-0123456789";
  EXPECT_EQ(secrets_.RequestIdHash(id), Secrets(Row()).RequestIdHash(id));
  EXPECT_NE(secrets_.RequestIdHash(id), secrets_.RequestIdHash(id + "0"));
  EXPECT_EQ(secrets_.RequestIdHash(id).find(id), std::string::npos);
  storage::SessionRow other = Row();
  other.salt[3] = 'x';
  EXPECT_NE(secrets_.RequestIdHash(id), Secrets(other).RequestIdHash(id));
}

}  // namespace
}  // namespace ostiary::session
