#include "server/session/networks.h"

#include <openssl/sha.h>

namespace ostiary::session {
namespace {

// The row has the last network's mark in the lowest bits, then that of the one
// before, then the count: three bytes for who never moves, six for who does.
// A mark is no secret: the row names the address of the sign-in. That two
// networks share one happens once in four million.
constexpr int kMarkBits = 22;
constexpr std::uint64_t kMarkMask = (std::uint64_t{1} << kMarkBits) - 1;
constexpr std::uint64_t kUnknown = 0;
constexpr std::uint64_t kTurnsThatAreNoted = 3;
constexpr std::uint64_t kTurnsMask = 3;

std::uint64_t MarkOf(absl::string_view network) {
  if (network.empty()) return kUnknown;
  std::uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(network.data()), network.size(),
         digest);
  const std::uint64_t hash = std::uint64_t{digest[0]} << 16 |
                             std::uint64_t{digest[1]} << 8 | digest[2];
  return 1 + hash % kMarkMask;
}

}  // namespace

Networks::Networks(std::int64_t stored) {
  const auto bits = static_cast<std::uint64_t>(stored);
  last_ = bits & kMarkMask;
  before_last_ = bits >> kMarkBits & kMarkMask;
  turns_ = bits >> 2 * kMarkBits & kTurnsMask;
}

std::int64_t Networks::ToStored() const {
  return static_cast<std::int64_t>(turns_ << 2 * kMarkBits |
                                   before_last_ << kMarkBits | last_);
}

bool Networks::Rotated(absl::string_view network) {
  const std::uint64_t mark = MarkOf(network);
  if (mark == last_) turns_ = 0;
  return Moved(mark);
}

bool Networks::Retried(absl::string_view network) {
  return Moved(MarkOf(network));
}

bool Networks::Moved(std::uint64_t mark) {
  if (mark == kUnknown || mark == last_) return false;
  turns_ = mark == before_last_ ? turns_ + 1 : 0;
  before_last_ = last_;
  last_ = mark;
  if (turns_ < kTurnsThatAreNoted) return false;
  turns_ = 0;
  return true;
}

}  // namespace ostiary::session
