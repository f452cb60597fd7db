#include "server/status_list/slot_issuer.h"

#include <set>

#include "tests/server/status_list/lists_fixture.h"

namespace ostiary::status_list {
namespace {

class SlotIssuerTest : public ListsFixture {
 protected:
  std::unique_ptr<SlotIssuer> issuer_ = NewIssuer();
};

TEST_F(SlotIssuerTest, GivesNothingWhenItIsOff) {
  auto off = NewIssuer(20, Issuing::kOff);
  const auto session = ASession(noon_);
  EXPECT_EQ(ForNewToken(*off, session, noon_), std::nullopt);
  EXPECT_EQ(ForRepeatedToken(*off, session, noon_), std::nullopt);
  EXPECT_EQ(book_->size(), 0u);
}

TEST_F(SlotIssuerTest, ASessionsTokensShareItsSlotWhileTheListIsOpen) {
  auto session = ASession(noon_);
  const MaybeSlot first = ForNewToken(*issuer_, session, noon_);
  ASSERT_TRUE(first.has_value());
  const absl::Time last = noon_ + absl::Minutes(59);
  Mint(session, last);
  EXPECT_EQ(ForNewToken(*issuer_, session, last), first);
  const absl::Time closed = noon_ + absl::Hours(1);
  Mint(session, closed);
  const MaybeSlot second = ForNewToken(*issuer_, session, closed);
  ASSERT_TRUE(second.has_value());
  EXPECT_NE(second->list_id, first->list_id);
}

TEST_F(SlotIssuerTest, ListsCloseWithTheHoursAndOutliveTheirTokens) {
  const auto slot =
      ForNewToken(*issuer_, ASession(noon_), noon_ + absl::Minutes(17));
  const auto row = book_->Find(slot->list_id, noon_)->row;
  EXPECT_EQ(row.close_time, noon_ + absl::Hours(1));
  EXPECT_EQ(row.expire_time, row.close_time + absl::Minutes(15 + 5));
  EXPECT_EQ(row.slots, 1U << 20);
}

TEST_F(SlotIssuerTest, ATokenThatWouldOutliveTheListGetsAnother) {
  auto session = ASession(noon_);
  const auto first = ForNewToken(*issuer_, session, noon_);
  session.access_expire_time = noon_ + absl::Hours(24);
  EXPECT_NE(ForNewToken(*issuer_, session, noon_), first);
}

TEST_F(SlotIssuerTest, AfterAFlipTheNextTokenGetsAFreshSlot) {
  auto session = ASession(noon_);
  const auto first = ForNewToken(*issuer_, session, noon_);
  Flip(*first);
  Mint(session, noon_ + absl::Seconds(1));
  const auto second = ForNewToken(*issuer_, session, noon_ + absl::Seconds(1));
  EXPECT_NE(second, first);
  EXPECT_FALSE(IsFlipped(*second));
}

TEST_F(SlotIssuerTest, TheSameTokenAgainNamesTheSameSlotAlsoAFlippedOne) {
  const auto session = ASession(noon_);
  const auto first = ForNewToken(*issuer_, session, noon_);
  Flip(*first);
  EXPECT_EQ(ForRepeatedToken(*issuer_, session, noon_), first);
  EXPECT_EQ(ForRepeatedToken(*issuer_, session, noon_ + absl::Hours(1)), first);
}

TEST_F(SlotIssuerTest, AFullListIsFollowedByAnotherAndNoSlotIsGivenTwice) {
  auto small = NewIssuer(4);
  std::set<std::pair<storage::Key16, std::uint32_t>> seen;
  for (int i = 0; i < 40; ++i) {
    const auto slot = ForNewToken(*small, ASession(noon_), noon_);
    EXPECT_TRUE(seen.insert({slot->list_id, slot->slot}).second);
    EXPECT_LT(slot->slot, 16u);
  }
  EXPECT_EQ(book_->size(), 3u);
}

TEST_F(SlotIssuerTest, ATransactionThatFailsLosesItsSlotAndNotTheList) {
  const auto session = ASession(noon_);
  MaybeSlot lost;
  EXPECT_FALSE(store_
                   ->Write([&](storage::WriteTx& tx) -> absl::Status {
                     auto slot = issuer_->ForNewToken(tx, session, noon_);
                     if (!slot.ok()) return slot.status();
                     lost = *slot;
                     return absl::AbortedError("no");
                   })
                   .ok());
  const auto kept = ForNewToken(*issuer_, session, noon_);
  EXPECT_NE(kept, lost);
  EXPECT_EQ(kept->list_id, lost->list_id);
  Open();  // the list was written with the slot that was kept
  EXPECT_TRUE(book_->Find(kept->list_id, noon_).has_value());
}

TEST_F(SlotIssuerTest, ANewProcessBeginsNewListsAndKeepsWhatWasGiven) {
  auto session = ASession(noon_);
  const auto before = ForNewToken(*issuer_, session, noon_);
  Open();
  auto next = NewIssuer();
  EXPECT_EQ(ForNewToken(*next, session, noon_), before);
  EXPECT_NE(ForNewToken(*next, ASession(noon_), noon_)->list_id,
            before->list_id);
}

TEST_F(SlotIssuerTest, NoTokenNamesAListThatARestoreInvalidated) {
  auto session = ASession(noon_);
  const auto before = ForNewToken(*issuer_, session, noon_);
  ASSERT_THAT(store_->Write([](storage::WriteTx& tx) {
    return tx.status_lists().InvalidateAll();
  }),
              IsOk());
  Open();
  auto next = NewIssuer();
  EXPECT_NE(ForNewToken(*next, session, noon_)->list_id, before->list_id);
  EXPECT_TRUE(IsFlipped(*before));
}

}  // namespace
}  // namespace ostiary::status_list
