#include "server/revocation/revocation_set.h"

#include <string>

#include "gtest/gtest.h"
#include "server/account/events.h"
#include "server/revocation/entries.h"

namespace ostiary::revocation {
namespace {

using storage::LedgerKind;
using storage::LedgerRow;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr absl::Duration kCeiling = absl::Minutes(15);
const AccountId kAda(storage::Key16{1});
const AccountId kBob(storage::Key16{2});
const SessionId kSession(storage::Key16{3});
constexpr char kKey[] = "key-1";

// A token that nothing hits yet.
jwt::Claims Token() {
  jwt::Claims claims;
  claims.issuer = "https://issuer";
  claims.subject = kAda.ToString();
  claims.client_id = "cli_default";
  claims.session_id = kSession.ToString();
  claims.token_id = "jti-1";
  claims.issue_time = kNow;
  claims.expire_time = kNow + kCeiling;
  claims.generation = 5;
  return claims;
}

class RevocationSetTest : public ::testing::Test {
 protected:
  void Apply(LedgerRow row) {
    row.sequence = ++sequence_;
    set_.Apply({1, sequence_, 0}, {row});
  }
  bool Hits(const jwt::Claims& claims) const { return set_.Hits(claims, kKey); }

  RevocationSet set_;
  std::int64_t sequence_ = 0;
};

TEST_F(RevocationSetTest, EmptySetHitsNothing) { EXPECT_FALSE(Hits(Token())); }

TEST_F(RevocationSetTest, TokenRowHitsThatJtiOnly) {
  Apply(TokenEntry("jti-1", kNow + kCeiling, kNow, ""));
  EXPECT_TRUE(Hits(Token()));
  jwt::Claims other = Token();
  other.token_id = "jti-2";
  EXPECT_FALSE(Hits(other));
}

TEST_F(RevocationSetTest, SessionRowHitsEveryTokenOfThatSidOnly) {
  Apply(SessionEntry(kSession, kNow, kCeiling, ""));
  jwt::Claims token = Token();
  EXPECT_TRUE(Hits(token));
  token.token_id = "jti-of-a-later-refresh";
  token.issue_time = kNow + absl::Hours(1);
  EXPECT_TRUE(Hits(token));
  token.session_id = SessionId(storage::Key16{4}).ToString();
  EXPECT_FALSE(Hits(token));
  token.session_id = "";  // a service token
  EXPECT_FALSE(Hits(token));
}

TEST_F(RevocationSetTest, AccountRowHitsOlderGenerationsOnly) {
  Apply(AccountEntry(kAda, 6, kNow, kCeiling, ""));
  jwt::Claims token = Token();
  EXPECT_TRUE(Hits(token));  // 5 < 6
  token.generation = 6;
  EXPECT_FALSE(Hits(token));
  token.generation = 7;
  EXPECT_FALSE(Hits(token));
}

TEST_F(RevocationSetTest, AccountRowComparesNoClocks) {
  Apply(AccountEntry(kAda, 6, kNow, kCeiling, ""));
  jwt::Claims token = Token();
  token.issue_time = kNow + absl::Hours(10);
  EXPECT_TRUE(Hits(token));
  token.issue_time = kNow - absl::Hours(10);
  token.generation = 6;
  EXPECT_FALSE(Hits(token));
}

TEST_F(RevocationSetTest, AccountRowHitsThatAccountOnly) {
  Apply(AccountEntry(kBob, 6, kNow, kCeiling, ""));
  EXPECT_FALSE(Hits(Token()));
}

TEST_F(RevocationSetTest, AccountRowHitsATokenWithoutGeneration) {
  Apply(AccountEntry(kAda, 6, kNow, kCeiling, ""));
  jwt::Claims token = Token();
  token.generation.reset();
  EXPECT_TRUE(Hits(token));
}

TEST_F(RevocationSetTest, TokensOfALaterEpochOutrankTheRowsBeforeIt) {
  Apply(
      AccountEntry(kAda, account::TokenGeneration(1, 900), kNow, kCeiling, ""));
  jwt::Claims token = Token();
  token.generation = account::TokenGeneration(2, 1);
  EXPECT_FALSE(Hits(token));
}

TEST_F(RevocationSetTest, ClientRowHitsUpToAndIncludingItsTime) {
  Apply(ClientEntry("cli_default", kNow, kCeiling, ""));
  jwt::Claims token = Token();
  token.issue_time = kNow + absl::Seconds(5);
  EXPECT_TRUE(Hits(token));
  token.issue_time = kNow + absl::Seconds(6);
  EXPECT_FALSE(Hits(token));
}

TEST_F(RevocationSetTest, ClientRowHitsThatClientOnly) {
  Apply(ClientEntry("cli_other", kNow, kCeiling, ""));
  EXPECT_FALSE(Hits(Token()));
}

TEST_F(RevocationSetTest, KeyRowHitsWhatThatKeySigned) {
  LedgerRow row;
  row.kind = LedgerKind::kKey;
  row.key = kKey;
  Apply(row);
  EXPECT_TRUE(set_.Hits(Token(), kKey));
  EXPECT_FALSE(set_.Hits(Token(), "key-2"));
}

TEST_F(RevocationSetTest, AllRowHitsEverythingUpToAndIncludingItsTime) {
  Apply(AllEntry(kNow, kCeiling, ""));
  jwt::Claims token = Token();
  token.issue_time = kNow + absl::Seconds(5);
  EXPECT_TRUE(Hits(token));
  token.issue_time = kNow + absl::Seconds(6);
  EXPECT_FALSE(Hits(token));
}

TEST_F(RevocationSetTest, IssuingIsPausedWhileATokenWouldBeHitAtBirth) {
  EXPECT_EQ(set_.IssuingPausedUntil("cli_default"), absl::InfinitePast());
  Apply(ClientEntry("cli_default", kNow, kCeiling, ""));
  EXPECT_EQ(set_.IssuingPausedUntil("cli_default"), kNow + absl::Seconds(5));
  EXPECT_EQ(set_.IssuingPausedUntil("cli_other"), absl::InfinitePast());
  Apply(AllEntry(kNow + absl::Seconds(1), kCeiling, ""));
  EXPECT_EQ(set_.IssuingPausedUntil("cli_default"), kNow + absl::Seconds(6));
  EXPECT_EQ(set_.IssuingPausedUntil("cli_other"), kNow + absl::Seconds(6));
}

// --- Merging: applying a row can refuse a token, never accept it.

TEST_F(RevocationSetTest, LowerGenerationAppliedLaterTakesNothingBack) {
  Apply(AccountEntry(kAda, 6, kNow, kCeiling, ""));
  Apply(AccountEntry(kAda, 3, kNow, kCeiling, ""));
  EXPECT_TRUE(Hits(Token()));
}

TEST_F(RevocationSetTest, EarlierTimeAppliedLaterTakesNothingBack) {
  Apply(ClientEntry("cli_default", kNow, kCeiling, ""));
  Apply(ClientEntry("cli_default", kNow - absl::Hours(1), kCeiling, ""));
  EXPECT_TRUE(Hits(Token()));
  Apply(AllEntry(kNow, kCeiling, ""));
  Apply(AllEntry(kNow - absl::Hours(1), kCeiling, ""));
  jwt::Claims token = Token();
  token.client_id = "cli_other";
  EXPECT_TRUE(Hits(token));
}

TEST_F(RevocationSetTest, SameRowTwiceIsOneRow) {
  Apply(TokenEntry("jti-1", kNow, kNow, ""));
  Apply(TokenEntry("jti-1", kNow, kNow, ""));
  EXPECT_EQ(set_.size(), 1u);
}

TEST_F(RevocationSetTest, AppliedIsTheHeadEvenWithoutRows) {
  set_.Apply({4, 99, 0}, {});
  EXPECT_EQ(set_.applied(), (Revision{4, 99}));
}

// --- Forgetting: exactly what may be dropped, and nothing early.

TEST_F(RevocationSetTest, NothingIsForgottenBeforeItsTime) {
  Apply(TokenEntry("jti-1", kNow, kNow, ""));
  Apply(SessionEntry(kSession, kNow, kCeiling, ""));
  EXPECT_EQ(set_.Forget(kNow + absl::Minutes(5) - absl::Seconds(1)), 0u);
  EXPECT_EQ(set_.size(), 2u);
}

TEST_F(RevocationSetTest, EachRowGoesWithinAMinuteOfItsTime) {
  Apply(TokenEntry("jti-1", kNow, kNow, ""));         // + 5 min
  Apply(SessionEntry(kSession, kNow, kCeiling, ""));  // + 20 min
  EXPECT_EQ(set_.Forget(kNow + absl::Minutes(6)), 1u);
  EXPECT_EQ(set_.size(), 1u);
  jwt::Claims token = Token();
  EXPECT_TRUE(Hits(token));  // by its session
  token.session_id = "";
  EXPECT_FALSE(Hits(token));
  EXPECT_EQ(set_.Forget(kNow + absl::Minutes(21)), 1u);
  EXPECT_EQ(set_.size(), 0u);
}

TEST_F(RevocationSetTest, EveryKindButKeysIsForgotten) {
  LedgerRow key;
  key.kind = LedgerKind::kKey;
  key.key = kKey;
  Apply(key);
  Apply(TokenEntry("jti-1", kNow, kNow, ""));
  Apply(SessionEntry(kSession, kNow, kCeiling, ""));
  Apply(AccountEntry(kAda, 6, kNow, kCeiling, ""));
  Apply(ClientEntry("cli_default", kNow, kCeiling, ""));
  Apply(AllEntry(kNow, kCeiling, ""));
  EXPECT_EQ(set_.size(), 6u);
  EXPECT_EQ(set_.Forget(kNow + absl::Hours(24 * 365 * 100)), 5u);
  EXPECT_EQ(set_.size(), 1u);
  EXPECT_TRUE(set_.Hits(Token(), kKey));
  EXPECT_FALSE(set_.Hits(Token(), "key-2"));
}

TEST_F(RevocationSetTest, KeyRowsStayWhateverExpiryTheyClaim) {
  LedgerRow key;
  key.kind = LedgerKind::kKey;
  key.key = kKey;
  key.expire_time = kNow;
  Apply(key);
  EXPECT_EQ(set_.Forget(kNow + absl::Hours(1)), 0u);
  EXPECT_TRUE(set_.Hits(Token(), kKey));
}

TEST_F(RevocationSetTest, NewerRowAboutTheSameThingOutlivesTheOlderOnesTime) {
  Apply(AccountEntry(kAda, 6, kNow, kCeiling, ""));
  Apply(AccountEntry(kAda, 7, kNow + absl::Minutes(10), kCeiling, ""));
  EXPECT_EQ(set_.Forget(kNow + absl::Minutes(21)), 0u);
  EXPECT_TRUE(Hits(Token()));
  EXPECT_EQ(set_.Forget(kNow + absl::Minutes(31)), 1u);
  EXPECT_FALSE(Hits(Token()));
}

// Our own jti and sid are kept as bytes, whatever else somebody revokes as
// text: both must be hit and forgotten alike.
TEST_F(RevocationSetTest, KeysOfEverySpellingAreHitAndForgotten) {
  const std::string spellings[] = {
      "AAAAAAAAAAAAAAAAAAAAAA",      // ours
      "AAAAAAAAAAAAAAAAAAAAAB",      // one bit too many
      "AAAAAAAAAAAAAAAAAAAAA",       // too short
      "AAAAAAAAAAAAAAAAAAAAAAA",     // too long
      "0b9f2f5e-8b0c-4ae6-b2a5-aa",  // of another issuer
  };
  for (const std::string& revoked : spellings) {
    Apply(TokenEntry(revoked, kNow, kNow, ""));
    for (const std::string& asked : spellings) {
      jwt::Claims claims = Token();
      claims.token_id = asked;
      EXPECT_EQ(Hits(claims), asked == revoked) << revoked << " " << asked;
    }
    EXPECT_EQ(set_.Forget(kNow + absl::Minutes(6)), 1u) << revoked;
  }
  EXPECT_EQ(set_.size(), 0u);
}

TEST_F(RevocationSetTest, AnEarlierEndDoesNotShortenALaterOne) {
  Apply(TokenEntry("t", kNow + absl::Minutes(30), kNow, ""));
  Apply(TokenEntry("t", kNow, kNow, ""));
  EXPECT_EQ(set_.Forget(kNow + absl::Minutes(20)), 0u);
  EXPECT_EQ(set_.Forget(kNow + absl::Minutes(36)), 1u);
}

TEST_F(RevocationSetTest, ManyRowsAreAllHitAndAllForgotten) {
  constexpr std::uint8_t kMany = 200;
  for (std::uint8_t i = 0; i < kMany; ++i) {
    const SessionId session(storage::Key16{9, i, i});
    Apply(SessionEntry(session, kNow, kCeiling, ""));
  }
  for (std::uint8_t i = 0; i < kMany; ++i) {
    jwt::Claims claims = Token();
    claims.session_id = SessionId(storage::Key16{9, i, i}).ToString();
    EXPECT_TRUE(Hits(claims));
  }
  EXPECT_EQ(set_.Forget(kNow + absl::Minutes(21)), kMany);
  EXPECT_EQ(set_.size(), 0u);
}

TEST_F(RevocationSetTest, ForgettingDoesNotMoveTheRevision) {
  Apply(TokenEntry("jti-1", kNow, kNow, ""));
  set_.Forget(kNow + absl::Hours(1));
  EXPECT_EQ(set_.applied(), (Revision{1, 1}));
}

}  // namespace
}  // namespace ostiary::revocation
