#include "server/password/hasher.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/base/secret.h"
#include "server/password/argon2_scheme.h"
#include "server/password/hash_text.h"
#include "server/password/scheme.h"

namespace ostiary::password {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::uint32_t kMinMemoryKib = 1024;

}  // namespace

std::string HashParameters::Shape() const {
  return absl::StrCat("$argon2id$v=19$m=", memory_kib, ",t=", iterations,
                      ",p=1");
}

absl::Status CheckParameters(const HashParameters& parameters) {
  if (parameters.memory_kib < kMinMemoryKib ||
      parameters.memory_kib > kMaxMemoryKib) {
    return absl::InvalidArgumentError(
        absl::StrCat("memory of ", parameters.memory_kib, " KiB; expected ",
                     kMinMemoryKib, " to ", kMaxMemoryKib));
  }
  const std::uint64_t most = std::min<std::uint64_t>(
      kMaxArgon2Iterations, kMaxArgon2KibPasses / parameters.memory_kib);
  if (parameters.iterations < 1 || parameters.iterations > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(parameters.iterations, " iterations over ",
                     parameters.memory_kib, " KiB; expected 1 to ", most));
  }
  return absl::OkStatus();
}

Hasher::Hasher(const HashParameters& parameters, Random& random)
    : parameters_(parameters), random_(random) {
  ChooseFastestArgon2();
}

absl::StatusOr<PasswordHash> Hasher::Hash(
    const PresentedPassword& presented) const {
  const std::string salt = random_.Bytes(crypto_pwhash_argon2id_SALTBYTES);
  const absl::string_view password = presented.normalised();
  std::string digest(kDigestBytes, '\0');
  const int failed = crypto_pwhash_argon2id(
      reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
      password.data(), password.size(),
      reinterpret_cast<const unsigned char*>(salt.data()),
      parameters_.iterations, parameters_.memory_bytes(),
      crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (failed != 0) return Refuse(Reason::kOverloaded);
  return PasswordHash::Parse(absl::StrCat(
      parameters_.Shape(), "$", WriteBase64(Base64Form::kUnpadded, salt), "$",
      WriteBase64(Base64Form::kUnpadded, digest)));
}

bool Hasher::NeedsUpgrade(const PasswordHash& stored) const {
  const absl::StatusOr<Argon2Fields> fields = ReadArgon2(stored.text());
  if (!fields.ok()) return true;
  return fields->variant != Argon2Variant::kId || fields->version != 19 ||
         fields->memory_kib < parameters_.memory_kib ||
         fields->iterations < parameters_.iterations ||
         fields->salt.size() < crypto_pwhash_argon2id_SALTBYTES ||
         fields->digest.size() < kDigestBytes;
}

}  // namespace ostiary::password
