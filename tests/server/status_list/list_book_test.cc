#include "server/status_list/list_book.h"

#include "tests/server/status_list/lists_fixture.h"

namespace ostiary::status_list {
namespace {

class ListBookTest : public ListsFixture {
 protected:
  storage::StatusListRow AList(std::uint32_t slots = 64) {
    storage::StatusListRow row;
    row.list_id = random_.NewId(noon_);
    row.slots = slots;
    row.open_time = noon_;
    row.close_time = noon_ + absl::Hours(1);
    row.expire_time = noon_ + absl::Hours(2);
    return row;
  }
};

TEST_F(ListBookTest, AFlipRaisesTheVersionOnce) {
  const storage::StatusListRow row = AList();
  book_->Add(row);
  EXPECT_EQ(book_->Find(row.list_id, noon_)->version, 0u);
  book_->Apply({{row.list_id, 9}});
  book_->Apply({{row.list_id, 9}});
  EXPECT_EQ(book_->Find(row.list_id, noon_)->version, 1u);
  EXPECT_EQ(book_->CopyOf(row.list_id)->bytes,
            std::string("\0\x02\0\0\0\0\0\0", 8));
}

TEST_F(ListBookTest, WhatDoesNotExistIsNotFlipped) {
  const storage::StatusListRow row = AList();
  book_->Add(row);
  book_->Apply({{row.list_id, 64}, {random_.NewId(noon_), 1}});
  EXPECT_EQ(book_->Find(row.list_id, noon_)->version, 0u);
  EXPECT_EQ(book_->CopyOf(row.list_id)->bytes, std::string(8, '\0'));
}

TEST_F(ListBookTest, AddingAgainForgetsNoFlip) {
  const storage::StatusListRow row = AList();
  book_->Add(row);
  book_->Apply({{row.list_id, 0}});
  book_->Add(row);
  EXPECT_EQ(book_->CopyOf(row.list_id)->bytes[0], '\x01');
}

TEST_F(ListBookTest, AListIsServedUntilItExpiresAndNoLonger) {
  const storage::StatusListRow row = AList();
  book_->Add(row);
  EXPECT_TRUE(book_->Find(row.list_id, row.expire_time - absl::Nanoseconds(1)));
  EXPECT_FALSE(book_->Find(row.list_id, row.expire_time));
  book_->Forget(row.expire_time - absl::Nanoseconds(1));
  EXPECT_EQ(book_->size(), 1u);
  book_->Forget(row.expire_time);
  EXPECT_EQ(book_->size(), 0u);
}

TEST_F(ListBookTest, AfterARestartTheBitsAreThoseThatWereCommitted) {
  const storage::StatusListRow row = AList(1 << 20);
  storage::StatusListRow invalidated = AList();
  invalidated.invalidated = true;
  ASSERT_THAT(store_->Write([&](storage::WriteTx& tx) -> absl::Status {
    for (const auto& list : {row, invalidated}) {
      if (auto s = tx.status_lists().Open(list); !s.ok()) return s;
    }
    // More than are read at a time.
    for (std::uint32_t slot = 0; slot < 25'000; ++slot) {
      storage::StatusSlotRow taken;
      taken.place = {row.list_id, slot};
      taken.flipped = slot % 3 == 0;
      if (auto s = tx.status_lists().Take(taken); !s.ok()) return s;
    }
    return absl::OkStatus();
  }),
              IsOk());
  Open();
  for (std::uint32_t slot = 0; slot < 25'000; ++slot)
    ASSERT_EQ(IsFlipped({row.list_id, slot}), slot % 3 == 0) << slot;
  EXPECT_FALSE(IsFlipped({row.list_id, 30'000}));
  EXPECT_EQ(book_->CopyOf(invalidated.list_id)->bytes, std::string(8, '\xff'));
}

}  // namespace
}  // namespace ostiary::status_list
