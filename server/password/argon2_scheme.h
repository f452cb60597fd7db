#ifndef OSTIARY_SERVER_PASSWORD_ARGON2_SCHEME_H_
#define OSTIARY_SERVER_PASSWORD_ARGON2_SCHEME_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/password/scheme.h"

namespace ostiary::password {

enum class Argon2Variant { kD, kI, kId };

// The fields of "$argon2id$v=19$m=19456,t=2,p=1$salt$digest", each within its
// bounds.
struct Argon2Fields {
  Argon2Variant variant = Argon2Variant::kId;
  std::uint32_t version = 0;
  std::uint32_t memory_kib = 0;
  std::uint32_t iterations = 0;
  std::uint32_t lanes = 0;
  std::string salt;
  std::string digest;
};

// Fails as hash_fault.h says, before anything is allocated for hashing.
absl::StatusOr<Argon2Fields> ReadArgon2(absl::string_view text);
SchemeOr ReadArgon2Scheme(absl::string_view text);

// Lets libsodium look at the processor once; before that it hashes without
// SIMD.
void ChooseFastestArgon2();

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_ARGON2_SCHEME_H_
