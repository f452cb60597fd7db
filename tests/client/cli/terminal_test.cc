// A real pseudo-terminal: what a person would see and type.

#include "client/cli/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <future>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ostiary::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TerminalTest : public ::testing::Test {
 protected:
  TerminalTest() {
    person_ = posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_GE(person_, 0);
    EXPECT_EQ(grantpt(person_), 0);
    EXPECT_EQ(unlockpt(person_), 0);
    program_ = open(ptsname(person_), O_RDWR | O_NOCTTY);
    EXPECT_GE(program_, 0);
  }
  ~TerminalTest() override {
    close(program_);
    close(person_);
  }

  // Waits until the screen shows `text`; a prompt is shown after echo is off.
  void WaitFor(const std::string& text) {
    char byte = 0;
    while (screen_.find(text) == std::string::npos) {
      ASSERT_EQ(read(person_, &byte, 1), 1);
      screen_ += byte;
    }
  }
  void Type(const std::string& keys) {
    ASSERT_EQ(write(person_, keys.data(), keys.size()),
              static_cast<ssize_t>(keys.size()));
  }
  bool Echoes() const {
    termios settings;
    EXPECT_EQ(tcgetattr(program_, &settings), 0);
    return (settings.c_lflag & ECHO) != 0;
  }

  // What the program gets when the person types `keys` at its prompt.
  std::optional<std::string> Ask(const std::string& keys) {
    PosixTerminal terminal(program_);
    auto answer = std::async(std::launch::async, [&terminal] {
      return terminal.ReadHidden("Password: ");
    });
    WaitFor("Password: ");
    EXPECT_FALSE(Echoes());
    Type(keys);
    std::optional<SecretText> secret = answer.get();
    WaitFor("\n");
    EXPECT_TRUE(Echoes());
    if (!secret) return std::nullopt;
    return secret->Reveal();
  }

  int person_ = -1;
  int program_ = -1;
  std::string screen_;
};

TEST_F(TerminalTest, APasswordIsReadAndNeverShown) {
  EXPECT_EQ(Ask("correct horse\n"), "correct horse");
  EXPECT_THAT(screen_, Not(HasSubstr("c")));
  EXPECT_EQ(screen_, "Password: \r\n");
}

TEST_F(TerminalTest, BackspaceTakesAWholeCharacter) {
  EXPECT_EQ(Ask("abcë\x7f\x7f!\n"), "ab!");
}

TEST_F(TerminalTest, CtrlUStartsAnew) {
  EXPECT_EQ(Ask("wrong\x15right\r"), "right");
}

TEST_F(TerminalTest, CtrlCGivesUpAndLeavesTheEchoOn) {
  EXPECT_EQ(Ask("secret\x03"), std::nullopt);
}

TEST_F(TerminalTest, CtrlDOnAnEmptyLineGivesUp) {
  EXPECT_EQ(Ask("\x04"), std::nullopt);
}

TEST_F(TerminalTest, AVisibleLineIsRead) {
  PosixTerminal terminal(program_);
  EXPECT_TRUE(terminal.IsInteractive());
  Type("yes\n");
  EXPECT_EQ(terminal.ReadLine("Sure? "), "yes");
}

TEST(NoTerminalTest, NobodyIsAsked) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  PosixTerminal terminal(pipe_ends[0]);
  EXPECT_FALSE(terminal.IsInteractive());
  EXPECT_FALSE(terminal.ReadHidden("Password: ").has_value());
  EXPECT_FALSE(terminal.ReadLine("Sure? ").has_value());
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace ostiary::cli
