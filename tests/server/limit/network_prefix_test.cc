#include "server/limit/network_prefix.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ostiary::limit {
namespace {

std::string PrefixOf(absl::string_view address) {
  const auto prefix = NetworkPrefix::OfText(address);
  return prefix.has_value() ? prefix->ToString() : "none";
}

std::vector<AddressRange> Ranges(const std::vector<std::string>& texts) {
  std::vector<AddressRange> ranges;
  for (const std::string& text : texts) {
    ranges.push_back(testing::ValueOf(AddressRange::Parse(text)));
  }
  return ranges;
}

std::string ClientOf(absl::string_view peer, absl::string_view forwarded,
                     const std::vector<std::string>& trusted) {
  const auto client = ClientAddress(peer, forwarded, Ranges(trusted));
  return client.has_value() ? client->ToString() : "none";
}

TEST(NetworkPrefixTest, AnIpv4AddressIsAnOriginOfItsOwn) {
  EXPECT_EQ(PrefixOf("192.0.2.1"), "192.0.2.1/32");
  EXPECT_EQ(PrefixOf("192.0.2.1:443"), "192.0.2.1/32");
}

TEST(NetworkPrefixTest, AMappedAddressIsTheIpv4Address) {
  EXPECT_EQ(PrefixOf("::ffff:192.0.2.1"), "192.0.2.1/32");
  EXPECT_EQ(NetworkPrefix::OfText("::ffff:192.0.2.1"),
            NetworkPrefix::OfText("192.0.2.1"));
}

TEST(NetworkPrefixTest, AnIpv6OriginIsIts64) {
  EXPECT_EQ(PrefixOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(PrefixOf("[2001:db8:1:2::9]:443"), "2001:db8:1:2::/64");
  EXPECT_EQ(PrefixOf("fe80::1%eth0"), "fe80::/64");
}

TEST(NetworkPrefixTest, LoopbackHasNone) {
  for (const char* text :
       {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "[::1]:50051"}) {
    EXPECT_EQ(PrefixOf(text), "none") << text;
  }
}

TEST(NetworkPrefixTest, WhatIsNoAddressHasNone) {
  for (const char* text :
       {"", "unix:", "192.0.2.256", "192.0.2.1:x", "[::1", "[::1]x", "1.2.3",
        "0x7f.1", "localhost", ":", "192.0.2.1:123456"}) {
    EXPECT_FALSE(Address::Parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Address::Parse(std::string(100000, ':')).has_value());
  EXPECT_FALSE(Address::Parse(absl::string_view("::1\0", 4)).has_value());
}

TEST(AddressRangeTest, ContainsWhatSharesItsBits) {
  const AddressRange ten = testing::ValueOf(AddressRange::Parse("10.0.0.0/8"));
  EXPECT_TRUE(ten.Contains(*Address::Parse("10.255.0.1")));
  EXPECT_TRUE(ten.Contains(*Address::Parse("::ffff:10.1.1.1")));
  EXPECT_FALSE(ten.Contains(*Address::Parse("11.0.0.1")));
  EXPECT_FALSE(ten.Contains(*Address::Parse("a00::1")));
  const AddressRange odd =
      testing::ValueOf(AddressRange::Parse("192.0.2.128/25"));
  EXPECT_TRUE(odd.Contains(*Address::Parse("192.0.2.129")));
  EXPECT_FALSE(odd.Contains(*Address::Parse("192.0.2.127")));
  const AddressRange all = testing::ValueOf(AddressRange::Parse("::/0"));
  EXPECT_TRUE(all.Contains(*Address::Parse("192.0.2.1")));
  const AddressRange one = testing::ValueOf(AddressRange::Parse("::1"));
  EXPECT_TRUE(one.Contains(*Address::Parse("::1")));
  EXPECT_FALSE(one.Contains(*Address::Parse("::2")));
}

TEST(AddressRangeTest, SlipsAreRefused) {
  for (const char* text : {"", "/8", "10.0.0.0/33", "10.1.0.0/8", "::/129",
                           "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x"}) {
    EXPECT_FALSE(AddressRange::Parse(text).ok()) << text;
  }
}

TEST(ClientAddressTest, AnUntrustedPeerIsItselfWhateverItForwards) {
  EXPECT_EQ(ClientOf("203.0.113.9", "192.0.2.1", {}), "203.0.113.9");
  EXPECT_EQ(ClientOf("203.0.113.9", "192.0.2.1", {"10.0.0.0/8"}),
            "203.0.113.9");
}

TEST(ClientAddressTest, ATrustedPeerSpeaksForTheLastUntrustedAddress) {
  const std::vector<std::string> trusted = {"10.0.0.0/8", "127.0.0.1"};
  EXPECT_EQ(ClientOf("127.0.0.1", "203.0.113.9", trusted), "203.0.113.9");
  EXPECT_EQ(ClientOf("10.0.0.1", "203.0.113.9, 10.0.0.2", trusted),
            "203.0.113.9");
}

TEST(ClientAddressTest, WhatTheCallerWroteItselfIsNotRead) {
  EXPECT_EQ(ClientOf("10.0.0.1", "127.0.0.1, 1.1.1.1, 203.0.113.9",
                     {"10.0.0.0/8", "127.0.0.1"}),
            "203.0.113.9");
}

TEST(ClientAddressTest, AnEntryThatIsNoAddressEndsTheWalk) {
  const std::vector<std::string> trusted = {"10.0.0.0/8"};
  EXPECT_EQ(ClientOf("10.0.0.1", "", trusted), "10.0.0.1");
  EXPECT_EQ(ClientOf("10.0.0.1", "unknown", trusted), "10.0.0.1");
  EXPECT_EQ(ClientOf("10.0.0.1", "1.1.1.1,,10.0.0.2", trusted), "10.0.0.2");
}

TEST(ClientAddressTest, AnEndlessChainIsNotWalked) {
  std::string chain = "203.0.113.9";
  for (int i = 0; i < 10000; ++i) chain += ",10.0.0.1";
  EXPECT_EQ(ClientOf("10.0.0.2", chain, {"10.0.0.0/8"}), "10.0.0.1");
}

TEST(ClientAddressTest, APeerThatIsNoAddressHasNone) {
  EXPECT_EQ(ClientOf("unix:", "1.1.1.1", {"0.0.0.0/0"}), "none");
}

}  // namespace
}  // namespace ostiary::limit
