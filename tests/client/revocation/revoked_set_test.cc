#include "client/revocation/revoked_set.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "client/revocation/fingerprint_set.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ostiary::revocation {
namespace {

using ::ostiary::testing::ValueOf;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const absl::Time kLater = kNow + absl::Minutes(20);

TokenMarks Token() {
  TokenMarks token;
  token.token = Fingerprint::OfToken("tok_1");
  token.session = Fingerprint::OfSession("sess_1");
  token.account_id = "acct_1";
  token.generation = 4;
  token.client_id = "web";
  token.issue_time = kNow;
  token.key_id = "key_1";
  return token;
}

TEST(RevokedSet, EmptyHitsNothing) { EXPECT_FALSE(RevokedSet().Hits(Token())); }

TEST(RevokedSet, TokenIsHitByItsId) {
  RevokedSet set;
  set.AddFingerprints({Fingerprint::OfToken("tok_2")}, kLater);
  EXPECT_FALSE(set.Hits(Token()));
  set.AddFingerprints({Fingerprint::OfToken("tok_1")}, kLater);
  EXPECT_TRUE(set.Hits(Token()));
}

TEST(RevokedSet, TokenIsHitByItsSession) {
  RevokedSet set;
  set.AddFingerprints({Fingerprint::OfSession("sess_1")}, kLater);
  EXPECT_TRUE(set.Hits(Token()));
  TokenMarks without = Token();
  without.session.reset();
  EXPECT_FALSE(set.Hits(without));
}

TEST(RevokedSet, OnlyGenerationsBelowAreHit) {
  RevokedSet set;
  set.AddAccount("acct_1", 4, kLater);
  EXPECT_FALSE(set.Hits(Token()));
  set.AddAccount("acct_1", 5, kLater);
  EXPECT_TRUE(set.Hits(Token()));
  TokenMarks other = Token();
  other.account_id = "acct_2";
  EXPECT_FALSE(set.Hits(other));
}

TEST(RevokedSet, LowerGenerationTakesNothingBack) {
  RevokedSet set;
  set.AddAccount("acct_1", 5, kLater);
  set.AddAccount("acct_1", 2, kLater);
  EXPECT_TRUE(set.Hits(Token()));
}

TEST(RevokedSet, ClientHitsWhatWasIssuedUntilThen) {
  RevokedSet set;
  set.AddClient("web", kNow - absl::Seconds(1), kLater);
  EXPECT_FALSE(set.Hits(Token()));
  set.AddClient("web", kNow, kLater);
  set.AddClient("web", kNow - absl::Hours(1), kLater);
  EXPECT_TRUE(set.Hits(Token()));
  TokenMarks other = Token();
  other.client_id = "app";
  EXPECT_FALSE(set.Hits(other));
}

TEST(RevokedSet, AllHitsWhatWasIssuedUntilThen) {
  RevokedSet set;
  set.AddAll(kNow - absl::Seconds(1), kLater);
  EXPECT_FALSE(set.Hits(Token()));
  set.AddAll(kNow, kLater);
  EXPECT_TRUE(set.Hits(Token()));
}

TEST(RevokedSet, KeyHitsForEver) {
  RevokedSet set;
  set.AddKey("key_1");
  EXPECT_EQ(set.Forget(absl::InfiniteFuture(), absl::InfiniteFuture()), 0u);
  EXPECT_TRUE(set.Hits(Token()));
}

// Both must have passed: one clock that is wrong brings nothing back.
TEST(RevokedSet, EveryAdditionMovesTheCountAndNothingElseDoes) {
  RevokedSet set;
  std::uint64_t before = set.additions();
  const auto has_moved = [&] {
    return std::exchange(before, set.additions()) != set.additions();
  };
  set.AddFingerprints({Fingerprint::OfToken("tok_1")}, kLater);
  EXPECT_TRUE(has_moved());
  set.AddAccount("acct_1", 5, kLater);
  EXPECT_TRUE(has_moved());
  set.AddClient("web", kNow, kLater);
  EXPECT_TRUE(has_moved());
  set.AddAll(kNow - absl::Hours(1), kLater);
  EXPECT_TRUE(has_moved());
  set.AddKey("key_1");
  EXPECT_TRUE(has_moved());
  set.AddFingerprints({}, kLater);
  set.Hits(Token());
  set.Forget(kLater + absl::Minutes(2), kLater + absl::Minutes(2));
  EXPECT_FALSE(has_moved());
}

TEST(RevokedSet, NothingIsForgottenBeforeBothClocksSaySo) {
  RevokedSet set;
  set.AddFingerprints({Fingerprint::OfToken("tok_1")}, kLater);
  set.AddAccount("acct_1", 9, kLater);
  set.AddClient("web", kNow, kLater);
  set.AddAll(kNow, kLater);
  const absl::Time passed = kLater + absl::Minutes(1);
  EXPECT_EQ(set.Forget(passed, kLater - absl::Seconds(1)), 0u);
  EXPECT_EQ(set.Forget(kLater - absl::Seconds(1), passed), 0u);
  EXPECT_EQ(set.size(), 4u);
  EXPECT_EQ(set.Forget(passed, passed), 4u);
  EXPECT_EQ(set.size(), 0u);
  EXPECT_FALSE(set.Hits(Token()));
}

TEST(RevokedSet, ForgetTimeIsNeverRoundedDown) {
  RevokedSet set;
  const absl::Time odd = kLater + absl::Milliseconds(1);
  set.AddFingerprints({Fingerprint::OfToken("tok_1")}, odd);
  EXPECT_EQ(set.Forget(kLater, kLater), 0u);
  EXPECT_EQ(set.Forget(kLater + absl::Seconds(59), kLater + absl::Hours(1)),
            0u);
  EXPECT_EQ(set.Forget(kLater + absl::Minutes(1), kLater + absl::Minutes(1)),
            1u);
}

TEST(RevokedSet, EntryWithoutForgetTimeStays) {
  RevokedSet set;
  set.AddFingerprints({Fingerprint::OfToken("tok_1")}, absl::InfiniteFuture());
  set.AddAccount("acct_9", 1, absl::InfiniteFuture());
  EXPECT_EQ(set.Forget(absl::InfiniteFuture(), absl::InfiniteFuture()), 0u);
  EXPECT_EQ(set.size(), 2u);
}

// A twelve-bit name for each minute must not run out or point to another one.
TEST(RevokedSet, ForgettingStaysRightForWeeks) {
  RevokedSet set;
  const auto fingerprint = [](std::uint64_t n) {
    return Fingerprint{n * 0x9E3779B97F4A7 & ((std::uint64_t{1} << 52) - 1)};
  };
  constexpr std::uint64_t kLives = 25;
  for (std::uint64_t minute = 1; minute < 30'000; ++minute) {
    const absl::Time now = kNow + absl::Minutes(minute);
    set.AddFingerprints({fingerprint(minute)}, now + absl::Minutes(kLives));
    set.Forget(now, now);
    ASSERT_EQ(set.size(), std::min(minute, kLives));
    TokenMarks oldest = Token();
    oldest.token = fingerprint(minute < kLives ? 1 : minute - kLives + 1);
    ASSERT_TRUE(set.Hits(oldest)) << minute;
  }
}

class Copying : public RevokedSet::Visitor {
 public:
  explicit Copying(RevokedSet& copy) : copy_(copy) {}
  void OnFingerprint(Fingerprint fingerprint, absl::Time forget) override {
    copy_.AddFingerprints({fingerprint}, forget);
  }
  void OnAccount(absl::string_view id, std::uint64_t generation,
                 absl::Time forget) override {
    copy_.AddAccount(id, generation, forget);
  }
  void OnClient(absl::string_view id, absl::Time issued_before,
                absl::Time forget) override {
    copy_.AddClient(id, issued_before, forget);
  }
  void OnAll(absl::Time issued_before, absl::Time forget) override {
    copy_.AddAll(issued_before, forget);
  }
  void OnKey(absl::string_view id) override { copy_.AddKey(id); }

 private:
  RevokedSet& copy_;
};

TEST(RevokedSet, VisitorHearsOfEverything) {
  RevokedSet set, copy;
  set.AddFingerprints({{1}, {std::uint64_t{1} << 51}}, kLater);
  set.AddFingerprints({{2}}, absl::InfiniteFuture());
  set.AddAccount("acct_1", 1, kLater);
  set.AddClient("web", kNow, kLater);
  set.AddAll(kNow, kLater);
  set.AddKey("key_1");
  Copying visitor(copy);
  set.Visit(visitor);
  EXPECT_EQ(copy.size(), 7u);
  const absl::Time passed = kLater + absl::Minutes(1);
  EXPECT_EQ(copy.Forget(passed, passed), 5u);
}

std::size_t ResidentBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssAnon:", 0) == 0)
      return std::stoul(line.substr(8)) * 1024;
  }
  return 0;
}

bool Sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

// In 25 groups, as a snapshot would bring them.
TEST(RevokedSet, MillionEntriesFitIntoTwentyMegabytes) {
  std::vector<EncodedFingerprints> sets;
  std::mt19937_64 random(7);
  std::vector<Fingerprint> numbers(40'000);
  for (int group = 0; group < 25; ++group) {
    for (Fingerprint& number : numbers) number.value = random() >> 12;
    std::sort(numbers.begin(), numbers.end());
    sets.push_back(ValueOf(EncodeFingerprints(numbers)));
  }
  const std::size_t before = ResidentBytes();
  const absl::Time start = absl::Now();
  RevokedSet set;
  for (int group = 0; group < 25; ++group) {
    ASSERT_OK(DecodeFingerprints(
        sets[group], [&](absl::Span<const Fingerprint> batch) {
          set.AddFingerprints(batch, kLater + absl::Minutes(group));
        }));
  }
  const absl::Duration took = absl::Now() - start;
  const std::size_t grown = ResidentBytes() - before;
  EXPECT_EQ(set.size(), 1'000'000u);
  if (!Sanitized()) {
    EXPECT_LT(grown, 20'000'000u);
  }
  EXPECT_LT(took, absl::Seconds(5));
  std::cout << "a million entries: " << grown << " bytes in " << took << "\n";

  const absl::Time checking = absl::Now();
  int hits = 0;
  TokenMarks token = Token();
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    token.token.value = (i * 0x9E3779B97F4A7C15) >> 12;
    hits += set.Hits(token) ? 1 : 0;
  }
  std::cout << "a check: " << (absl::Now() - checking) / 200'000 << "\n";
  EXPECT_LE(hits, 1);
}

// What a verifier remembers between two checks: once the call that adds has
// returned, nobody may still take "not hit" for true.
TEST(RevokedSet, RememberedMissEndsWithTheCallThatAdds) {
  RevokedSet set;
  std::atomic<std::uint64_t> missed_at = ~std::uint64_t{0};
  std::atomic<bool> added = false;
  std::atomic<int> round = 0;
  TokenMarks token = Token();
  const auto is_hit = [&](int id) {
    TokenMarks marks = token;
    marks.token = Fingerprint::OfToken(std::to_string(id));
    const std::uint64_t additions = set.additions();
    if (missed_at.load(std::memory_order_relaxed) == additions) return false;
    if (set.Hits(marks)) return true;
    missed_at.store(additions, std::memory_order_relaxed);
    return false;
  };
  constexpr int kRounds = 2000;
  std::thread checker([&] {
    for (int id = 0; id < kRounds; ++id) {
      while (round < id) std::this_thread::yield();
      while (!added) is_hit(id);
      EXPECT_TRUE(is_hit(id)) << id;
      added = false;
      round = id + 1;
    }
  });
  for (int id = 0; id < kRounds; ++id) {
    while (round < id) std::this_thread::yield();
    is_hit(id);
    set.AddFingerprints({Fingerprint::OfToken(std::to_string(id))}, kLater);
    added = true;
    while (round == id) std::this_thread::yield();
  }
  checker.join();
}

TEST(RevokedSet, CheckedWhileOthersAddAndForget) {
  RevokedSet set;
  set.AddFingerprints({Fingerprint::OfToken("tok_1")}, absl::InfiniteFuture());
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  std::atomic<int> missed = 0;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done) missed += set.Hits(Token()) ? 0 : 1;
    });
  }
  std::mt19937_64 random(3);
  for (int minute = 0; minute < 200; ++minute) {
    const absl::Time now = kNow + absl::Minutes(minute);
    for (int i = 0; i < 50; ++i) {
      set.AddFingerprints({{random() >> 12}}, now + absl::Minutes(3));
    }
    set.AddAccount("acct_7", minute, now);
    set.Forget(now, now);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace ostiary::revocation
