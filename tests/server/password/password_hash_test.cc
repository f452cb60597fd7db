#include "server/password/password_hash.h"

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/password/hash_fault.h"
#include "tests/support/status_matchers.h"

namespace ostiary::password {
namespace {

using ::testing::HasSubstr;

constexpr char kBcrypt[] =
    "$2b$04$JTlMi8jcdRhxBXXw3.6arOlSTv/53PezaKz2Q.ZfBshKciu5vY8hC";
constexpr char kPhrase[] = "correct horse battery staple";

// The vectors as they were handed over, or as copied into the tree.
std::optional<boost::json::object> ReadVectors() {
  const char* source = std::getenv("OSTIARY_SOURCE_DIR");
  const std::filesystem::path root = source == nullptr ? "." : source;
  for (const auto& path : {root / "tests/vectors/passwords/hashes.json",
                           root / "../shared/vectors/passwords/hashes.json"}) {
    std::ifstream file(path);
    if (!file) continue;
    std::stringstream text;
    text << file.rdbuf();
    return boost::json::parse(text.str()).as_object();
  }
  return std::nullopt;
}

std::string PasswordOf(const boost::json::object& test) {
  if (const auto* text = test.if_contains("password")) {
    return boost::json::value_to<std::string>(*text);
  }
  std::string bytes;
  absl::Base64Unescape(
      boost::json::value_to<std::string>(test.at("password_b64")), &bytes);
  return bytes;
}

TEST(HashVectorsTest, EveryHashIsJudgedRight) {
  const auto vectors = ReadVectors();
  if (!vectors) GTEST_SKIP() << "SKIPPED: no vectors/passwords/hashes.json";
  std::map<std::string, int> judged;
  for (const auto& value : vectors->at("cases").as_array()) {
    const auto& test = value.as_object();
    SCOPED_TRACE(boost::json::serialize(test));
    const OfflineVerdict verdict = VerifyOffline(
        boost::json::value_to<std::string>(test.at("hash")), PasswordOf(test));
    EXPECT_EQ(verdict.match, test.at("match").as_bool()) << verdict.reason;
    if (!verdict.match) {
      EXPECT_EQ(verdict.reason, "PASSWORD_MISMATCH");
    }
    ++judged[boost::json::value_to<std::string>(test.at("format"))];
  }
  EXPECT_EQ(judged.size(), 28u);
}

TEST(HashVectorsTest, EveryMalformedHashIsRefusedQuickly) {
  const auto vectors = ReadVectors();
  if (!vectors) GTEST_SKIP() << "SKIPPED: no vectors/passwords/hashes.json";
  for (const auto& value : vectors->at("malformed").as_array()) {
    const auto& test = value.as_object();
    SCOPED_TRACE(boost::json::serialize(test).substr(0, 300));
    const absl::Time begin = absl::Now();
    EXPECT_FALSE(
        PasswordHash::Parse(boost::json::value_to<std::string>(test.at("hash")))
            .ok());
    EXPECT_LT(absl::Now() - begin, absl::Milliseconds(50));
  }
}

TEST(PasswordHashTest, ATextOverItsBoundIsRefusedUnread) {
  EXPECT_THAT(PasswordHash::Parse(std::string(kMaxHashText + 1, 'A')),
              testing::HasCode(absl::StatusCode::kInvalidArgument));
}

TEST(PasswordHashTest, TheReasonSaysWhatIsWrong) {
  EXPECT_EQ(VerifyOffline("{noop}secret", "secret").reason,
            "FORMAT_UNSUPPORTED");
  EXPECT_EQ(VerifyOffline("$2b$31$" + std::string(53, '.'), "x").reason,
            "COST_TOO_HIGH");
  EXPECT_EQ(VerifyOffline("$2b$04$short", "x").reason, "FORMAT_MALFORMED");
  EXPECT_EQ(VerifyOffline(kBcrypt, "x").reason, "PASSWORD_MISMATCH");
  EXPECT_EQ(VerifyOffline(kBcrypt, kPhrase).reason, "");
}

TEST(PasswordHashTest, EveryCutOfAHashIsRefused) {
  const std::string whole = kBcrypt;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(PasswordHash::Parse(whole.substr(0, size)).ok()) << size;
  }
}

TEST(PasswordHashTest, APasswordOver1024BytesMatchesNothing) {
  // bcrypt reads 72 bytes, so the work is done and would say yes.
  const std::string seventy_two(72, 'a');
  const char hash[] =
      "$2b$04$fFC3nQyKAMsfjvfw4T80PurgJc0BCHkLbQHRpviPUx1pxzWFaKHBy";
  ASSERT_TRUE(VerifyOffline(hash, seventy_two + std::string(952, 'x')).match);
  const absl::StatusOr<PasswordHash> parsed = PasswordHash::Parse(hash);
  ASSERT_OK(parsed);
  EXPECT_FALSE(parsed->Matches(
      PresentedPassword::From(seventy_two + std::string(953, 'x'))));
}

TEST(DecoyTest, EveryShapeAStoreHoldsHasADecoyThatMatchesNothing) {
  for (const char* shape : {"$argon2id$v=19$m=19456,t=2,p=1",
                            "$argon2i$v=19$m=2048,t=3,p=2",
                            "$argon2d$v=16$m=1024,t=2,p=1",
                            "$2b$04",
                            "$2a$04",
                            "$2y$04",
                            "$pbkdf2-sha256$1000",
                            "$pbkdf2$1000",
                            "$pbkdf2-sha512$1000",
                            "pbkdf2_sha256$1000",
                            "pbkdf2_sha1$1000",
                            "pbkdf2:sha256:1000",
                            "scrypt:1024:8:1",
                            "$scrypt$ln=10,r=8,p=1",
                            "$6$rounds=1000",
                            "$5$rounds=1000",
                            "$1",
                            "$y$j75",
                            "argon2$argon2id$v=19$m=1024,t=2,p=2",
                            "{bcrypt}$2a$04",
                            "bcrypt_sha256$$2b$04",
                            "$bcrypt-sha256$v=2,t=2b,r=4"}) {
    const absl::StatusOr<PasswordHash> decoy = PasswordHash::DecoyOf(shape);
    ASSERT_OK(decoy) << shape;
    EXPECT_THAT(decoy->text(), ::testing::StartsWith(shape));
    EXPECT_FALSE(decoy->Matches(PresentedPassword::From("")));
    EXPECT_FALSE(decoy->Matches(PresentedPassword::From(kPhrase)));
  }
}

TEST(DecoyTest, AShapeOfNoFormatHasNone) {
  EXPECT_FALSE(PasswordHash::DecoyOf("*").ok());
  EXPECT_FALSE(PasswordHash::DecoyOf("").ok());
  EXPECT_FALSE(PasswordHash::DecoyOf("$2b$31").ok());
}

TEST(PresentedPasswordTest, NormalisationComposesAndMapsSpaces) {
  const auto presented =
      PresentedPassword::From("e\xcc\x81\xe3\x80\x80x");  // e + acute, U+3000
  EXPECT_TRUE(presented.differs_when_normalised());
  EXPECT_EQ(presented.normalised(), "\xc3\xa9 x");
  EXPECT_EQ(presented.raw(), "e\xcc\x81\xe3\x80\x80x");
}

TEST(PresentedPasswordTest, CaseAndCompatibilityFormsAreKept) {
  EXPECT_FALSE(
      PresentedPassword::From("ABC \xef\xac\x81").differs_when_normalised());
}

TEST(PresentedPasswordTest, WhatIsNotUtf8StaysAsItCame) {
  const auto presented = PresentedPassword::From("\xff\xfe");
  EXPECT_FALSE(presented.valid_utf8());
  EXPECT_EQ(presented.normalised(), "\xff\xfe");
}

TEST(PresentedPasswordTest, BytesBeyondTheBoundAreNotRead) {
  const auto presented = PresentedPassword::From(std::string(5000, 'a'));
  EXPECT_TRUE(presented.too_long());
  EXPECT_EQ(presented.raw().size(), kMaxPasswordBytes);
}

}  // namespace
}  // namespace ostiary::password
