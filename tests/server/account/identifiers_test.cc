#include "server/account/identifiers.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/support/status_matchers.h"

namespace ostiary::account {
namespace {

using ::ostiary::testing::ValueOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Key(const std::string& username) {
  return ValueOf(UsernameKey(username, "username"));
}
std::string Mail(const std::string& email) {
  return ValueOf(EmailKey(email, "email"));
}

void ExpectRefused(const absl::Status& status, const std::string& field,
                   const std::string& text) {
  EXPECT_EQ(ReasonOf(status), Reason::kArgumentInvalid) << text;
  const auto violations = FieldViolationsOf(status);
  ASSERT_EQ(violations.size(), 1u) << text;
  EXPECT_EQ(violations[0].field, field);
}

TEST(Username, SpellingsAPersonTakesForTheSameAreTheSame) {
  EXPECT_EQ(Key("ada"), "ada");
  EXPECT_EQ(Key("ADA"), "ada");
  EXPECT_EQ(Key("Stra\xc3\x9f"
                "e"),
            Key("STRASSE"));
  // Composed and decomposed e-acute.
  EXPECT_EQ(Key("\xc3\xa9"), Key("e\xcc\x81"));
  // Full-width letters.
  EXPECT_EQ(Key("\xef\xbc\xa1\xef\xbd\x84\xef\xbd\x81"), "ada");
  // The fi ligature.
  EXPECT_EQ(Key("\xef\xac\x81n"), "fin");
}

TEST(Username, DifferentNamesStayDifferent) {
  EXPECT_NE(Key("ada"), Key("adb"));
  EXPECT_NE(Key("e"), Key("\xc3\xa9"));
  // Latin and Cyrillic a: two people who share a screen may be fooled, the
  // look-up is not.
  EXPECT_NE(Key("ada"), Key("\xd0\xb0"
                            "da"));
}

TEST(Username, KeyOfAKeyIsTheKey) {
  for (const std::string name : {"ADA",
                                 "Stra\xc3\x9f"
                                 "e",
                                 "\xef\xac\x81n"}) {
    EXPECT_EQ(Key(Key(name)), Key(name));
  }
}

TEST(Username, LengthCountsCharacters) {
  EXPECT_OK(UsernameKey(std::string(64, 'a'), "username"));
  ExpectRefused(UsernameKey(std::string(65, 'a'), "username").status(),
                "username", std::string(65, 'a'));
  std::string wide;
  for (int i = 0; i < 64; ++i) wide += "\xc3\xa9";
  EXPECT_OK(UsernameKey(wide, "username"));
  ExpectRefused(UsernameKey("", "username").status(), "username", "");
  ExpectRefused(UsernameKey(std::string(1 << 20, 'a'), "username").status(),
                "username", std::string(1 << 20, 'a'));
}

TEST(Username, NothingInvisibleOrAmbiguousIsTaken) {
  for (const std::string& name :
       {std::string("a@b"), std::string("ada lovelace"), std::string("ada\t"),
        std::string("ada\n"), std::string("ada\0x", 5), std::string("ada\x7f"),
        std::string("\xe2\x80\x8b"
                    "ada"),
        std::string("ada\xe2\x80\xae"
                    "x"),
        std::string("\xc2\xa0"
                    "ada"),
        std::string("\xef\xbb\xbf"
                    "ada"),
        std::string("\xef\xbc\xa0"
                    "ada"),  // full-width @
        std::string("\xff\xfe"), std::string("\xc3"),
        std::string("\xed\xa0\x80"),      // a surrogate
        std::string("\xf4\x90\x80\x80"),  // beyond Unicode
        std::string("\xc0\xaf")}) {       // overlong
    ExpectRefused(UsernameKey(name, "username").status(), "username", name);
  }
}

TEST(Username, NoKeyHoldsWhiteSpaceOrAnAt) {
  // Characters that only become space, or an @, by folding.
  for (const std::string& name : {std::string("a\xc2\xa8"
                                              "b"),
                                  std::string("\xe2\x80\xbe"
                                              "x"),
                                  std::string("\xef\xb9\xab"
                                              "x")}) {
    const auto key = UsernameKey(name, "username");
    if (!key.ok()) continue;
    EXPECT_EQ(key->find(' '), std::string::npos) << name;
    EXPECT_EQ(key->find('@'), std::string::npos) << name;
  }
}

TEST(Username, DoesNotBeginLikeAnId) {
  for (const std::string name :
       {"acct_x", "sess_x", "cli_default", "ort_x", "ACCT_x",
        "\xef\xbd\x81"
        "cct_x"}) {
    ExpectRefused(UsernameKey(name, "username").status(), "username", name);
  }
  EXPECT_OK(UsernameKey("my_acct_1", "username"));
}

TEST(Identifier, RefusalDoesNotRepeatWhatWasTyped) {
  // People type passwords there.
  for (const absl::Status& status :
       {UsernameKey("hunter 2", "username").status(),
        EmailKey("hunter 2", "email").status(),
        CheckDisplayText("hunter\x01 2", 100, "display_name")}) {
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter")));
  }
}

TEST(Email, CaseDoesNotMatter) {
  EXPECT_EQ(Mail("Ada@Example.COM"), "ada@example.com");
}

TEST(Email, MustBeOneAddress) {
  for (const std::string email :
       {"", "ada", "@example.com", "ada@", "a@b@c.com", "ada@.com",
        "ada@example..com", "ada@-x.com", "ada@x-.com", ".ada@x.com",
        "ada.@x.com", "a da@x.com", "ada@x.com\n", "ada@exam ple.com",
        "\xff@x.com"}) {
    ExpectRefused(EmailKey(email, "email").status(), "email", email);
  }
}

TEST(Email, LengthsAreBounded) {
  EXPECT_OK(EmailKey(std::string(64, 'a') + "@example.com", "email"));
  EXPECT_FALSE(EmailKey(std::string(65, 'a') + "@example.com", "email").ok());
  EXPECT_FALSE(EmailKey("a@" + std::string(64, 'b') + ".com", "email").ok());
  EXPECT_FALSE(EmailKey("a@" + std::string(300, 'b'), "email").ok());
}

TEST(Email, DoesNotBeginLikeAnId) {
  EXPECT_FALSE(EmailKey("acct_x@example.com", "email").ok());
}

TEST(Identifier, AtSignTellsAnEmailFromAUsername) {
  const auto email = ParseIdentifier("Ada@Example.com");
  ASSERT_TRUE(email.has_value());
  EXPECT_EQ(email->kind, Identifier::Kind::kEmail);
  EXPECT_EQ(email->key, "ada@example.com");
  const auto username = ParseIdentifier("Ada");
  ASSERT_TRUE(username.has_value());
  EXPECT_EQ(username->kind, Identifier::Kind::kUsername);
  EXPECT_EQ(username->key, "ada");
}

TEST(Identifier, TextThatCanNameNobodyIsNone) {
  for (const std::string text : {"", "a b", "a@b@c", "acct_1", "\xff"}) {
    EXPECT_FALSE(ParseIdentifier(text).has_value()) << text;
  }
}

TEST(DisplayText, IsBoundedUtf8WithoutControls) {
  EXPECT_OK(CheckDisplayText("", 10, "display_name"));
  EXPECT_OK(CheckDisplayText("Ada L\xc3\xb6v", 10, "display_name"));
  EXPECT_OK(CheckDisplayText(std::string(10, 'a'), 10, "display_name"));
  for (const std::string& text :
       {std::string(11, 'a'), std::string("a\nb"), std::string("a\0", 2),
        std::string("\x1b[31m"), std::string("\xff")}) {
    EXPECT_EQ(ReasonOf(CheckDisplayText(text, 10, "display_name")),
              Reason::kArgumentInvalid);
  }
}

}  // namespace
}  // namespace ostiary::account
