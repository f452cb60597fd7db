#include "tests/storage/conformance/conformance.h"

namespace ostiary::storage::conformance {
namespace {

using ::ostiary::testing::HasCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

StatusListRow ListOf(std::uint32_t number) {
  StatusListRow row;
  row.list_id = KeyOf(number);
  row.slots = 1 << 20;
  row.open_time = Noon();
  row.close_time = Noon() + absl::Hours(1);
  row.expire_time = Noon() + absl::Hours(2);
  return row;
}

StatusSlotRow SlotOf(std::uint32_t list, std::uint32_t slot,
                     std::uint32_t session) {
  StatusSlotRow row;
  row.place = {KeyOf(list), slot};
  row.session_id = KeyOf(session);
  row.client_id = "cli_default";
  row.take_time = Noon() + absl::Seconds(1);
  return row;
}

class Slots {
 public:
  explicit Slots(Store& store) : store_(store) {}

  absl::Status Take(const StatusSlotRow& row) {
    return store_.Write(
        [&](WriteTx& tx) { return tx.status_lists().Take(row); });
  }
  std::vector<StatusSlotRow> Of(std::uint32_t list, std::int64_t after = -1,
                                std::size_t limit = 1000) {
    using Rows = std::vector<StatusSlotRow>;
    return ostiary::testing::ValueOf(ReadValue<Rows>(store_, [&](ReadTx& tx) {
      return tx.status_lists().SlotsOf(KeyOf(list), after, limit);
    }));
  }
  std::vector<std::uint32_t> FlippedOf(std::uint32_t list,
                                       std::int64_t after = -1,
                                       std::size_t limit = 1000) {
    using Places = std::vector<StatusSlot>;
    const Places places =
        ostiary::testing::ValueOf(ReadValue<Places>(store_, [&](ReadTx& tx) {
          return tx.status_lists().FlippedOf(KeyOf(list), after, limit);
        }));
    std::vector<std::uint32_t> numbers;
    for (const StatusSlot& place : places) {
      EXPECT_EQ(place.list_id, KeyOf(list));
      numbers.push_back(place.slot);
    }
    return numbers;
  }
  std::optional<StatusSlotRow> NewestOf(std::uint32_t session) {
    using Found = std::optional<StatusSlotRow>;
    return ostiary::testing::ValueOf(ReadValue<Found>(store_, [&](ReadTx& tx) {
      return tx.status_lists().NewestOf(KeyOf(session));
    }));
  }

 private:
  Store& store_;
};

TEST_P(StoreConformance, AStatusListComesBackFieldByFieldAndIsOpenedOnce) {
  StatusListRow invalidated = ListOf(2);
  invalidated.invalidated = true;
  const absl::Status opened = Write([&](WriteTx& tx) -> absl::Status {
    if (auto s = tx.status_lists().Open(ListOf(1)); !s.ok()) return s;
    return tx.status_lists().Open(invalidated);
  });
  ASSERT_TRUE(opened.ok()) << opened;
  StatusListRow again = ListOf(1);
  again.slots = 7;
  ASSERT_TRUE(
      Write([&](WriteTx& tx) { return tx.status_lists().Open(again); }).ok());
  Reopen();
  EXPECT_THAT(Read([](ReadTx& tx) { return tx.status_lists().Lists(); }),
              ElementsAre(ListOf(1), invalidated));
}

TEST_P(StoreConformance, AStatusSlotComesBackFieldByField) {
  Slots slots(store());
  StatusSlotRow row = SlotOf(1, 77, 5);
  row.flipped = true;
  ASSERT_TRUE(slots.Take(row).ok());
  EXPECT_THAT(slots.Of(1), ElementsAre(row));
  EXPECT_THAT(slots.NewestOf(5), Optional(row));
  EXPECT_EQ(slots.NewestOf(6), std::nullopt);
}

TEST_P(StoreConformance, AStatusSlotIsNeverGivenTwice) {
  Slots slots(store());
  ASSERT_TRUE(slots.Take(SlotOf(1, 77, 5)).ok());
  EXPECT_THAT(slots.Take(SlotOf(1, 77, 6)),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_TRUE(slots.Take(SlotOf(2, 77, 6)).ok());
}

TEST_P(StoreConformance, TheNewestSlotOfASessionIsTheOneTakenLast) {
  Slots slots(store());
  StatusSlotRow later = SlotOf(1, 1, 5);
  later.take_time += absl::Seconds(1);
  StatusSlotRow flipped = SlotOf(1, 2, 5);
  flipped.take_time = later.take_time;
  flipped.flipped = true;
  for (const auto& row : {SlotOf(1, 3, 5), flipped, later, SlotOf(1, 4, 5)})
    ASSERT_TRUE(slots.Take(row).ok());
  EXPECT_THAT(slots.NewestOf(5), Optional(later));
}

TEST_P(StoreConformance, SlotsOfAListAreReadFromACursor) {
  Slots slots(store());
  for (const std::uint32_t slot : {9, 0, 4})
    ASSERT_TRUE(slots.Take(SlotOf(1, slot, slot)).ok());
  EXPECT_THAT(slots.Of(1),
              ElementsAre(SlotOf(1, 0, 0), SlotOf(1, 4, 4), SlotOf(1, 9, 9)));
  EXPECT_THAT(slots.Of(1, 0, 1), ElementsAre(SlotOf(1, 4, 4)));
  EXPECT_THAT(slots.Of(1, 9), IsEmpty());
  EXPECT_THAT(slots.Of(2), IsEmpty());
}

TEST_P(StoreConformance, FlippedSlotsAreReadWithoutTheOthers) {
  Slots slots(store());
  for (const std::uint32_t slot : {9, 0, 4, 7})
    ASSERT_TRUE(slots.Take(SlotOf(1, slot, slot)).ok());
  EXPECT_THAT(slots.FlippedOf(1), IsEmpty());
  StatusSlotRow born_flipped = SlotOf(1, 5, 5);
  born_flipped.flipped = true;
  ASSERT_TRUE(slots.Take(born_flipped).ok());
  for (const std::uint32_t session : {9, 4}) {
    WriteAndGet([&](WriteTx& tx) {
      return tx.status_lists().FlipSession(KeyOf(session));
    });
  }
  EXPECT_THAT(slots.FlippedOf(1), ElementsAre(4, 5, 9));
  EXPECT_THAT(slots.FlippedOf(1, 4, 1), ElementsAre(5));
  EXPECT_THAT(slots.FlippedOf(1, 9), IsEmpty());
  EXPECT_THAT(slots.FlippedOf(2), IsEmpty());
}

TEST_P(StoreConformance, FlippingASessionFlipsAllItsSlotsOnce) {
  Slots slots(store());
  for (const auto& row : {SlotOf(1, 1, 5), SlotOf(2, 2, 5), SlotOf(1, 3, 6)})
    ASSERT_TRUE(slots.Take(row).ok());
  const auto flip = [&] {
    return WriteAndGet(
        [](WriteTx& tx) { return tx.status_lists().FlipSession(KeyOf(5)); });
  };
  EXPECT_EQ(flip(), 2);
  EXPECT_EQ(flip(), 0);
  EXPECT_TRUE(slots.Of(1)[0].flipped);
  EXPECT_TRUE(slots.Of(2)[0].flipped);
  EXPECT_FALSE(slots.Of(1)[1].flipped);
  EXPECT_THAT(announced().flipped(),
              ::testing::UnorderedElementsAre(SlotOf(1, 1, 5).place,
                                              SlotOf(2, 2, 5).place));
}

TEST_P(StoreConformance, FlippingAnAccountFlipsTheSlotsOfItsSessions) {
  Slots slots(store());
  ASSERT_TRUE(Insert(SessionOf(5, KeyOf(50))).ok());
  ASSERT_TRUE(Insert(SessionOf(6, KeyOf(60))).ok());
  for (const auto& row : {SlotOf(1, 1, 5), SlotOf(1, 3, 6)})
    ASSERT_TRUE(slots.Take(row).ok());
  EXPECT_EQ(WriteAndGet([](WriteTx& tx) {
              return tx.status_lists().FlipAccount(KeyOf(50));
            }),
            1);
  EXPECT_TRUE(slots.Of(1)[0].flipped);
  EXPECT_FALSE(slots.Of(1)[1].flipped);
}

TEST_P(StoreConformance, OneSlotIsFlippedByItsPlace) {
  Slots slots(store());
  ASSERT_TRUE(slots.Take(SlotOf(1, 1, 5)).ok());
  const auto flip = [&](std::uint32_t slot) {
    return WriteAndGet([&](WriteTx& tx) {
      return tx.status_lists().Flip({KeyOf(1), slot});
    });
  };
  EXPECT_EQ(flip(2), 0);
  EXPECT_EQ(flip(1), 1);
  EXPECT_EQ(flip(1), 0);
  EXPECT_THAT(announced().flipped(), ElementsAre(SlotOf(1, 1, 5).place));
}

TEST_P(StoreConformance, WhatWasRolledBackIsNotAnnouncedAsFlipped) {
  Slots slots(store());
  ASSERT_TRUE(slots.Take(SlotOf(1, 1, 5)).ok());
  EXPECT_FALSE(Write([](WriteTx& tx) -> absl::Status {
                 auto flipped = tx.status_lists().FlipSession(KeyOf(5));
                 if (!flipped.ok()) return flipped.status();
                 return absl::AbortedError("no");
               }).ok());
  EXPECT_FALSE(slots.Of(1)[0].flipped);
  EXPECT_THAT(announced().flipped(), IsEmpty());
}

TEST_P(StoreConformance, EveryListCanBeInvalidatedAtOnce) {
  ASSERT_TRUE(Write([](WriteTx& tx) -> absl::Status {
                if (auto s = tx.status_lists().Open(ListOf(1)); !s.ok())
                  return s;
                return tx.status_lists().InvalidateAll();
              }).ok());
  ASSERT_TRUE(Write([](WriteTx& tx) {
                return tx.status_lists().Open(ListOf(2));
              }).ok());
  const auto lists = Read([](ReadTx& tx) { return tx.status_lists().Lists(); });
  ASSERT_EQ(lists.size(), 2u);
  EXPECT_TRUE(lists[0].invalidated);
  EXPECT_FALSE(lists[1].invalidated);
}

TEST_P(StoreConformance, ExpiredListsGoInBatchesWithTheirSlots) {
  Slots slots(store());
  StatusListRow living = ListOf(2);
  living.expire_time += absl::Hours(1);
  ASSERT_TRUE(Write([&](WriteTx& tx) -> absl::Status {
                if (auto s = tx.status_lists().Open(ListOf(1)); !s.ok())
                  return s;
                return tx.status_lists().Open(living);
              }).ok());
  for (const auto& row :
       {SlotOf(1, 1, 5), SlotOf(1, 2, 5), SlotOf(1, 3, 5), SlotOf(2, 1, 5)})
    ASSERT_TRUE(slots.Take(row).ok());
  const auto forget = [&](absl::Time now) {
    return WriteAndGet(
        [&](WriteTx& tx) { return tx.status_lists().DeleteExpired(now, 2); });
  };
  const absl::Time end = ListOf(1).expire_time;
  EXPECT_EQ(forget(end), 0);
  EXPECT_EQ(forget(end + absl::Microseconds(1)), 2);
  EXPECT_THAT(slots.Of(1), ::testing::SizeIs(1));
  EXPECT_EQ(Read([](ReadTx& tx) { return tx.status_lists().Lists(); }).size(),
            2u);
  EXPECT_EQ(forget(end + absl::Microseconds(1)), 1);
  EXPECT_THAT(Read([](ReadTx& tx) { return tx.status_lists().Lists(); }),
              ElementsAre(living));
  EXPECT_THAT(slots.Of(2), ElementsAre(SlotOf(2, 1, 5)));
}

}  // namespace
}  // namespace ostiary::storage::conformance
