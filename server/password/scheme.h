#ifndef OSTIARY_SERVER_PASSWORD_SCHEME_H_
#define OSTIARY_SERVER_PASSWORD_SCHEME_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::password {

// One stored hash, read and found affordable: how to tell whether a password
// made it. One class per family of formats; PasswordHash picks it.
//
// Immutable, so thread-safe.
class Scheme {
 public:
  virtual ~Scheme() = default;
  // Derives a digest from `password` and compares it in constant time. Slow on
  // purpose, and as slow for a password that cannot match as for one that can.
  virtual bool Matches(absl::string_view password) const = 0;
  // Taken while Matches runs.
  virtual std::size_t memory_bytes() const = 0;
};

using SchemeOr = absl::StatusOr<std::unique_ptr<const Scheme>>;

// What one stored hash may cost. An imported hash is chosen by somebody else:
// a string of 90 bytes can ask for 4 TiB or for days. The figures are several
// times what any guideline recommends, and a second or two of one core.
inline constexpr std::size_t kMaxHashText = 4096;
inline constexpr std::uint64_t kMaxMemoryKib = 256 * 1024;
inline constexpr std::uint64_t kMaxArgon2KibPasses = 2 * 1024 * 1024;
inline constexpr std::uint32_t kMaxArgon2Iterations = 64;
inline constexpr std::uint32_t kMaxArgon2Lanes = 16;
inline constexpr std::uint32_t kMaxBcryptCost = 16;
inline constexpr std::uint64_t kMaxPbkdf2Blocks = 5'000'000;
inline constexpr std::uint64_t kMaxScryptWork = 1 << 23;  // N * r * p
inline constexpr std::uint32_t kMaxShaCryptRounds = 1'000'000;
inline constexpr std::uint32_t kMaxPhpassLog2 = 20;

// A digest shorter than this is matched by chance.
inline constexpr std::size_t kMinDigest = 16;
inline constexpr std::size_t kMaxDigest = 64;
inline constexpr std::size_t kMaxSalt = 64;

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_SCHEME_H_
