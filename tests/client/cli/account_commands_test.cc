#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cli/fake_server.h"
#include "tests/client/cli/run_cli.h"

namespace ostiary::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class AccountCommandsTest : public ::testing::Test {
 protected:
  AccountCommandsTest() {
    for (int i = 1; i <= 5; ++i) {
      v1::Account account;
      account.set_account_id(absl::StrCat("acct_", i));
      account.set_username(absl::StrCat("user", i));
      server_.script().accounts.push_back(std::move(account));
    }
  }

  Ended Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--socket", server_.socket()});
    return cli_.Run(std::move(arguments));
  }
  const std::vector<std::string>& calls() { return server_.script().calls; }

  FakeServer server_;
  Cli cli_;
};

TEST_F(AccountCommandsTest, CreateAsksTwiceForThePassword) {
  cli_.AnswerPrompts({"hunter2hunter2", "hunter2hunter2"});
  const Ended ended =
      Run({"account", "create", "--username", "ada", "--email", "a@b.c",
           "--email-verified", "--role", "x", "--role", "y"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(cli_.terminal.prompts,
              ElementsAre("New password: ", "New password again: "));
  EXPECT_THAT(calls(),
              ElementsAre("CreateAccount {username: \"ada\" email: \"a@b.c\" "
                          "email_verified: true roles: \"x\" roles: \"y\" "
                          "password: \"hunter2hunter2\"}"));
  EXPECT_THAT(ended.out + ended.err, Not(HasSubstr("hunter2")));
  EXPECT_THAT(ended.out, HasSubstr("account_id      acct_new\n"));
}

TEST_F(AccountCommandsTest, TwoDifferentPasswordsAreNotSent) {
  cli_.AnswerPrompts({"hunter2hunter2", "hunter3hunter3"});
  EXPECT_EQ(Run({"account", "create", "--username", "ada"}).code, 2);
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(AccountCommandsTest, GivingUpAtThePromptSendsNothing) {
  cli_.AnswerPrompts({});
  EXPECT_EQ(Run({"account", "create", "--username", "ada"}).code, 1);
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(AccountCommandsTest, APasswordFromStdinLosesOnlyItsLineBreak) {
  cli_.in = " two  words \r\n";
  EXPECT_EQ(
      Run({"account", "create", "--username", "a", "--password-stdin"}).code,
      0);
  EXPECT_THAT(calls(), ElementsAre(HasSubstr("password: \" two  words \"")));
}

TEST_F(AccountCommandsTest, SeveralLinesOnStdinAreNoPassword) {
  for (const char* in : {"", "\n", "one\ntwo\n", "one\n\n"}) {
    cli_.in = in;
    EXPECT_EQ(
        Run({"account", "set-password", "acct_1", "--password-stdin"}).code, 2);
  }
  cli_.in = std::string(64 * 1024 + 1, 'a');
  EXPECT_EQ(Run({"account", "set-password", "acct_1", "--password-stdin"}).code,
            2);
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(AccountCommandsTest, AHashOrNoPasswordCanBeGiven) {
  cli_.in = "$2b$04$abc\n";
  Run({"account", "create", "--username", "a", "--password-hash-stdin"});
  Run({"account", "create", "--username", "b", "--no-password"});
  EXPECT_THAT(calls(), ElementsAre(HasSubstr("password_hash: \"$2b$04$abc\""),
                                   "CreateAccount {username: \"b\"}"));
}

TEST_F(AccountCommandsTest, AnAccountIsFoundByIdEmailOrUsername) {
  EXPECT_EQ(Run({"account", "get", "acct_9"}).code, 0);
  EXPECT_EQ(Run({"account", "get", "ada@example.com"}).code, 0);
  EXPECT_EQ(Run({"account", "get", "list"}).code, 0);
  EXPECT_THAT(calls(), ElementsAre("GetAccount {account_id: \"acct_9\"}",
                                   "GetAccount {email: \"ada@example.com\"}",
                                   "GetAccount {username: \"list\"}"));
}

TEST_F(AccountCommandsTest, ListFollowsAllPages) {
  const Ended ended = Run({"account", "list", "--page-size", "2"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(calls(), SizeIs(3));
  for (int i = 1; i <= 5; ++i) {
    EXPECT_THAT(ended.out, HasSubstr(absl::StrCat("acct_", i, "  ")));
  }
  const std::vector<std::string> lines = absl::StrSplit(ended.out, '\n');
  EXPECT_THAT(lines, SizeIs(7));  // header, five rows, the end
  EXPECT_THAT(lines.front(), HasSubstr("ACCOUNT_ID  USERNAME"));
}

TEST_F(AccountCommandsTest, ListStopsAtTheLimit) {
  const Ended ended = Run({"account", "list", "--page-size", "2", "--limit",
                           "3", "--output", "json"});
  const std::vector<std::string> lines = absl::StrSplit(ended.out, '\n');
  EXPECT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[2], HasSubstr("{\"account_id\":\"acct_3\","));
  EXPECT_THAT(calls(), ElementsAre("ListAccounts {page_size: 2}",
                                   "ListAccounts {page_size: 1 page_token: "
                                   "\"2\"}"));
}

TEST_F(AccountCommandsTest, UpdateNamesOnlyWhatIsToChange) {
  EXPECT_EQ(Run({"account", "update", "acct_1", "--display-name", "",
                 "--email-verified", "true"})
                .code,
            0);
  EXPECT_THAT(calls(), ElementsAre("UpdateAccount {account { account_id: "
                                   "\"acct_1\" email_verified: true } "
                                   "update_mask { paths: \"display_name\" "
                                   "paths: \"email_verified\" }}"));
}

TEST_F(AccountCommandsTest, MetadataIsAStrictJsonObject) {
  cli_.in = R"({"a": [1, "x", null, true, 2.5], "b": {}})";
  const Ended ended = Run(
      {"account", "update", "acct_1", "--metadata", "-", "--output", "json"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr(R"("a":[1,"x",null,true,2.5])"));
  for (const char* in : {"", "[]", "{\"a\":1,\"a\":2}", "{} x"}) {
    cli_.in = in;
    EXPECT_EQ(Run({"account", "update", "acct_1", "--metadata", "-"}).code, 2);
  }
}

TEST_F(AccountCommandsTest, EditsResolveTheNameFirst) {
  EXPECT_EQ(Run({"account", "disable", "ada", "--reason", "lost"}).code, 0);
  EXPECT_EQ(Run({"account", "enable", "acct_7"}).code, 0);
  EXPECT_EQ(Run({"account", "grant-role", "acct_7", "editor"}).code, 0);
  EXPECT_EQ(Run({"account", "revoke-role", "acct_7", "editor"}).code, 0);
  EXPECT_THAT(
      calls(),
      ElementsAre("GetAccount {username: \"ada\"}",
                  "DisableAccount {account_id: \"acct_1\" reason: \"lost\"}",
                  "EnableAccount {account_id: \"acct_7\"}",
                  "GrantRole {account_id: \"acct_7\" role: \"editor\"}",
                  "RevokeRole {account_id: \"acct_7\" role: \"editor\"}"));
}

TEST_F(AccountCommandsTest, DisableShowsTheTicket) {
  EXPECT_THAT(Run({"account", "disable", "acct_1"}).out,
              HasSubstr("revision                r1\n"));
}

TEST_F(AccountCommandsTest, DeleteAsksFirst) {
  cli_.AnswerPrompts({"no", "", "y"});
  EXPECT_EQ(Run({"account", "delete", "acct_1"}).code, 1);
  EXPECT_EQ(Run({"account", "delete", "acct_1"}).code, 1);
  EXPECT_THAT(calls(), IsEmpty());
  EXPECT_EQ(Run({"account", "delete", "acct_1"}).code, 0);
  EXPECT_THAT(calls(), SizeIs(1));
  EXPECT_THAT(cli_.terminal.prompts.front(), HasSubstr("acct_1"));
}

TEST_F(AccountCommandsTest, WithoutATerminalDeleteNeedsYes) {
  EXPECT_EQ(Run({"account", "delete", "acct_1"}).code, 2);
  EXPECT_THAT(calls(), IsEmpty());
  EXPECT_EQ(Run({"account", "delete", "acct_1", "--yes"}).code, 0);
}

TEST_F(AccountCommandsTest, SetPasswordSendsWhatWasTyped) {
  cli_.AnswerPrompts({"new-password", "new-password"});
  EXPECT_EQ(Run({"account", "set-password", "acct_1"}).code, 0);
  EXPECT_THAT(calls(), ElementsAre("SetPassword {account_id: \"acct_1\" "
                                   "password: \"new-password\"}"));
}

}  // namespace
}  // namespace ostiary::cli
