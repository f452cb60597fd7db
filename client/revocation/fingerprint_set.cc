#include "client/revocation/fingerprint_set.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ostiary::revocation {
namespace {

constexpr int kBits = Fingerprint::kBits;
constexpr std::size_t kBatch = 4096;

std::size_t BytesFor(std::uint64_t bits) {
  return static_cast<std::size_t>((bits + 7) / 8);
}

// floor(log2(2^52 / count)): the choice that makes the whole smallest.
int LowBitsFor(std::size_t count) {
  if (count == 0) return 0;
  return std::bit_width((std::uint64_t{1} << kBits) / count) - 1;
}

std::uint64_t LowMask(int low_bits) {
  return (std::uint64_t{1} << low_bits) - 1;
}

// Up to eight bytes from `at`, the first one lowest; zeros past the end.
std::uint64_t LoadBytes(absl::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  if (at + 8 <= bytes.size() && std::endian::native == std::endian::little) {
    std::memcpy(&word, bytes.data() + at, 8);
    return word;
  }
  for (std::size_t i = 0; i < 8 && at + i < bytes.size(); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return word;
}

void AppendByte(std::string& out, std::uint64_t byte) {
  out.push_back(static_cast<char>(byte & 0xff));
}

// Packs numbers of one width, lowest bit first.
class LowsWriter {
 public:
  LowsWriter(std::string& out, int width) : out_(out), width_(width) {}

  // At most 7 bits wait in `pending_` at the start: 59 fit.
  void Append(std::uint64_t low) {
    pending_ |= low << waiting_;
    waiting_ += width_;
    for (; waiting_ >= 8; waiting_ -= 8, pending_ >>= 8) {
      AppendByte(out_, pending_);
    }
  }
  void Finish() {
    if (waiting_ > 0) AppendByte(out_, pending_);
  }

 private:
  std::string& out_;
  const int width_;
  std::uint64_t pending_ = 0;
  int waiting_ = 0;
};

// The `index`-th number of `width` bits: at most 52, and at most 7 to skip.
std::uint64_t LowAt(absl::string_view lows, int width, std::size_t index) {
  const std::uint64_t bit = static_cast<std::uint64_t>(index) * width;
  return LoadBytes(lows, static_cast<std::size_t>(bit / 8)) >> (bit % 8) &
         LowMask(width);
}

// Calls `take(value)` for each number until it answers false.
template <typename Take>
void WalkUntil(const FingerprintSetView& set, Take take) {
  const int low_bits = static_cast<int>(set.low_bits);
  std::size_t index = 0;
  for (std::size_t at = 0; at < set.highs.size(); at += 8) {
    std::uint64_t word = LoadBytes(set.highs, at);
    for (; word != 0; word &= word - 1, ++index) {
      const std::uint64_t rest = at * 8 + std::countr_zero(word) - index;
      if (!take(rest, LowAt(set.lows, low_bits, index))) return;
    }
  }
}

std::uint64_t CountOnes(absl::string_view bytes) {
  std::uint64_t ones = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    ones += std::popcount(LoadBytes(bytes, at));
  }
  return ones;
}

bool LengthsAgree(const FingerprintSetView& set) {
  if (set.count > kMaxFingerprints || set.low_bits > kBits) return false;
  const std::uint64_t low_total = std::uint64_t{set.count} * set.low_bits;
  if (set.lows.size() != BytesFor(low_total)) return false;
  const int used = static_cast<int>(low_total % 8);
  if (used != 0 && static_cast<unsigned char>(set.lows.back()) >> used != 0) {
    return false;
  }
  if (!set.highs.empty() && set.highs.back() == '\0') return false;
  return CountOnes(set.highs) == set.count;
}

bool NumbersRise(const FingerprintSetView& set) {
  const int low_bits = static_cast<int>(set.low_bits);
  const std::uint64_t rests = std::uint64_t{1} << (kBits - low_bits);
  std::uint64_t at_least = 0;
  bool good = true;
  WalkUntil(set, [&](std::uint64_t rest, std::uint64_t low) {
    const std::uint64_t value = rest << low_bits | low;
    good = rest < rests && value >= at_least;
    at_least = value + 1;
    return good;
  });
  return good;
}

bool IsRising(absl::Span<const Fingerprint> numbers) {
  std::uint64_t at_least = 0;
  for (const Fingerprint number : numbers) {
    if (number.value < at_least) return false;
    at_least = number.value + 1;
  }
  return at_least <= std::uint64_t{1} << kBits;
}

}  // namespace

absl::StatusOr<EncodedFingerprints> EncodeFingerprints(
    absl::Span<const Fingerprint> rising) {
  if (rising.size() > kMaxFingerprints || !IsRising(rising)) {
    return absl::InvalidArgumentError(
        "fingerprints are too many, too large or not in rising order");
  }
  EncodedFingerprints set;
  if (rising.empty()) return set;
  const int low_bits = LowBitsFor(rising.size());
  set.count = static_cast<std::uint32_t>(rising.size());
  set.low_bits = static_cast<std::uint32_t>(low_bits);
  set.lows.reserve(BytesFor(std::uint64_t{set.count} * set.low_bits));
  const std::uint64_t last = (rising.back().value >> low_bits) + set.count - 1;
  set.highs.resize(BytesFor(last + 1));
  LowsWriter lows(set.lows, low_bits);
  for (std::size_t i = 0; i < rising.size(); ++i) {
    lows.Append(rising[i].value & LowMask(low_bits));
    const std::uint64_t bit = (rising[i].value >> low_bits) + i;
    set.highs[bit / 8] |= static_cast<char>(1u << (bit % 8));
  }
  lows.Finish();
  return set;
}

absl::Status DecodeFingerprints(
    const FingerprintSetView& set,
    absl::FunctionRef<void(absl::Span<const Fingerprint>)> take) {
  if (!LengthsAgree(set) || !NumbersRise(set)) {
    return absl::InvalidArgumentError("not a fingerprint set");
  }
  const int low_bits = static_cast<int>(set.low_bits);
  std::vector<Fingerprint> batch;
  batch.reserve(std::min<std::size_t>(kBatch, set.count));
  WalkUntil(set, [&](std::uint64_t rest, std::uint64_t low) {
    batch.push_back(Fingerprint{rest << low_bits | low});
    if (batch.size() == kBatch) {
      take(batch);
      batch.clear();
    }
    return true;
  });
  if (!batch.empty()) take(batch);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Fingerprint>> DecodeFingerprints(
    const FingerprintSetView& set) {
  std::vector<Fingerprint> all;
  absl::Status status =
      DecodeFingerprints(set, [&all](absl::Span<const Fingerprint> batch) {
        all.insert(all.end(), batch.begin(), batch.end());
      });
  if (!status.ok()) return status;
  return all;
}

}  // namespace ostiary::revocation
