#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cli/run_cli.h"
#include "tests/support/temp_dir.h"

namespace ostiary::cli {
namespace {

using ::ostiary::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Arguments = std::vector<std::string>;

constexpr int kUsage = 2;
constexpr int kUnavailable = 3;

class BadCommandLineTest : public ::testing::TestWithParam<Arguments> {};

TEST_P(BadCommandLineTest, IsToldInOneLineWithExitCode2) {
  Cli cli;
  const Ended ended = cli.Run(GetParam());
  EXPECT_EQ(ended.code, kUsage) << ended.err;
  EXPECT_THAT(ended.out, IsEmpty());
  EXPECT_THAT(ended.err, AllOf(StartsWith("error: "), HasSubstr("(USAGE)\n")));
  EXPECT_EQ(ended.err.find('\n'), ended.err.size() - 1);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadCommandLineTest,
    ::testing::Values(
        Arguments{}, Arguments{"acount"}, Arguments{"account"},
        Arguments{"account", "get"}, Arguments{"account", "get", "a", "b"},
        Arguments{"account", "get", ""},
        Arguments{"account", "get", "--colour"}, Arguments{"account", "create"},
        Arguments{"account", "create", "--username", "ada", "--no-password",
                  "--password-stdin"},
        Arguments{"account", "update", "acct_1"},
        Arguments{"account", "update", "acct_1", "--email-verified", "maybe"},
        Arguments{"account", "list", "--page-size", "0"},
        Arguments{"account", "list", "--page-size", "1001"},
        Arguments{"account", "list", "--page-size", "ten"},
        Arguments{"account", "list", "--limit", "-1"},
        Arguments{"version", "--output", "yaml"},
        Arguments{"version", "--timeout", "10"},
        Arguments{"version", "--timeout", "0s"},
        Arguments{"version", "--timeout", "-1s"},
        Arguments{"version", "--timeout", "inf"},
        Arguments{"version", "--timeout", "11m"},
        Arguments{"health", "--socket", "a", "--server", "localhost:1"},
        Arguments{"health", "--tls-ca", "ca.pem"},
        Arguments{"health", "--token-file", "/does/not/exist"},
        Arguments{"token", "verify"}, Arguments{"token", "verify", "x", "-"},
        Arguments{"token", "verify", "x", "--token-stdin"},
        Arguments{"token", "verify", "x", "--issuer", "i"},
        Arguments{"token", "verify", "x", "--leeway", "60s"},
        Arguments{"token", "verify", "x", "--jsonl"},
        Arguments{"token", "revoke"},
        Arguments{"token", "revoke", "x", "--session", "sess_1"},
        Arguments{"token", "revoke", "--client", "cli_1", "--key", "k"},
        Arguments{"token", "revoke", "--key", "k"},
        Arguments{"key", "revoke", "k"}, Arguments{"account", "delete", "a"},
        Arguments{"sign-in", "ada"}));

class BadServerTest : public ::testing::TestWithParam<std::string> {};

TEST_P(BadServerTest, IsRefusedBeforeAnythingIsSent) {
  Cli cli;
  const Ended ended = cli.Run({"health", "--server", GetParam()});
  EXPECT_EQ(ended.code, kUsage);
  EXPECT_THAT(ended.err, HasSubstr("is not HOST:PORT"));
}

INSTANTIATE_TEST_SUITE_P(All, BadServerTest,
                         ::testing::Values("localhost",
                                           "localhost:", "localhost:0",
                                           "localhost:65536", "localhost:http",
                                           ":50051", "http://localhost:50051",
                                           "unix:/run/x:1", "[localhost]:1",
                                           "[::1:50051", "::1:50051", "a b:1",
                                           "evil%2f:1"));

TEST(CommandLineTest, EveryCommandHasHelpWithAnExample) {
  const std::vector<Arguments> commands = {{"account", "create"},
                                           {"account", "get"},
                                           {"account", "list"},
                                           {"account", "update"},
                                           {"account", "disable"},
                                           {"account", "enable"},
                                           {"account", "delete"},
                                           {"account", "set-password"},
                                           {"account", "grant-role"},
                                           {"account", "revoke-role"},
                                           {"sign-in"},
                                           {"refresh"},
                                           {"sign-out"},
                                           {"token", "inspect"},
                                           {"token", "verify"},
                                           {"token", "revoke"},
                                           {"session", "list"},
                                           {"session", "revoke"},
                                           {"session", "revoke-all"},
                                           {"key", "list"},
                                           {"key", "prepare"},
                                           {"key", "activate"},
                                           {"key", "retire"},
                                           {"key", "rotate"},
                                           {"key", "revoke"},
                                           {"hash", "verify"},
                                           {"health"},
                                           {"version"},
                                           {"server", "info"},
                                           {"backup"},
                                           {"watch"},
                                           {"bench", "verify"},
                                           {"bench", "sign-in"},
                                           {"bench", "refresh"}};
  for (Arguments command : commands) {
    std::string example = "Example:\n  ostiary";
    for (const std::string& word : command) example += " " + word;
    command.push_back("--help");
    Cli cli;
    const Ended ended = cli.Run(command);
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.out, HasSubstr(example));
  }
}

TEST(CommandLineTest, HelpListsTheExitCodes) {
  Cli cli;
  EXPECT_THAT(cli.Run({"--help"}).out,
              AllOf(HasSubstr("Exit codes:"), HasSubstr("  5  something")));
}

TEST(CommandLineTest, VersionNeedsNoServer) {
  Cli cli;
  EXPECT_EQ(cli.Run({"version"}).out, "ostiary " OSTIARY_VERSION "\n");
  EXPECT_EQ(cli.Run({"--version"}).out, "ostiary " OSTIARY_VERSION "\n");
  EXPECT_EQ(cli.Run({"version", "--output", "json"}).out,
            "{\"version\":\"" OSTIARY_VERSION "\"}\n");
}

class PasswordInArgumentTest : public ::testing::TestWithParam<Arguments> {};

TEST_P(PasswordInArgumentTest, IsRefusedAndNotRepeated) {
  Cli cli;
  const Ended ended = cli.Run(GetParam());
  EXPECT_EQ(ended.code, kUsage);
  EXPECT_THAT(ended.err, Not(HasSubstr("hunter2")));
  EXPECT_THAT(ended.out, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, PasswordInArgumentTest,
    ::testing::Values(Arguments{"sign-in", "ada", "--password", "hunter2"},
                      Arguments{"sign-in", "ada", "--password=hunter2"},
                      Arguments{"sign-in", "ada", "hunter2"},
                      Arguments{"sign-in", "ada", "-p", "hunter2"},
                      Arguments{"sign-in", "ada", "--password-stdin=hunter2"},
                      Arguments{"account", "create", "--username", "a",
                                "--password", "hunter2"},
                      Arguments{"account", "set-password", "ada", "hunter2"}));

TEST(CommandLineTest, APasswordFlagIsAnsweredWithTheWayToDoIt) {
  Cli cli;
  EXPECT_THAT(cli.Run({"sign-in", "ada", "--password", "x"}).err,
              HasSubstr("read with --password-stdin"));
}

TEST(CommandLineTest, WithoutATerminalAPasswordMustComeFromStdin) {
  Cli cli;
  EXPECT_THAT(cli.Run({"sign-in", "ada"}).err, HasSubstr("--password-stdin"));
}

TEST(CommandLineTest, BeyondLoopbackPlaintextMustBeAskedFor) {
  for (const char* server :
       {"192.0.2.1:50051", "127.example.com:50051", "[2001:db8::1]:50051"}) {
    Cli cli;
    const Ended ended = cli.Run({"health", "--server", server});
    EXPECT_EQ(ended.code, kUsage) << server;
    EXPECT_THAT(ended.err, HasSubstr("--allow-plaintext"));
  }
}

TEST(CommandLineTest, ACertificateNeedsItsKey) {
  Cli cli;
  const Ended ended =
      cli.Run({"health", "--server", "localhost:1", "--tls-cert", "c.pem"});
  EXPECT_EQ(ended.code, kUsage);
  EXPECT_THAT(ended.err, HasSubstr("--tls-cert and --tls-key go together"));
}

TEST(CommandLineTest, AMissingSocketIsExplained) {
  const TempDir dir;
  Cli cli;
  const Ended ended = cli.Run({"health", "--socket", dir.File("no.sock")});
  EXPECT_EQ(ended.code, kUnavailable);
  EXPECT_THAT(
      ended.err,
      AllOf(HasSubstr(dir.File("no.sock")), HasSubstr("is ostiaryd running?"),
            HasSubstr("OSTIARY_SOCKET"), HasSubstr("(UNAVAILABLE)")));
}

TEST(CommandLineTest, TheSocketIsTakenFromTheEnvironment) {
  const TempDir dir;
  Cli cli;
  cli.environment["OSTIARY_SOCKET"] = dir.File("other.sock");
  EXPECT_THAT(cli.Run({"health"}).err, HasSubstr(dir.File("other.sock")));
}

TEST(CommandLineTest, ASocketPathTheKernelCannotTakeIsNamed) {
  Cli cli;
  const Ended ended = cli.Run({"health", "--socket", std::string(108, 'a')});
  EXPECT_EQ(ended.code, kUsage);
  EXPECT_THAT(ended.err, HasSubstr("at most 107 bytes"));
}

TEST(CommandLineTest, AFileThatIsNoSocketIsExplained) {
  const TempDir dir;
  Cli cli;
  const Ended ended = cli.Run({"health", "--socket", dir.path()});
  EXPECT_EQ(ended.code, kUnavailable);
  EXPECT_THAT(ended.err, HasSubstr("it is not a socket"));
}

TEST(CommandLineTest, AServerThatIsNotThereIsExplained) {
  Cli cli;
  const Ended ended = cli.Run({"health", "--server", "127.0.0.1:1"});
  EXPECT_EQ(ended.code, kUnavailable);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("cannot reach 127.0.0.1:1"),
                               HasSubstr("--grpc-listen")));
}

TEST(CommandLineTest, ATokenThatCannotBeAHeaderIsRefused) {
  Cli cli;
  cli.environment["OSTIARY_TOKEN"] = "a\r\nb";
  EXPECT_EQ(cli.Run({"health"}).code, kUsage);
}

}  // namespace
}  // namespace ostiary::cli
