#ifndef OSTIARY_SERVER_PASSWORD_HASHER_H_
#define OSTIARY_SERVER_PASSWORD_HASHER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/random.h"
#include "server/password/password_hash.h"
#include "server/password/presented_password.h"

namespace ostiary::password {

// The cost of the hashes we make: argon2id, always one lane (the lane of
// libsodium). The default is the second row of OWASP's table.
struct HashParameters {
  std::uint32_t memory_kib = 19456;
  std::uint32_t iterations = 2;

  std::size_t memory_bytes() const { return std::size_t{memory_kib} * 1024; }
  // "$argon2id$v=19$m=19456,t=2,p=1".
  std::string Shape() const;
  friend bool operator==(const HashParameters&,
                         const HashParameters&) = default;
};

// OK, or which figure is out of bounds and what was expected.
absl::Status CheckParameters(const HashParameters& parameters);

// Makes hashes of new passwords.
//
// Thread-safe.
class Hasher {
 public:
  // `parameters` have passed CheckParameters; `random` outlives this.
  Hasher(const HashParameters& parameters, Random& random);

  // A fresh hash of the whole normalised password. Slow on purpose: belongs on
  // a thread of HashWorkers. Fails with kOverloaded if there is no memory.
  absl::StatusOr<PasswordHash> Hash(const PresentedPassword& presented) const;

  // True if `stored` is of another format than ours, or made with less memory
  // or fewer iterations, so that it should be replaced at the next sign-in. A
  // costlier hash stays: lowering the figures weakens nobody.
  bool NeedsUpgrade(const PasswordHash& stored) const;

  const HashParameters& parameters() const { return parameters_; }

 private:
  const HashParameters parameters_;
  Random& random_;
};

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_HASHER_H_
