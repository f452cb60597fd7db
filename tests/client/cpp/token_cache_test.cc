#include "client/cpp/token_cache.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace ostiary::client {
namespace {

KnownTokenPtr Token(int number) {
  jwt::Claims claims;
  claims.token_id = absl::StrCat("tok_", number);
  return std::make_shared<const KnownToken>(std::move(claims), "key");
}

// As long as a real one; what tells them apart is at the end.
std::string Text(int number) {
  return absl::StrCat(std::string(400, 'a'), ".", number);
}

TEST(TokenCache, FindsTheTokenOfATextAndNoOther) {
  TokenCache cache(100);
  cache.Insert(Text(1), Token(1), 0);
  ASSERT_NE(cache.Find(Text(1), 0), nullptr);
  EXPECT_EQ(cache.Find(Text(1), 0)->claims().token_id, "tok_1");
  EXPECT_EQ(cache.Find(Text(2), 0), nullptr);
}

TEST(TokenCache, TextWithTheSignatureOfAnotherIsNotFound) {
  TokenCache cache(100);
  const std::string signature(86, 's');
  const std::string text = std::string(300, 'a') + "." + signature;
  cache.Insert(text, Token(1), 0);
  ASSERT_NE(cache.Find(text, 0), nullptr);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string forged = text;
    forged[i] ^= 1;
    EXPECT_EQ(cache.Find(forged, 0), nullptr) << i;
  }
  EXPECT_EQ(cache.Find(text.substr(1), 0), nullptr);
  EXPECT_EQ(cache.Find("a" + text, 0), nullptr);
  EXPECT_EQ(cache.Find(signature, 0), nullptr);
  EXPECT_EQ(cache.Find("", 0), nullptr);
}

TEST(TokenCache, OfTwoTextsWithOneSignatureTheLaterStays) {
  TokenCache cache(100);
  const std::string signature(86, 's');
  cache.Insert("a." + signature, Token(1), 0);
  cache.Insert("b." + signature, Token(2), 0);
  EXPECT_EQ(cache.Find("a." + signature, 0), nullptr);
  ASSERT_NE(cache.Find("b." + signature, 0), nullptr);
  EXPECT_EQ(cache.Find("b." + signature, 0)->claims().token_id, "tok_2");
  EXPECT_EQ(cache.size(), 1u);
}

TEST(TokenCache, ShortTextsAreTexts) {
  TokenCache cache(100);
  cache.Insert("", Token(0), 0);
  cache.Insert("a", Token(1), 0);
  ASSERT_NE(cache.Find("", 0), nullptr);
  EXPECT_EQ(cache.Find("", 0)->claims().token_id, "tok_0");
  ASSERT_NE(cache.Find("a", 0), nullptr);
  EXPECT_EQ(cache.Find("b", 0), nullptr);
}

TEST(TokenCache, TokenOutlivesItsPlace) {
  TokenCache cache(1);
  cache.Insert(Text(1), Token(1), 0);
  const KnownTokenPtr held = cache.Find(Text(1), 0);
  ASSERT_NE(held, nullptr);
  for (int i = 2; i < 500; ++i) cache.Insert(Text(i), Token(i), 0);
  EXPECT_EQ(held->claims().token_id, "tok_1");
}

TEST(TokenCache, TokensFromBeforeAKeyWasLostAreNotFound) {
  TokenCache cache(100);
  cache.Insert(Text(1), Token(1), 0);
  EXPECT_EQ(cache.Find(Text(1), 1), nullptr);
  cache.Insert(Text(1), Token(1), 1);
  EXPECT_NE(cache.Find(Text(1), 1), nullptr);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(TokenCache, NeverHoldsMoreThanItMay) {
  TokenCache cache(160);
  for (int i = 0; i < 2000; ++i) {
    cache.Insert(Text(i), Token(i), 0);
    ASSERT_NE(cache.Find(Text(i), 0), nullptr);
  }
  EXPECT_LE(cache.size(), 160u);
  int found = 0;
  for (int i = 0; i < 2000; ++i) found += cache.Find(Text(i), 0) ? 1 : 0;
  EXPECT_EQ(found, static_cast<int>(cache.size()));
}

TEST(TokenCache, WhatIsUsedStaysLonger) {
  TokenCache cache(160);
  for (int i = 0; i < 1000; ++i) {
    cache.Insert(Text(i), Token(i), 0);
    for (int kept = 0; kept < 10 && kept <= i; ++kept) {
      ASSERT_NE(cache.Find(Text(kept), 0), nullptr) << i;
    }
  }
}

TEST(TokenCache, OfSizeZeroHoldsNothing) {
  TokenCache cache(0);
  cache.Insert(Text(1), Token(1), 0);
  EXPECT_EQ(cache.Find(Text(1), 0), nullptr);
}

TEST(TokenCache, ReadWhileOthersWrite) {
  TokenCache cache(64);
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&cache, &done] {
      for (int n = 0; !done; n = (n + 1) % 200) {
        const KnownTokenPtr token = cache.Find(Text(n), 0);
        if (token != nullptr) {
          ASSERT_EQ(token->claims().token_id, absl::StrCat("tok_", n));
        }
      }
    });
  }
  for (int n = 0; n < 5000; ++n) {
    cache.Insert(Text(n % 200), Token(n % 200), 0);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace ostiary::client
