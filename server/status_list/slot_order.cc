#include "server/status_list/slot_order.h"

#include <string>
#include <utility>

#include "server/base/keyed_hash.h"

namespace ostiary::status_list {
namespace {

// Four are enough for large halves (Luby and Rackoff); ours are of ten bits.
constexpr int kRounds = 10;

}  // namespace

SlotOrder::SlotOrder(SecretBytes key, int bits)
    : key_(std::move(key)), half_bits_(bits / 2) {}

std::uint32_t SlotOrder::At(std::uint32_t count) const {
  const std::uint32_t mask = (std::uint32_t{1} << half_bits_) - 1;
  std::uint32_t left = count >> half_bits_;
  std::uint32_t right = count & mask;
  for (int number = 0; number < kRounds; ++number) {
    const std::uint32_t mixed = (left ^ Round(number, right)) & mask;
    left = right;
    right = mixed;
  }
  return (left << half_bits_) | right;
}

std::uint32_t SlotOrder::Round(int number, std::uint32_t half) const {
  std::string message(1, static_cast<char>(number));
  for (int shift = 0; shift < 32; shift += 8)
    message.push_back(static_cast<char>(half >> shift));
  const std::string hash = HmacSha256(key_.Reveal(), message);
  std::uint32_t out = 0;
  for (int i = 0; i < 4; ++i)
    out = (out << 8) | static_cast<unsigned char>(hash[i]);
  return out;
}

}  // namespace ostiary::status_list
