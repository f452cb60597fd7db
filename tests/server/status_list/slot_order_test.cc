#include "server/status_list/slot_order.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ostiary::status_list {
namespace {

SlotOrder OrderOf(char key, int bits) {
  return SlotOrder(SecretBytes(std::string(32, key)), bits);
}

TEST(SlotOrder, GivesOutEverySlotOnce) {
  for (const int bits : {2, 4, 10, 14}) {
    const SlotOrder order = OrderOf('k', bits);
    ASSERT_EQ(order.size(), 1U << bits);
    std::vector<bool> seen(order.size(), false);
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      const std::uint32_t slot = order.At(i);
      ASSERT_LT(slot, order.size());
      ASSERT_FALSE(seen[slot]) << bits << " bits, count " << i;
      seen[slot] = true;
    }
  }
}

TEST(SlotOrder, DependsOnTheKeyAlone) {
  const SlotOrder one = OrderOf('a', 20);
  const SlotOrder same = OrderOf('a', 20);
  const SlotOrder other = OrderOf('b', 20);
  int equal = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(one.At(i), same.At(i));
    if (one.At(i) == other.At(i)) ++equal;
  }
  EXPECT_LE(equal, 3);
}

// What follows a slot is spread over the whole list: no step says more than
// another, and neither half of the number is kept.
TEST(SlotOrder, NeighboursInTimeAreNotNeighboursInTheList) {
  const SlotOrder order = OrderOf('k', 20);
  int near = 0;
  int same_left = 0;
  int same_right = 0;
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    const std::int64_t a = order.At(i - 1);
    const std::int64_t b = order.At(i);
    if (std::abs(a - b) < 1024) ++near;
    if (a >> 10 == b >> 10) ++same_left;
    if ((a & 1023) == (b & 1023)) ++same_right;
  }
  EXPECT_LT(near, 15);  // about 2 by chance
  EXPECT_LT(same_left, 10);
  EXPECT_LT(same_right, 10);
}

}  // namespace
}  // namespace ostiary::status_list
