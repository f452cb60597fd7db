#include "server/password/password_policy.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/password/common_passwords.h"
#include "tests/support/status_matchers.h"

namespace ostiary::password {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

absl::Status Check(absl::string_view password,
                   const std::vector<std::string>& context = {}) {
  return PasswordPolicy({}).Check("password", PresentedPassword::From(password),
                                  context);
}

std::string SentenceFor(absl::string_view password,
                        const std::vector<std::string>& context = {}) {
  const absl::Status refused = Check(password, context);
  if (refused.ok()) return "accepted";
  EXPECT_EQ(ReasonOf(refused), Reason::kPasswordRejected);
  const auto violations = FieldViolationsOf(refused);
  if (violations.size() != 1u) return "no violation";
  EXPECT_EQ(violations[0].field, "password");
  return violations[0].description;
}

TEST(PasswordPolicyTest, OrdinaryGoodPasswordsPass) {
  for (const char* good :
       {"correct horse battery staple", "tr0ub4dor&3", "ada-lovelace-1815",
        "gR8#kd02mQ",
        "\xd0\xba\xd0\xbe\xd1\x80\xd0\xb0\xd0\xb1\xd0\xbb\xd1\x8c"
        "-\xd0\xbb\xd1\x83\xd0\xbd\xd0\xb0"}) {
    EXPECT_OK(Check(good)) << good;
  }
}

TEST(PasswordPolicyTest, LengthIs8To1024Bytes) {
  EXPECT_THAT(SentenceFor("gR8#kd0"), HasSubstr("shorter than 8"));
  EXPECT_OK(Check("gR8#kd02"));
  std::string long_one;
  for (int i = 0; long_one.size() < kMaxPasswordBytes; ++i) {
    long_one.push_back(static_cast<char>('!' + (i * i * 31 + i) % 90));
  }
  EXPECT_OK(Check(long_one));
  EXPECT_THAT(SentenceFor(long_one + "x"), HasSubstr("longer than 1024"));
}

TEST(PasswordPolicyTest, TheLengthCountsWhatIsHashed) {
  // Eight decomposed bytes that are seven when composed.
  EXPECT_THAT(SentenceFor("e\xcc\x81qX7#!"), HasSubstr("shorter"));
}

TEST(PasswordPolicyTest, WhatIsNotTextIsRefused) {
  EXPECT_THAT(SentenceFor("gR8#kd02\xff"), HasSubstr("UTF-8"));
  EXPECT_THAT(SentenceFor(absl::string_view("gR8#\0kd02mQ", 11)),
              HasSubstr("control"));
  EXPECT_THAT(SentenceFor("gR8#kd02mQ\n"), HasSubstr("control"));
}

TEST(PasswordPolicyTest, WeakOnesAreRefusedWithAReason) {
  EXPECT_THAT(SentenceFor("password123"), HasSubstr("most common"));
  EXPECT_THAT(SentenceFor("PASSWORD"), HasSubstr("most common"));
  EXPECT_THAT(SentenceFor("fktrcfylhjdyf12!"), HasSubstr("most common"));
  EXPECT_THAT(SentenceFor("aaaaaaaaaaaa"), HasSubstr("guessed quickly"));
  EXPECT_THAT(SentenceFor("Summer2024!"), HasSubstr("guessed quickly"));
  EXPECT_THAT(SentenceFor(std::string(1024, 'a')), HasSubstr("guessed"));
}

TEST(PasswordPolicyTest, TheAccountsOwnWordsAreRefused) {
  const std::vector<std::string> context = {
      "gr8kd02mq", "zephyrine.quux@example.com", "Zephyrine Quux"};
  for (const char* bad : {"gR8kd02mQ", "gr8kd02mq1", "zephyrine1", "Zephyr1ne",
                          "zephyrine.quux@example.com"}) {
    EXPECT_THAT(SentenceFor(bad, context), HasSubstr("own name")) << bad;
    EXPECT_THAT(SentenceFor(bad, context), Not(HasSubstr(bad)));
  }
  EXPECT_OK(Check("unrelated-gull-48", context));
}

TEST(PasswordPolicyTest, TheWorstPasswordIsScoredInBoundedTime) {
  std::string worst;
  while (worst.size() < kMaxPasswordBytes) worst += "4e5$1|0@";
  const absl::Time begin = absl::Now();
  for (int i = 0; i < 5; ++i) (void)Check(worst, {worst, worst, worst});
  EXPECT_LT(absl::Now() - begin, absl::Seconds(2));
}

TEST(PasswordPolicyTest, EveryFrequentPasswordIsRefused) {
  const char* source = std::getenv("OSTIARY_SOURCE_DIR");
  std::ifstream file(std::string(source == nullptr ? "." : source) +
                     "/../shared/vectors/passwords/common-20000.txt");
  if (!file) {
    GTEST_SKIP() << "SKIPPED: no vectors/passwords/common-20000.txt";
  }
  int judged = 0;
  for (std::string password; std::getline(file, password);) {
    if (password.size() < kMinPasswordBytes) continue;
    ++judged;
    EXPECT_FALSE(Check(password).ok()) << password;
  }
  EXPECT_EQ(judged, 5915);
}

TEST(CommonPasswordsTest, TheListIsBuiltIn) {
  EXPECT_TRUE(IsCommonPassword("password"));
  EXPECT_TRUE(IsCommonPassword("asdfjkl;"));
  EXPECT_TRUE(IsCommonPassword("PassWord"));
  EXPECT_FALSE(IsCommonPassword(""));
  EXPECT_FALSE(IsCommonPassword("correct horse battery staple"));
}

}  // namespace
}  // namespace ostiary::password
