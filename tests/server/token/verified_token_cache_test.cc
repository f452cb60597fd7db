#include "server/token/verified_token_cache.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/jwt/verifier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/token/test_keys.h"

namespace ostiary::token {
namespace {

using ::ostiary::testing::AMinter;
using ::ostiary::testing::ARequest;
using ::ostiary::testing::kIssuer;
using ::ostiary::testing::ValueOf;
using ::ostiary::testing::ViewWithKeyOf;
using KnownPtr = std::shared_ptr<const KnownToken>;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class VerifiedTokenCacheTest : public ::testing::Test {
 protected:
  // A verified token that lives for `lifetime` from kNow.
  KnownPtr Verified(absl::Duration lifetime = absl::Minutes(15)) const {
    AccessTokenRequest request = ARequest();
    request.issue_time = kNow;
    request.expire_time = kNow + lifetime;
    const AccessToken token = ValueOf(AMinter().Mint(request, *keys_));
    const jwt::Verifier verifier =
        ValueOf(jwt::Verifier::Create({kIssuer, {jwt::Algorithm::kEs256}}));
    return std::make_shared<const KnownToken>(KnownToken{
        verifier.Authenticate(token.text, keys_->verifying_keys()).token(),
        ""});
  }
  // The cache asks only for digest and claims, so any text may stand for one.
  static TokenDigest Text(int n) {
    return TokenDigest::Of(absl::StrCat("token ", n));
  }
  const jwt::KeySet& ring() const { return keys_->verifying_keys(); }

  const std::shared_ptr<const key::KeyView> keys_ =
      ViewWithKeyOf(jwt::Algorithm::kEs256);
  const KnownPtr token_ = Verified();
};

TEST_F(VerifiedTokenCacheTest, OfNoEntriesRemembersNothing) {
  VerifiedTokenCache cache(0);
  cache.Insert(Text(1), token_, kNow);
  EXPECT_EQ(cache.Find(Text(1), ring()), nullptr);
  EXPECT_EQ(cache.counts().entries, 0);
}

TEST_F(VerifiedTokenCacheTest, FindsWhatWasInsertedAndNothingElse) {
  VerifiedTokenCache cache;
  EXPECT_EQ(cache.Find(Text(1), ring()), nullptr);
  cache.Insert(Text(1), token_, kNow);
  EXPECT_EQ(cache.Find(Text(1), ring()), token_);
  EXPECT_EQ(cache.Find(Text(2), ring()), nullptr);
  EXPECT_EQ(cache.counts().hits, 1);
  EXPECT_EQ(cache.counts().misses, 2);
  EXPECT_EQ(cache.counts().entries, 1);
}

TEST_F(VerifiedTokenCacheTest, TheDigestIsSha256) {
  const TokenDigest digest = TokenDigest::Of("abc");
  EXPECT_EQ(digest.bytes()[0], 0xba);
  EXPECT_EQ(digest.bytes()[1], 0x78);
  EXPECT_EQ(digest.bytes()[31], 0xad);
}

TEST_F(VerifiedTokenCacheTest, AnEntryDoesNotOutliveItsKey) {
  VerifiedTokenCache cache;
  cache.Insert(Text(1), token_, kNow);
  const jwt::KeySet without;
  EXPECT_EQ(cache.Find(Text(1), without), nullptr);
  EXPECT_EQ(cache.counts().entries, 0);
  EXPECT_EQ(cache.Find(Text(1), ring()), nullptr);  // dropped, not hidden
}

TEST_F(VerifiedTokenCacheTest, AnInsertAfterTheKeysRevocationIsNeverFound) {
  VerifiedTokenCache cache;
  const auto other = ViewWithKeyOf(jwt::Algorithm::kEs256);
  EXPECT_EQ(cache.Find(Text(1), other->verifying_keys()), nullptr);
  cache.Insert(Text(1), token_, kNow);  // verified under the keys of before
  EXPECT_EQ(cache.Find(Text(1), other->verifying_keys()), nullptr);
}

TEST_F(VerifiedTokenCacheTest, ItNeverHoldsMoreThanItsBudget) {
  VerifiedTokenCache cache(64);
  for (int i = 0; i < 10'000; ++i) cache.Insert(Text(i), token_, kNow);
  EXPECT_LE(cache.counts().entries, 64);
  EXPECT_GE(cache.counts().entries, 60);
  EXPECT_EQ(cache.counts().evictions + cache.counts().entries, 10'000);
}

TEST_F(VerifiedTokenCacheTest, TokensInUseSurviveAFloodOfOneTimeTokens) {
  VerifiedTokenCache cache(1024);
  for (int i = 0; i < 16; ++i) cache.Insert(Text(i), token_, kNow);
  for (int flood = 1000; flood < 20'000; ++flood) {
    cache.Insert(Text(flood), token_, kNow);
    ASSERT_NE(cache.Find(Text(flood % 16), ring()), nullptr) << flood;
  }
}

TEST_F(VerifiedTokenCacheTest, ExpiredEntriesGoFirstEvenIfUsed) {
  VerifiedTokenCache cache(1);  // one per shard
  const KnownPtr shortlived = Verified(absl::Seconds(1));
  cache.Insert(Text(1), shortlived, kNow);
  ASSERT_NE(cache.Find(Text(1), ring()), nullptr);
  const absl::Time later = kNow + absl::Seconds(1);
  // It may be found expired: refusing it again then costs no signature.
  EXPECT_NE(cache.Find(Text(1), ring()), nullptr);
  for (int i = 2; i < 200; ++i) cache.Insert(Text(i), token_, later);
  EXPECT_EQ(cache.Find(Text(1), ring()), nullptr);
}

TEST_F(VerifiedTokenCacheTest, VeryLongTokensAreNotKept) {
  VerifiedTokenCache cache;
  const TokenDigest fits = TokenDigest::Of(std::string(4096, 'x'));
  const TokenDigest longer = TokenDigest::Of(std::string(4097, 'x'));
  cache.Insert(fits, token_, kNow);
  cache.Insert(longer, token_, kNow);
  EXPECT_NE(cache.Find(fits, ring()), nullptr);
  EXPECT_EQ(cache.Find(longer, ring()), nullptr);
}

TEST_F(VerifiedTokenCacheTest, TheFirstInsertedStays) {
  VerifiedTokenCache cache;
  cache.Insert(Text(1), token_, kNow);
  cache.Insert(Text(1), Verified(), kNow);
  EXPECT_EQ(cache.Find(Text(1), ring()), token_);
  EXPECT_EQ(cache.counts().entries, 1);
}

TEST_F(VerifiedTokenCacheTest, ThreadsShareItSoundly) {
  VerifiedTokenCache cache(256);
  const jwt::KeySet without;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 3000; ++i) {
        const TokenDigest digest = Text((i * 7 + t) % 600);
        const KnownPtr found = cache.Find(digest, ring());
        if (found != nullptr && found != token_) ++wrong;
        if (found == nullptr) cache.Insert(digest, token_, kNow);
        if (i % 97 == 0 && cache.Find(digest, without) != nullptr) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(cache.counts().entries, 256);
}

}  // namespace
}  // namespace ostiary::token
