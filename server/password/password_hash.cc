#include "server/password/password_hash.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/password/argon2_scheme.h"
#include "server/password/bcrypt_scheme.h"
#include "server/password/crypt_scheme.h"
#include "server/password/digest_scheme.h"
#include "server/password/hash_fault.h"
#include "server/password/pbkdf2_scheme.h"
#include "server/password/scrypt_scheme.h"

namespace ostiary::password {
namespace {

using Reader = SchemeOr (*)(absl::string_view);

// What a stored hash may begin with. `wrapper` is cut off before `read` sees
// the text: Spring and Django put their own name before somebody else's format.
struct Format {
  absl::string_view prefix;
  absl::string_view wrapper;
  Reader read;
};

constexpr std::array<Format, 27> kFormats = {{
    {"$argon2", "", ReadArgon2Scheme},
    {"argon2$argon2", "argon2", ReadArgon2Scheme},
    {"{argon2@SpringSecurity_v5_8}", "{argon2@SpringSecurity_v5_8}",
     ReadArgon2Scheme},
    {"{argon2}", "{argon2}", ReadArgon2Scheme},
    {"$2", "", ReadBcrypt},
    {"{bcrypt}", "{bcrypt}", ReadBcrypt},
    {"bcrypt$$2", "bcrypt$", ReadBcrypt},
    {"$bcrypt-sha256$", "", ReadPasslibBcryptSha256},
    {"bcrypt_sha256$$2", "bcrypt_sha256$", ReadDjangoBcryptSha256},
    {"$1$", "", ReadMd5Crypt},
    {"$5$", "", ReadSha256Crypt},
    {"$6$", "", ReadSha512Crypt},
    {"$7$", "", ReadScrypt7},
    {"$y$", "", ReadYescrypt},
    {"$pbkdf2$", "", ReadPasslibPbkdf2},
    {"$pbkdf2-", "", ReadPasslibPbkdf2},
    {"pbkdf2_", "", ReadDjangoPbkdf2},
    {"pbkdf2:", "", ReadWerkzeugPbkdf2},
    {"{pbkdf2@SpringSecurity_v5_8}", "{pbkdf2@SpringSecurity_v5_8}",
     ReadSpringPbkdf2},
    {"AQAAAA", "", ReadAspNetIdentity},
    {"{\"", "", ReadKeycloakPbkdf2},
    {"$scrypt$", "", ReadPasslibScrypt},
    {"scrypt$", "", ReadDjangoScrypt},
    {"scrypt:", "", ReadWerkzeugScrypt},
    {"{SSHA}", "{SSHA}", ReadSaltedSha1},
    {"$P$", "", ReadPhpass},
    {"$H$", "", ReadPhpass},
}};

const Format* FormatOf(absl::string_view text) {
  for (const Format& format : kFormats) {
    if (absl::StartsWith(text, format.prefix)) return &format;
  }
  return nullptr;
}

// Salt and digest of decoys, as the formats write them after their shape. The
// digits are those of no derivation anybody knows a password for.
struct DecoyTail {
  absl::string_view salt;
  char digit;
  std::size_t digits;
  absl::string_view padding;
};
constexpr std::array<DecoyTail, 12> kDecoyTails = {{
    // argon2, yescrypt; pbkdf2 and scrypt of passlib: by size of the digest.
    {"$AAAAAAAAAAAAAAAAAAAAAA$", 'A', 43, ""},
    {"$AAAAAAAAAAAAAAAAAAAAAA$", 'A', 27, ""},
    {"$AAAAAAAAAAAAAAAAAAAAAA$", 'A', 86, ""},
    // bcrypt, and passlib's over SHA-256.
    {"$......................", '.', 31, ""},
    {"$......................$", '.', 31, ""},
    // Django's pbkdf2.
    {"$AAAAAAAAAAAA$", 'A', 43, "="},
    {"$AAAAAAAAAAAA$", 'A', 27, "="},
    // Werkzeug's hex.
    {"$aaaaaaaaaaaaaaaa$", '0', 64, ""},
    {"$aaaaaaaaaaaaaaaa$", '0', 128, ""},
    // crypt(3).
    {"$................$", '.', 86, ""},
    {"$................$", '.', 43, ""},
    {"$........$", '.', 22, ""},
}};

}  // namespace

absl::StatusOr<PasswordHash> PasswordHash::Parse(absl::string_view text) {
  if (text.size() > kMaxHashText) return Malformed("longer than any hash");
  const Format* format = FormatOf(text);
  if (format == nullptr) return Unsupported("no known format of a hash");
  SchemeOr scheme = format->read(text.substr(format->wrapper.size()));
  if (!scheme.ok()) return scheme.status();
  return PasswordHash(text, *std::move(scheme));
}

absl::StatusOr<PasswordHash> PasswordHash::DecoyOf(absl::string_view shape) {
  for (const DecoyTail& tail : kDecoyTails) {
    const std::string digest(tail.digits, tail.digit);
    absl::StatusOr<PasswordHash> decoy =
        Parse(absl::StrCat(shape, tail.salt, digest, tail.padding));
    if (decoy.ok()) return decoy;
  }
  return Unsupported("no format has this shape");
}

bool PasswordHash::Matches(const PresentedPassword& presented) const {
  bool same = scheme_->Matches(presented.raw());
  if (!same && presented.differs_when_normalised()) {
    same = scheme_->Matches(presented.normalised());
  }
  return same && !presented.too_long();
}

bool PasswordHash::MatchesAtFullCost(const PresentedPassword& presented) const {
  bool same = scheme_->Matches(presented.raw());
  if (presented.differs_when_normalised()) {
    same |= scheme_->Matches(presented.normalised());
  }
  return same && !presented.too_long();
}

OfflineVerdict VerifyOffline(absl::string_view hash,
                             absl::string_view password) {
  const absl::StatusOr<PasswordHash> parsed = PasswordHash::Parse(hash);
  if (!parsed.ok()) {
    return {false, std::string(FaultName(parsed.status()))};
  }
  if (!parsed->Matches(PresentedPassword::From(password))) {
    return {false, "PASSWORD_MISMATCH"};
  }
  return {true, ""};
}

}  // namespace ostiary::password
