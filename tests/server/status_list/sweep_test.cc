#include "server/status_list/sweep.h"

#include <algorithm>

#include "tests/server/status_list/lists_fixture.h"

namespace ostiary::status_list {
namespace {

using storage::LedgerKind;

constexpr int kPlenty = 1000;

class SweepTest : public ListsFixture {
 protected:
  storage::StatusSlot SignIn(const std::string& client, absl::Time now) {
    return *ForNewToken(*issuer_, ASession(now, client), now);
  }
  // As server/revocation/entries.h makes them.
  void Append(LedgerKind kind, const std::string& key, absl::Time now) {
    storage::LedgerRow row;
    row.kind = kind;
    row.key = key;
    row.commit_time = now;
    if (kind != LedgerKind::kKey) row.issued_before = now + absl::Seconds(5);
    ASSERT_THAT(store_->Write([&](storage::WriteTx& tx) {
      return tx.ledger().Append(row).status();
    }),
                IsOk());
  }
  void SweepAt(absl::Time now, int batches = kPlenty) {
    EXPECT_THAT(sweep_->Continue(*store_, now, batches), IsOk());
  }
  void PutKey(const std::string& key_id, absl::Time activated,
              absl::Time retired) {
    storage::KeyRow key;
    key.key_id = key_id;
    key.purpose = "access";
    key.activate_time = activated;
    key.retire_time = retired;
    ASSERT_THAT(store_->Write([&](storage::WriteTx& tx) {
      return tx.keys().Insert(key);
    }),
                IsOk());
  }

  std::unique_ptr<SlotIssuer> issuer_ = NewIssuer();
};

TEST_F(SweepTest, AClientRowFlipsThatClientsSlotsAndNoOther) {
  const auto hit = SignIn("cli_a", noon_);
  const auto spared = SignIn("cli_b", noon_);
  Append(LedgerKind::kClient, "cli_a", noon_ + absl::Seconds(1));
  EXPECT_FALSE(IsFlipped(hit));
  SweepAt(noon_ + absl::Seconds(1));
  EXPECT_TRUE(IsFlipped(hit));
  EXPECT_FALSE(IsFlipped(spared));
}

TEST_F(SweepTest, AnAllRowFlipsEverySlot) {
  const auto a = SignIn("cli_a", noon_);
  const auto b = SignIn("cli_b", noon_);
  Append(LedgerKind::kAll, "", noon_ + absl::Seconds(1));
  SweepAt(noon_ + absl::Seconds(1));
  EXPECT_TRUE(IsFlipped(a));
  EXPECT_TRUE(IsFlipped(b));
}

TEST_F(SweepTest, RowsThatWereFlippedAtOnceNeedNoSweep) {
  const auto slot = SignIn("cli_a", noon_);
  for (const LedgerKind kind :
       {LedgerKind::kToken, LedgerKind::kSession, LedgerKind::kAccount})
    Append(kind, "cli_a", noon_);
  EXPECT_TRUE(sweep_->idle());
  SweepAt(noon_ + absl::Hours(1));
  EXPECT_FALSE(IsFlipped(slot));
}

// A refresh that passed the check before the row was committed may take a slot
// after the first pass; its token is refused by the row.
TEST_F(SweepTest, WhatIsIssuedWhileTheRowCountsIsFlippedByASecondPass) {
  Append(LedgerKind::kClient, "cli_a", noon_);
  SweepAt(noon_);
  const auto late = SignIn("cli_a", noon_ + absl::Milliseconds(5'900));
  EXPECT_FALSE(sweep_->idle());
  SweepAt(noon_ + absl::Milliseconds(5'950));
  EXPECT_FALSE(IsFlipped(late));
  const auto after = SignIn("cli_a", noon_ + absl::Seconds(6));
  SweepAt(noon_ + absl::Seconds(6));
  EXPECT_TRUE(IsFlipped(late));
  EXPECT_FALSE(IsFlipped(after));
  EXPECT_TRUE(sweep_->idle());
}

TEST_F(SweepTest, ASessionThatRefreshesBeforeItIsSweptGetsAFreshSlot) {
  auto session = ASession(noon_, "cli_a");
  const auto before = ForNewToken(*issuer_, session, noon_);
  Append(LedgerKind::kClient, "cli_a", noon_ + absl::Seconds(1));
  const absl::Time later = noon_ + absl::Seconds(10);
  Mint(session, later);
  const auto after = ForNewToken(*issuer_, session, later);
  EXPECT_NE(after, before);
  SweepAt(later);
  EXPECT_TRUE(IsFlipped(*before));
  EXPECT_FALSE(IsFlipped(*after));
}

TEST_F(SweepTest, ItGoesBatchByBatchAndForgetsNothingInBetween) {
  std::vector<storage::StatusSlot> slots;
  ASSERT_THAT(store_->Write([&](storage::WriteTx& tx) -> absl::Status {
    slots.clear();
    for (int i = 0; i < 2500; ++i) {
      auto slot = issuer_->ForNewToken(tx, ASession(noon_, "cli_a"), noon_);
      if (!slot.ok()) return slot.status();
      slots.push_back(**slot);
    }
    return absl::OkStatus();
  }),
              IsOk());
  const auto flipped = [&] {
    return std::count_if(slots.begin(), slots.end(),
                         [&](const auto& slot) { return IsFlipped(slot); });
  };
  Append(LedgerKind::kClient, "cli_a", noon_);
  const absl::Time later = noon_ + absl::Seconds(10);
  SweepAt(later, 1);
  EXPECT_EQ(flipped(), 1000);
  SweepAt(later, 1);
  EXPECT_EQ(flipped(), 2000);
  SweepAt(later, 1);
  EXPECT_EQ(flipped(), 2500);
  EXPECT_FALSE(sweep_->idle());  // not until it is remembered
  SweepAt(later, 1);
  EXPECT_TRUE(sweep_->idle());
}

TEST_F(SweepTest, ACrashInBetweenLosesNothing) {
  const auto a = SignIn("cli_a", noon_);
  Append(LedgerKind::kClient, "cli_a", noon_);
  Open();
  EXPECT_FALSE(sweep_->idle());
  SweepAt(noon_ + absl::Seconds(10));
  EXPECT_TRUE(IsFlipped(a));
  Open();
  EXPECT_TRUE(IsFlipped(a));
  EXPECT_TRUE(sweep_->idle()) << "what is done is not done again";
}

TEST_F(SweepTest, AnOlderRowThatIsNotDoneIsNotSkippedForANewerOne) {
  Append(LedgerKind::kClient, "cli_a", noon_);
  SweepAt(noon_);                          // to be repeated
  Append(LedgerKind::kKey, "kid", noon_);  // done in one pass
  SweepAt(noon_ + absl::Milliseconds(1));
  Open();
  issuer_ = NewIssuer();
  EXPECT_FALSE(sweep_->idle());
  const auto late = SignIn("cli_a", noon_ + absl::Seconds(5));
  SweepAt(noon_ + absl::Seconds(6));
  EXPECT_TRUE(IsFlipped(late));
}

TEST_F(SweepTest, AKeyRowFlipsWhatTheKeyMayHaveSigned) {
  PutKey("kid", noon_, noon_ + absl::Hours(10));
  storage::LedgerRow row;
  row.kind = LedgerKind::kKey;
  row.key = "kid";
  row.commit_time = noon_ + absl::Hours(12);
  const Reach reach = ValueOf(storage::ReadValue<Reach>(
      *store_, [&](storage::ReadTx& tx) { return ReachOf(row, tx.keys()); }));
  const auto hits = [&](absl::Time taken) {
    storage::StatusSlotRow slot;
    slot.take_time = taken;
    return reach.Hits(slot);
  };
  EXPECT_FALSE(hits(noon_ - absl::Minutes(61)));
  EXPECT_TRUE(hits(noon_ - absl::Minutes(10)));
  EXPECT_TRUE(hits(noon_ + absl::Hours(5)));
  EXPECT_FALSE(hits(noon_ + absl::Hours(11)));
}

TEST_F(SweepTest, AKeyThatNeverSignedFlipsNothing) {
  PutKey("kid", absl::InfinitePast(), absl::InfinitePast());
  const auto slot = SignIn("cli_a", noon_);
  Append(LedgerKind::kKey, "kid", noon_ + absl::Seconds(1));
  SweepAt(noon_ + absl::Seconds(2));
  EXPECT_FALSE(IsFlipped(slot));
  EXPECT_TRUE(sweep_->idle());
}

TEST_F(SweepTest, TheSlotsOfTheActiveKeyAreFlippedWhenItIsRevoked) {
  PutKey("kid", noon_ - absl::Hours(100), absl::InfinitePast());
  const auto signed_by_it = SignIn("cli_a", noon_);
  Append(LedgerKind::kKey, "kid", noon_ + absl::Milliseconds(500));
  const auto by_the_next = SignIn("cli_a", noon_ + absl::Milliseconds(501));
  SweepAt(noon_ + absl::Seconds(1));
  EXPECT_TRUE(IsFlipped(signed_by_it));
  EXPECT_FALSE(IsFlipped(by_the_next));
}

}  // namespace
}  // namespace ostiary::status_list
