#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/checker/history.h"
#include "tests/checker/made_up.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

// The program, for harnesses in other languages.
namespace ostiary::checker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CheckHistory : public ::testing::Test {
 protected:
  CheckHistory() {
    history_.SignUp("p1");
    history_.SignIn("a");
    history_.RevokeSession("a");
  }
  std::string Write() {
    EXPECT_OK(History(history_.operations()).WriteTo(dir_.File("history")));
    return dir_.File("history");
  }
  std::string WriteText(const std::string& name, const std::string& text) {
    std::ofstream(dir_.File(name)) << text;
    return dir_.File(name);
  }
  // What it says; its exit code is in code_.
  std::string Run(const std::string& arguments) {
    const char* folder = std::getenv("OSTIARY_BIN_DIR");
    const std::string program = folder == nullptr
                                    ? "check_history"
                                    : std::string(folder) + "/check_history";
    FILE* pipe = popen((program + " " + arguments + " 2>&1").c_str(), "r");
    std::string said;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
      said += static_cast<char>(c);
    code_ = WEXITSTATUS(pclose(pipe));
    return said;
  }

  ostiary::testing::TempDir dir_;
  MadeUp history_;
  int code_ = -1;
};

TEST_F(CheckHistory, PassesWhatIsRight) {
  history_.Verify("a", 1, "TOKEN_REVOKED");
  EXPECT_THAT(Run("--linearize " + Write()), HasSubstr("4 operations"));
  EXPECT_EQ(code_, 0);
}

TEST_F(CheckHistory, NamesWhatIsBrokenAndByWhichOperations) {
  history_.Verify("a", 1);
  const std::string said = Run(Write());
  EXPECT_EQ(code_, 1);
  EXPECT_THAT(said, HasSubstr("revocation_holds"));
  EXPECT_THAT(said, HasSubstr("#3 "));
  EXPECT_THAT(said, HasSubstr("#4 "));
}

TEST_F(CheckHistory, SearchesForAnOrderOnlyIfAsked) {
  history_.SignIn("b");
  history_.Refresh("b", 1, "REFRESH_REJECTED");
  EXPECT_THAT(Run(Write()), Not(HasSubstr("linearizable")));
  EXPECT_EQ(code_, 0);
  EXPECT_THAT(Run("--linearize " + Write()), HasSubstr("linearizable"));
  EXPECT_EQ(code_, 1);
}

TEST_F(CheckHistory, KnowsTheSettingsItIsTold) {
  history_.SignIn("b");
  history_.Refresh("b", 1);
  history_.Pass(30);
  history_.Refresh("b", 1);
  Run("--retry-window=60s " + Write());
  EXPECT_EQ(code_, 0);
  EXPECT_THAT(Run("--retry-window=20s " + Write()), HasSubstr("retry_window"));
  EXPECT_EQ(code_, 1);
}

TEST_F(CheckHistory, FindsSecretsWithoutTellingThem) {
  const std::string canaries =
      WriteText("canaries", "quill-anchor-48\nlantern-95-otter\n");
  std::filesystem::create_directory(dir_.File("logs"));
  const std::string clean = WriteText("logs/clean", "nothing here");
  Run("--canaries=" + canaries + " --text=" + dir_.File("logs"));
  EXPECT_EQ(code_, 0);
  WriteText("logs/leak", "password lantern-95-otter refused");
  const std::string said =
      Run("--canaries=" + canaries + " --text=" + dir_.File("logs"));
  EXPECT_EQ(code_, 1);
  EXPECT_THAT(said, HasSubstr("no_secret_appears: canary 2"));
  EXPECT_THAT(said, Not(HasSubstr("lantern")));
}

TEST_F(CheckHistory, WhatItDoesNotUnderstandIsNoVerdict) {
  for (const std::string& arguments :
       {std::string(), std::string("--retry-windows=1s x"),
        std::string("--retry-window=soon x"), dir_.File("missing"),
        WriteText("wrong", "{}\n"), "--text=" + WriteText("log", "x")}) {
    Run(arguments);
    EXPECT_EQ(code_, 2) << arguments;
  }
}

}  // namespace
}  // namespace ostiary::checker
