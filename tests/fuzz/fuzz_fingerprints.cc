// The fingerprint sets of a snapshot: any bytes are refused or read, quickly,
// without allocating what they ask for; what was read is in rising order and
// comes out the same when it is written again.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/revocation/fingerprint_set.h"

// Count (4 bytes, lowest first), low bits (1), length of the low parts (2), the
// low parts, the high parts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using ostiary::revocation::DecodeFingerprints;
  using ostiary::revocation::EncodeFingerprints;
  constexpr std::size_t kHeader = 7;
  if (size < kHeader) return 0;
  ostiary::revocation::FingerprintSetView set;
  std::memcpy(&set.count, data, 4);
  set.low_bits = data[4];
  const std::size_t lows = data[5] | std::size_t{data[6]} << 8;
  const absl::string_view rest(reinterpret_cast<const char*>(data) + kHeader,
                               size - kHeader);
  set.lows = rest.substr(0, lows);
  set.highs = rest.substr(set.lows.size());
  const auto read = DecodeFingerprints(set);
  if (!read.ok()) return 0;
  if (read->size() != set.count) __builtin_trap();
  const auto written = EncodeFingerprints(*read);  // refuses what does not rise
  if (!written.ok()) __builtin_trap();
  const auto again = DecodeFingerprints(*written);
  if (!again.ok() || *again != *read) __builtin_trap();
  return 0;
}
