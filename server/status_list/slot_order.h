#ifndef OSTIARY_SERVER_STATUS_LIST_SLOT_ORDER_H_
#define OSTIARY_SERVER_STATUS_LIST_SLOT_ORDER_H_

#include <cstdint>

#include "server/base/secret.h"

namespace ostiary::status_list {

// The order in which a list's slots are given out: a permutation of
// 0..2^bits-1 that only the key knows (a Feistel network over two halves).
// Without it, neighbouring numbers would tell who signed in together, and the
// highest how many there are.
//
// Immutable and thread-safe.
class SlotOrder {
 public:
  // `bits` is even, from 2 to 30. The key should be 32 random bytes.
  SlotOrder(SecretBytes key, int bits);

  std::uint32_t size() const { return std::uint32_t{1} << (2 * half_bits_); }
  // The slot given out as the `count`th, counting from 0; count < size().
  std::uint32_t At(std::uint32_t count) const;

 private:
  std::uint32_t Round(int number, std::uint32_t half) const;

  const SecretBytes key_;
  const int half_bits_;
};

}  // namespace ostiary::status_list

#endif  // OSTIARY_SERVER_STATUS_LIST_SLOT_ORDER_H_
