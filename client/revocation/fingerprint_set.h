#ifndef OSTIARY_CLIENT_REVOCATION_FINGERPRINT_SET_H_
#define OSTIARY_CLIENT_REVOCATION_FINGERPRINT_SET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/revocation/fingerprint.h"

namespace ostiary::revocation {

// More in one set are neither made nor read. 80 MB on the wire.
inline constexpr std::size_t kMaxFingerprints = std::size_t{1} << 24;

// Fingerprints in the form of Elias and Fano, as `FingerprintSet` in the proto
// describes it. On the wire; never change what the members mean.
struct EncodedFingerprints {
  std::uint32_t count = 0;
  std::uint32_t low_bits = 0;
  std::string lows;
  std::string highs;
};

// The same, borrowed from a message.
struct FingerprintSetView {
  FingerprintSetView() = default;
  FingerprintSetView(const EncodedFingerprints& set)  // NOLINT
      : count(set.count),
        low_bits(set.low_bits),
        lows(set.lows),
        highs(set.highs) {}

  std::uint32_t count = 0;
  std::uint32_t low_bits = 0;
  absl::string_view lows;
  absl::string_view highs;
};

// `rising`: in strictly rising order (sort and remove doubles first), at most
// kMaxFingerprints, each below 2^52. INVALID_ARGUMENT otherwise.
absl::StatusOr<EncodedFingerprints> EncodeFingerprints(
    absl::Span<const Fingerprint> rising);

// Hands the fingerprints over in rising order, some thousand at a time.
//
// All or none: INVALID_ARGUMENT, before `take` is called at all, for anything
// that EncodeFingerprints could not have made but for its choice of `low_bits`:
// counts, lengths and bits that do not agree, numbers that do not rise or have
// more than 52 bits, padding that is not zero.
absl::Status DecodeFingerprints(
    const FingerprintSetView& set,
    absl::FunctionRef<void(absl::Span<const Fingerprint>)> take);

absl::StatusOr<std::vector<Fingerprint>> DecodeFingerprints(
    const FingerprintSetView& set);

}  // namespace ostiary::revocation

#endif  // OSTIARY_CLIENT_REVOCATION_FINGERPRINT_SET_H_
