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

TokenDigest Digest(int number) { return DigestOf(absl::StrCat(number)); }

TEST(TokenCache, FindsTheTokenOfATextAndNoOther) {
  TokenCache cache(100);
  cache.Insert(Digest(1), Token(1), 0);
  ASSERT_NE(cache.Find(Digest(1), 0), nullptr);
  EXPECT_EQ(cache.Find(Digest(1), 0)->claims().token_id, "tok_1");
  EXPECT_EQ(cache.Find(Digest(2), 0), nullptr);
}

TEST(TokenCache, TokensFromBeforeAKeyWasLostAreNotFound) {
  TokenCache cache(100);
  cache.Insert(Digest(1), Token(1), 0);
  EXPECT_EQ(cache.Find(Digest(1), 1), nullptr);
  cache.Insert(Digest(1), Token(1), 1);
  EXPECT_NE(cache.Find(Digest(1), 1), nullptr);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(TokenCache, NeverHoldsMoreThanItMay) {
  TokenCache cache(160);
  for (int i = 0; i < 2000; ++i) {
    cache.Insert(Digest(i), Token(i), 0);
    ASSERT_NE(cache.Find(Digest(i), 0), nullptr);
  }
  EXPECT_LE(cache.size(), 160u);
  int found = 0;
  for (int i = 0; i < 2000; ++i) found += cache.Find(Digest(i), 0) ? 1 : 0;
  EXPECT_EQ(found, static_cast<int>(cache.size()));
}

TEST(TokenCache, WhatIsUsedStaysLonger) {
  TokenCache cache(160);
  for (int i = 0; i < 1000; ++i) {
    cache.Insert(Digest(i), Token(i), 0);
    for (int kept = 0; kept < 10 && kept <= i; ++kept) {
      ASSERT_NE(cache.Find(Digest(kept), 0), nullptr) << i;
    }
  }
}

TEST(TokenCache, OfSizeZeroHoldsNothing) {
  TokenCache cache(0);
  cache.Insert(Digest(1), Token(1), 0);
  EXPECT_EQ(cache.Find(Digest(1), 0), nullptr);
}

TEST(TokenCache, ReadWhileOthersWrite) {
  TokenCache cache(64);
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&cache, &done] {
      for (int n = 0; !done; n = (n + 1) % 200) {
        const KnownTokenPtr token = cache.Find(Digest(n), 0);
        if (token != nullptr) {
          ASSERT_EQ(token->claims().token_id, absl::StrCat("tok_", n));
        }
      }
    });
  }
  for (int n = 0; n < 5000; ++n) {
    cache.Insert(Digest(n % 200), Token(n % 200), 0);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace ostiary::client
