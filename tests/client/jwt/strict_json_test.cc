#include "client/jwt/strict_json.h"

#include <string>

#include "gtest/gtest.h"

namespace ostiary::jwt {
namespace {

bool Parses(const std::string& text) {
  return ParseStrictJson(text).has_value();
}

TEST(StrictJsonTest, JsonIsRead) {
  const auto value = ParseStrictJson(
      " {\"a\":[1,-2,2.5,true,null,\"\\u00e9\"],\"b\":{\"a\":{}}} \n");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->at("a").at(5), "\u00e9");
}

TEST(StrictJsonTest, TwoMembersOfOneNameAreRefused) {
  EXPECT_TRUE(Parses(R"({"a":1,"b":1})"));
  EXPECT_FALSE(Parses(R"({"a":1,"a":1})"));
  EXPECT_FALSE(Parses(R"({"a":1,"b":2,"a":{"x":1}})"));
}

TEST(StrictJsonTest, TwoMembersOfOneNameAreRefusedHoweverEscaped) {
  EXPECT_FALSE(Parses(R"({"sub":1,"s\u0075b":2})"));
  EXPECT_FALSE(Parses(R"({"a/b":1,"a\/b":2})"));
  EXPECT_FALSE(Parses("{\"\xc3\xa9\":1,\"\\u00e9\":2}"));
}

TEST(StrictJsonTest, TwoMembersOfOneNameAreRefusedAtAnyDepth) {
  EXPECT_TRUE(Parses(R"([{"a":{"b":1}},{"a":{"b":1}}])"));
  EXPECT_FALSE(Parses(R"([{"x":[{"b":1,"b":1}]}])"));
  EXPECT_FALSE(Parses(R"({"a":{"b":1,"c":2},"a":{}})"));
}

TEST(StrictJsonTest, ManyMembersAreStillComparedExactly) {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += "\"m" + std::to_string(i) + "\":0,";
  EXPECT_TRUE(Parses(text + "\"last\":0}"));
  EXPECT_FALSE(Parses(text + "\"m7\":0}"));
}

TEST(StrictJsonTest, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(Parses(nested(kMaxJsonDepth)));
  EXPECT_FALSE(Parses(nested(kMaxJsonDepth + 1)));
  EXPECT_FALSE(Parses(nested(100'000)));
}

TEST(StrictJsonTest, NumbersBeyondADoubleAreRefused) {
  EXPECT_TRUE(Parses("[1e308,-1e308,0e300,1e-400,18446744073709551616]"));
  EXPECT_FALSE(Parses("[1e999]"));
  EXPECT_FALSE(Parses("[-1e999]"));
  EXPECT_FALSE(Parses("[0e4441]"));
}

TEST(StrictJsonTest, WhatIsNotJsonIsRefused) {
  for (const std::string text : {"",
                                 " ",
                                 "{",
                                 "{}{}",
                                 "{} x",
                                 "{}]",
                                 "\xef\xbb\xbf{}",
                                 "/**/{}",
                                 "{\"a\":1,}",
                                 "[1,]",
                                 "{'a':1}",
                                 "{a:1}",
                                 "[01]",
                                 "[+1]",
                                 "[1.]",
                                 "[.5]",
                                 "[NaN]",
                                 "[Infinity]",
                                 "[\"\x01\"]",
                                 "[\"\xff\"]",
                                 "[\"\xc0\xaf\"]",
                                 "[\"\xed\xa0\x80\"]",
                                 "[\"\\ud800\"]",
                                 "[\"\\x41\"]",
                                 "[tru]",
                                 "\"a"}) {
    EXPECT_FALSE(Parses(text)) << text;
  }
  EXPECT_FALSE(Parses(std::string("{}\0", 3)));
}

}  // namespace
}  // namespace ostiary::jwt
