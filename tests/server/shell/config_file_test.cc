#include "server/config_file.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ostiary {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ConfigFileTest, ScalarsArraysAndCommentsAreRead) {
  ASSERT_OK_AND_ASSIGN(const auto lines, ParseConfigFile(R"(
# a comment
issuer = "https://a.example"   # behind a value
retry-window=10s
flag = true
literal = 'C:\x # no comment'
escaped = "a\"b\\c\td"
list = [ "a",
  # inside
  b, 'c',
]
empty = []
last = 127.0.0.1:8080)"));
  ASSERT_EQ(lines.size(), 8u);
  EXPECT_EQ(lines[0].name, "issuer");
  EXPECT_EQ(lines[0].line, 3);
  EXPECT_THAT(lines[0].values, ElementsAre("https://a.example"));
  EXPECT_THAT(lines[1].values, ElementsAre("10s"));
  EXPECT_THAT(lines[2].values, ElementsAre("true"));
  EXPECT_THAT(lines[3].values, ElementsAre("C:\\x # no comment"));
  EXPECT_THAT(lines[4].values, ElementsAre("a\"b\\c\td"));
  EXPECT_THAT(lines[5].values, ElementsAre("a", "b", "c"));
  EXPECT_EQ(lines[5].line, 8);
  EXPECT_THAT(lines[6].values, IsEmpty());
  EXPECT_EQ(lines[7].line, 13);
  EXPECT_THAT(lines[7].values, ElementsAre("127.0.0.1:8080"));
}

TEST(ConfigFileTest, WindowsLineEndsAndAnEmptyFileAreFine) {
  ASSERT_OK_AND_ASSIGN(const auto lines, ParseConfigFile("a = b\r\nc = d\r\n"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0].values, ElementsAre("b"));
  ASSERT_OK_AND_ASSIGN(const auto none, ParseConfigFile(""));
  EXPECT_THAT(none, IsEmpty());
}

TEST(ConfigFileTest, WhatIsNotUnderstoodIsRefusedWithItsLine) {
  for (const char* bad :
       {"[section]", "name", "= 1", "a b = 1", "a =", "a = # nothing",
        "a = \"open", "a = 'open", "a = \"\\q\"", "a = 1 2", "a = \"x\" y",
        "a = [1", "a = [1 2]", "a = [1]]", "a = [[1]]", "a = \"x\ny\""}) {
    const auto parsed = ParseConfigFile(std::string("ok = 1\n") + bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_THAT(std::string(parsed.status().message()), StartsWith("2: "))
        << bad;
  }
  EXPECT_FALSE(ParseConfigFile(std::string("a = 1\0", 6)).ok());
}

TEST(ConfigFileTest, EveryCutOfAFileEndsWithoutHarm) {
  const std::string text = "a = [\"x\", 'y', z]\nb = \"q\\\"\" # c\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const auto parsed = ParseConfigFile(text.substr(0, length));
    if (!parsed.ok()) {
      EXPECT_FALSE(parsed.status().message().empty());
    }
  }
}

}  // namespace
}  // namespace ostiary
