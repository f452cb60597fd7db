#include "server/option_values.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace ostiary {
namespace {

TEST(DurationTest, UnitsAndSumsAreRead) {
  EXPECT_EQ(DurationFromText("90d"), 90 * absl::Hours(24));
  EXPECT_EQ(DurationFromText("15m"), absl::Minutes(15));
  EXPECT_EQ(DurationFromText("10s"), absl::Seconds(10));
  EXPECT_EQ(DurationFromText("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(DurationFromText("1h30m"), absl::Minutes(90));
  EXPECT_EQ(DurationFromText("0s"), absl::ZeroDuration());
}

TEST(DurationTest, ANumberWithoutItsUnitIsNotGuessedAt) {
  for (const char* bad :
       {"", "10", "s", "-5s", "+5s", "1.5h", "10 s", " 10s", "10s ", "10S",
        "10min", "1h30", "9999999999d", "inf", "10us"}) {
    EXPECT_EQ(DurationFromText(bad), std::nullopt) << bad;
  }
}

TEST(DurationTest, WhatIsWrittenIsReadBack) {
  for (const char* text : {"90d", "15m", "1h30m", "250ms", "0s", "1d1ms"}) {
    EXPECT_EQ(DurationToText(*DurationFromText(text)), text);
  }
  EXPECT_EQ(DurationToText(absl::Hours(48)), "2d");
}

TEST(RateTest, ACountPerDurationOrOff) {
  const auto codec = RateOrOff();
  EXPECT_EQ(**codec.parse("10/15m"), (Rate{10, absl::Minutes(15)}));
  ASSERT_TRUE(codec.parse("off").has_value());
  EXPECT_FALSE(codec.parse("off")->has_value());
  for (const char* bad : {"", "10", "0/1m", "-1/1m", "10/", "10/15", "/15m",
                          "10/25h", "10/500ms", "none", "99999999/1m"}) {
    EXPECT_FALSE(codec.parse(bad).has_value()) << bad;
  }
}

TEST(AddressTest, OnlyNumericAddressesAndLocalhost) {
  const auto codec = Address();
  EXPECT_EQ(codec.parse("127.0.0.1:8080"), (ListenAddress{"127.0.0.1", 8080}));
  EXPECT_EQ(codec.parse("[::1]:0"), (ListenAddress{"::1", 0}));
  EXPECT_EQ(codec.parse("localhost:1"), (ListenAddress{"127.0.0.1", 1}));
  EXPECT_EQ(codec.parse("[::1]:5")->ToString(), "[::1]:5");
  for (const char* bad :
       {"", ":8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
        "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:1x", "::1:80", "[::1]80",
        "[::1", "example.com:80", "*:80", "256.0.0.1:80", "127.1:80",
        "0177.0.0.1:80", "127.0.0.1:000080"}) {
    EXPECT_FALSE(codec.parse(bad).has_value()) << bad;
  }
}

TEST(AddressTest, OnlyTrueLoopbackCountsAsLoopback) {
  EXPECT_TRUE((ListenAddress{"127.255.255.254", 1}).IsLoopback());
  EXPECT_TRUE((ListenAddress{"::1", 1}).IsLoopback());
  for (const char* host : {"0.0.0.0", "::", "128.0.0.1", "::2", "10.0.0.1"}) {
    EXPECT_FALSE((ListenAddress{host, 1}).IsLoopback()) << host;
  }
}

TEST(CidrTest, NetworksOfBothFamilies) {
  const auto codec = Cidr();
  for (const char* good :
       {"10.0.0.0/8", "0.0.0.0/0", "192.168.1.1", "2001:db8::/32", "::1/128"}) {
    EXPECT_TRUE(codec.parse(good).has_value()) << good;
  }
  for (const char* bad : {"", "10.0.0.0/33", "::/129", "10.0.0.0/", "10/8",
                          "10.0.0.0/-1", "example.com/8", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(codec.parse(bad).has_value()) << bad;
  }
}

TEST(OriginTest, ASchemeAndAHostAndNothingBehind) {
  const auto codec = Origin();
  EXPECT_TRUE(codec.parse("https://app.example.com:8443").has_value());
  for (const char* bad :
       {"*", "null", "https://a.b/", "https://a.b/x", "a.b", "https://*.a.b"}) {
    EXPECT_FALSE(codec.parse(bad).has_value()) << bad;
  }
}

TEST(HostNameTest, NoPortAndNoScheme) {
  const auto codec = HostName();
  EXPECT_TRUE(codec.parse("auth.example.com").has_value());
  EXPECT_TRUE(codec.parse("::1").has_value());
  for (const char* bad : {"", "a:80", "http://a", "a/b", "a b", ".a", "-a"}) {
    EXPECT_FALSE(codec.parse(bad).has_value()) << bad;
  }
}

TEST(TokenWordTest, WhatAScopeMayHold) {
  const auto codec = TokenWord("cli_");
  EXPECT_TRUE(codec.parse("orders:read").has_value());
  EXPECT_TRUE(codec.parse("https://api.example.com").has_value());
  EXPECT_TRUE(codec.parse(std::string(255, 'a')).has_value());
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a\"b"),
        std::string("a\\b"), std::string("a\n"), std::string("\xc3\xab"),
        std::string("cli_web"), std::string(256, 'a')}) {
    EXPECT_FALSE(codec.parse(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace ostiary
