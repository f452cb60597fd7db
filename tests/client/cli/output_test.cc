#include "client/cli/output.h"

#include <sstream>
#include <string>

#include "client/cli/printable.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ostiary/v1/account.pb.h"
#include "ostiary/v1/key_service.pb.h"
#include "ostiary/v1/token_set.pb.h"

namespace ostiary::cli {
namespace {

TEST(PrintableTest, OrdinaryTextOfAnyLanguageStays) {
  for (const char* text : {"", "plain", "Zoë", "Привет", "日本語", "🙂"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(PrintableTest, ControlCharactersAreSpelledOut) {
  EXPECT_EQ(Printable("a\x1b[2Jb"), "a\\u001b[2Jb");
  EXPECT_EQ(Printable("a\nb\tc\rd\x7f"), "a\\u000ab\\u0009c\\u000dd\\u007f");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\u009b");
  EXPECT_EQ(Printable(absl::string_view("\0", 1)), "\\u0000");
}

TEST(PrintableTest, ReversedWritingIsSpelledOut) {
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "txt"),
            "\\u202etxt");
  EXPECT_EQ(Printable("\xe2\x81\xa6"), "\\u2066");
}

TEST(PrintableTest, BytesThatAreNotUtf8AreSpelledOut) {
  EXPECT_EQ(Printable("\xff"), "\\xff");
  EXPECT_EQ(Printable("\xc3"), "\\xc3");
  EXPECT_EQ(Printable("\xc0\x9b"), "\\xc0\\x9b");
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(TableTest, ColumnsAreAlignedByCharactersNotBytes) {
  Table table({"A", "B"});
  table.AddRow({"ëë", "1"});
  table.AddRow({"x", ""});
  std::ostringstream out;
  table.Flush(out);
  EXPECT_EQ(out.str(), "A   B\nëë  1\nx   -\n");
}

TEST(TableTest, LaterPagesKeepTheWidthAndHaveNoSecondHeader) {
  Table table({"A", "B"});
  std::ostringstream out;
  table.AddRow({"long-cell", "1"});
  table.Flush(out);
  table.AddRow({"x", "2"});
  table.Flush(out);
  EXPECT_EQ(out.str(), "A          B\nlong-cell  1\nx          2\n");
}

v1::Account Ada() {
  v1::Account account;
  account.set_account_id("acct_1");
  account.set_username("ada");
  account.add_roles("editor");
  account.add_roles("reader");
  account.mutable_create_time()->set_seconds(1767225600);
  return account;
}

TEST(ShowTest, ARecordIsNamesAndValues) {
  std::ostringstream out;
  ASSERT_TRUE(Show(Ada(), Format::kTable, out).ok());
  EXPECT_EQ(out.str(),
            "account_id      acct_1\n"
            "username        ada\n"
            "email           -\n"
            "email_verified  false\n"
            "display_name    -\n"
            "roles           editor,reader\n"
            "disabled        false\n"
            "metadata        -\n"
            "create_time     2026-01-01T00:00:00Z\n"
            "update_time     -\n");
}

TEST(ShowTest, JsonHasTheContractsNamesAndItsEmptyFields) {
  std::ostringstream out;
  ASSERT_TRUE(Show(Ada(), Format::kJson, out).ok());
  EXPECT_EQ(out.str(),
            "{\"account_id\":\"acct_1\",\"username\":\"ada\",\"email\":\"\","
            "\"email_verified\":false,\"display_name\":\"\","
            "\"roles\":[\"editor\",\"reader\"],\"disabled\":false,"
            "\"create_time\":\"2026-01-01T00:00:00Z\"}\n");
}

TEST(ShowTest, JsonHoldsNoControlCharacters) {
  v1::Account account;
  account.set_display_name("\x1b[2J\xc2\x9b\x7f");
  std::ostringstream out;
  ASSERT_TRUE(Show(account, Format::kJson, out).ok());
  EXPECT_THAT(out.str(), ::testing::HasSubstr(
                             "\"display_name\":\"\\u001b[2J\\u009b\\u007f\""));
}

TEST(ShowTest, ATimeThatCannotBeIsAnErrorNotACrash) {
  v1::Account account;
  account.mutable_create_time()->set_seconds(1LL << 60);
  std::ostringstream out;
  EXPECT_FALSE(Show(account, Format::kJson, out).ok());
  EXPECT_TRUE(Show(account, Format::kTable, out).ok());
}

TEST(ShowTest, DurationsAndEnumerationsAreForPeople) {
  v1::TokenSet tokens;
  tokens.mutable_expires_in()->set_seconds(900);
  std::ostringstream out;
  ASSERT_TRUE(Show(tokens, Format::kTable, out).ok());
  EXPECT_THAT(out.str(), ::testing::HasSubstr("expires_in          15m\n"));
  v1::SigningKey key;
  key.set_state(v1::SIGNING_KEY_STATE_ACTIVE);
  EXPECT_EQ(FieldText(key, *key.GetDescriptor()->FindFieldByName("state")),
            "active");
}

}  // namespace
}  // namespace ostiary::cli
