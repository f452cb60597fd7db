#include "client/jwt/base64url.h"

#include "gtest/gtest.h"

namespace ostiary::jwt {
namespace {

TEST(Base64UrlTest, EveryLengthAndEveryByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 700; ++i) {
    const std::string text = Base64UrlEncode(bytes);
    EXPECT_EQ(text.find_first_of("+/= \n"), std::string::npos);
    EXPECT_EQ(Base64UrlDecode(text), bytes);
    bytes += static_cast<char>(i * 151);
  }
}

TEST(Base64UrlTest, KnownTextIsWritten) {
  EXPECT_EQ(Base64UrlEncode(""), "");
  EXPECT_EQ(Base64UrlEncode("f"), "Zg");
  EXPECT_EQ(Base64UrlEncode("fo"), "Zm8");
  EXPECT_EQ(Base64UrlEncode("foo"), "Zm9v");
  EXPECT_EQ(Base64UrlEncode("\xfb\xff\xfe"), "-__-");
}

TEST(Base64UrlTest, NonZeroTrailingBitsAreRefused) {
  ASSERT_EQ(Base64UrlDecode("Zg"), "f");
  EXPECT_EQ(Base64UrlDecode("Zh"), std::nullopt);
  EXPECT_EQ(Base64UrlDecode("Zv"), std::nullopt);
  ASSERT_EQ(Base64UrlDecode("Zm8"), "fo");
  EXPECT_EQ(Base64UrlDecode("Zm9"), std::nullopt);
  EXPECT_EQ(Base64UrlDecode("Zm-"), std::nullopt);
}

TEST(Base64UrlTest, ADanglingCharacterIsRefused) {
  EXPECT_EQ(Base64UrlDecode("Z"), std::nullopt);
  EXPECT_EQ(Base64UrlDecode("Zm9vZ"), std::nullopt);
}

TEST(Base64UrlTest, PaddingIsRefused) {
  for (const char* text : {"Zg==", "Zm8=", "Zg=", "=", "==", "===="}) {
    EXPECT_EQ(Base64UrlDecode(text), std::nullopt) << text;
  }
}

TEST(Base64UrlTest, EveryForeignCharacterIsRefusedAtEveryPlace) {
  const std::string alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const std::string good : {"AAAAAAAA", "AAAAAAA", "AAAAAA"}) {
    for (std::size_t place = 0; place < good.size(); ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        if (alphabet.find(static_cast<char>(byte)) != std::string::npos) {
          continue;
        }
        std::string text = good;
        text[place] = static_cast<char>(byte);
        EXPECT_EQ(Base64UrlDecode(text), std::nullopt) << byte << " " << place;
      }
    }
  }
}

}  // namespace
}  // namespace ostiary::jwt
