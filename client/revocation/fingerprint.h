#ifndef OSTIARY_CLIENT_REVOCATION_FINGERPRINT_H_
#define OSTIARY_CLIENT_REVOCATION_FINGERPRINT_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace ostiary::revocation {

// The first 52 bits of a SHA-256: what a verifier keeps of a revoked token or
// session. Two ids share one with a chance of 1 in 4.5 * 10^15; nobody can aim
// at it, because the server chooses the ids.
struct Fingerprint {
  static constexpr int kBits = 52;

  static Fingerprint OfToken(absl::string_view token_id);      // `jti`
  static Fingerprint OfSession(absl::string_view session_id);  // `sid`

  // Below 2^kBits.
  std::uint64_t value = 0;

  friend auto operator<=>(const Fingerprint&, const Fingerprint&) = default;
};

}  // namespace ostiary::revocation

#endif  // OSTIARY_CLIENT_REVOCATION_FINGERPRINT_H_
