#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cli/fake_server.h"
#include "tests/client/cli/run_cli.h"
#include "tests/support/temp_dir.h"

namespace ostiary::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class BenchCommandsTest : public ::testing::Test {
 protected:
  // A short load by two callers.
  Ended Bench(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.begin(), {"--socket", server_.socket()});
    arguments.insert(arguments.end(),
                     {"--duration", "100ms", "--concurrency", "2"});
    return cli_.Run(std::move(arguments));
  }
  // Method -> how often it was called.
  std::map<std::string, int> Calls() {
    std::map<std::string, int> calls;
    for (const std::string& call : server_.script().calls) {
      ++calls[call.substr(0, call.find(' '))];
    }
    return calls;
  }
  std::string File(const std::string& text) {
    std::ofstream(dir_.File("lines")) << text;
    return dir_.File("lines");
  }

  FakeServer server_;
  testing::TempDir dir_;
  Cli cli_;
};

TEST_F(BenchCommandsTest, VerifyCallsAgainAndAgainAndReports) {
  const Ended ended = Bench({"verify", "t.o.k"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, IsEmpty());
  EXPECT_THAT(ended.out,
              AllOf(StartsWith("operation    verify\n"),
                    HasSubstr("in flight    at most 2, on 1 "),
                    HasSubstr("\np99.9 "), HasSubstr("\nerrors       0\n")));
  EXPECT_GT(Calls()["Verify"], 10);
  EXPECT_EQ(server_.script().calls.back(), "Verify {token: \"t.o.k\"}");
}

TEST_F(BenchCommandsTest, TokensOfAFileAreTakenInTurn) {
  const Ended ended = Bench({"verify", "--tokens", File("a\n\n  b\n"),
                             "--any-audience", "--output", "json"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  int a = 0, b = 0;
  for (const std::string& call : server_.script().calls) {
    a += call == "Verify {token: \"a\" any_audience: true}" ? 1 : 0;
    b += call == "Verify {token: \"b\" any_audience: true}" ? 1 : 0;
  }
  EXPECT_EQ(a + b, Calls()["Verify"]);
  EXPECT_LE(std::abs(a - b), 1);
  EXPECT_THAT(ended.out, StartsWith("{\"operation\":\"verify\",\"server\":"));
}

TEST_F(BenchCommandsTest, VerifyOpensASessionOfItsOwnAndEndsIt) {
  cli_.AnswerPrompts({"secret-password"});
  const Ended ended = Bench({"verify", "--sign-in", "ada"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(Calls()["SignInWithPassword"], 1);
  EXPECT_EQ(server_.script().calls[1], "Verify {token: \"access\"}");
  EXPECT_EQ(server_.script().calls.back(),
            "SignOut {refresh_token: \"ort_next\"}");
}

TEST_F(BenchCommandsTest, TokenThatIsNotGoodIsToldOnce) {
  server_.script().token_is_valid = false;
  const Ended ended = Bench({"verify", "t.o.k"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("TOKEN_REVOKED"),
                               HasSubstr("nothing was measured")));
  EXPECT_EQ(Calls()["Verify"], 1);
}

TEST_F(BenchCommandsTest, EverySessionThatSignInOpensIsSignedOut) {
  cli_.in = "secret-password\n";
  const Ended ended = Bench({"sign-in", "ada", "--password-stdin"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  auto calls = Calls();
  EXPECT_GT(calls["SignInWithPassword"], 5);
  EXPECT_EQ(calls["SignOut"], calls["SignInWithPassword"]);
  EXPECT_THAT(ended.out, Not(HasSubstr("secret-password")));
}

TEST_F(BenchCommandsTest, WrongPasswordIsTriedOnce) {
  cli_.in = "secret-password\n";
  server_.script().failure =
      grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "rejected");
  const Ended ended = Bench({"sign-in", "ada", "--password-stdin"});
  EXPECT_EQ(ended.code, 4);
  EXPECT_EQ(Calls()["SignInWithPassword"], 1);
}

TEST_F(BenchCommandsTest, AccountsOfAFileSignInInTurn) {
  const Ended ended =
      Bench({"sign-in", "--accounts",
             File("{\"identifier\": \"ada\", \"password\": \"p1\"}\n"
                  "{\"identifier\": \"lin\", \"password\": \"p2\"}\n")});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(server_.script().calls[0],
            "SignInWithPassword {identifier: \"ada\" password: \"p1\"}");
  int lin = 0;
  for (const std::string& call : server_.script().calls) {
    lin += call == "SignInWithPassword {identifier: \"lin\" password: \"p2\"}";
  }
  EXPECT_GT(lin, 1);
}

TEST_F(BenchCommandsTest, BadLineOfAccountsIsNamedAndNotRepeated) {
  const Ended ended =
      Bench({"sign-in", "--accounts",
             File("{\"identifier\": \"ada\", \"password\": \"p1\"}\n"
                  "{\"identifier\": \"lin\", \"passwort\": \"geheim\"}\n")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("line 2"), Not(HasSubstr("geheim"))));
  EXPECT_THAT(server_.script().calls, IsEmpty());
}

TEST_F(BenchCommandsTest, RefreshKeepsOneSessionPerCallerAndEndsAll) {
  cli_.in = "secret-password\n";
  const Ended ended = Bench({"refresh", "ada", "--password-stdin"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  auto calls = Calls();
  EXPECT_EQ(calls["SignInWithPassword"], 2);
  EXPECT_GT(calls["Refresh"], 5);
  EXPECT_EQ(calls["SignOut"], 2);
}

TEST_F(BenchCommandsTest, EveryRefreshHasARequestIdOfItsOwn) {
  cli_.in = "secret-password\n";
  Bench({"refresh", "ada", "--password-stdin"});
  std::map<std::string, int> refreshes;
  for (const std::string& call : server_.script().calls) {
    if (call.substr(0, 7) == "Refresh") ++refreshes[call];
  }
  EXPECT_GT(refreshes.size(), 5u);
  for (const auto& [call, times] : refreshes) {
    EXPECT_EQ(times, 1) << call;
    EXPECT_THAT(call, HasSubstr("request_id: \""));
  }
}

TEST_F(BenchCommandsTest, ProgressIsToldOnlyToWhoWatches) {
  EXPECT_THAT(Bench({"verify", "t", "--rate", "100"}).err, IsEmpty());
  Cli watched;
  const Ended ended =
      watched.Run({"--socket", server_.socket(), "bench", "verify", "t",
                   "--duration", "1200ms", "--rate", "50", "--progress"});
  EXPECT_THAT(ended.err, AllOf(HasSubstr("1s "), HasSubstr("calls/s")));
}

class BadBenchTest
    : public BenchCommandsTest,
      public ::testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(BadBenchTest, IsAUsageErrorBeforeAnythingIsSent) {
  std::vector<std::string> arguments = GetParam();
  arguments.insert(arguments.begin(), {"--socket", server_.socket(), "bench"});
  const Ended ended = cli_.Run(arguments);
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, StartsWith("error: "));
  EXPECT_THAT(server_.script().calls, IsEmpty());
}

using Words = std::vector<std::string>;
INSTANTIATE_TEST_SUITE_P(
    All, BadBenchTest,
    ::testing::Values(Words{"verify"}, Words{"verify", "t", "--sign-in", "ada"},
                      Words{"verify", "t", "--token-stdin"},
                      Words{"verify", "t", "--duration", "2h"},
                      Words{"verify", "t", "--duration", "0s"},
                      Words{"verify", "t", "--concurrency", "0"},
                      Words{"verify", "t", "--concurrency", "1025"},
                      Words{"verify", "t", "--connections", "65"},
                      Words{"verify", "t", "--rate", "0"},
                      Words{"verify", "t", "--rate", "-5"}, Words{"sign-in"},
                      Words{"sign-in", "ada"},
                      Words{"sign-in", "a", "--accounts", "f"},
                      Words{"sign-in", "--accounts", "/nowhere"},
                      Words{"refresh"}));

TEST(BenchTargetTest, ServerElsewhereMustBeNamedAsOneThatMayBeLoaded) {
  Cli cli;
  const std::vector<std::string> bench = {"--server",
                                          "192.0.2.1:1",
                                          "--allow-plaintext",
                                          "--timeout",
                                          "50ms",
                                          "bench",
                                          "verify",
                                          "t"};
  const Ended refused = cli.Run(bench);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--yes-load-this-server"));
  std::vector<std::string> meant = bench;
  meant.push_back("--yes-load-this-server");
  EXPECT_EQ(cli.Run(meant).code, 3);  // it was called, and is not there
}

}  // namespace
}  // namespace ostiary::cli
