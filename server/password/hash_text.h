#ifndef OSTIARY_SERVER_PASSWORD_HASH_TEXT_H_
#define OSTIARY_SERVER_PASSWORD_HASH_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// The pieces stored hashes are written in. All readers are strict: one
// spelling of each value, anything else is nullopt. None allocates more than
// its input.
namespace ostiary::password {

// The alphabet of bcrypt, and of crypt(3): both count as a set.
inline constexpr absl::string_view kCrypt64 =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Digits only, no sign, no leading zero, at most 2^32-1.
std::optional<std::uint32_t> ReadDecimal(absl::string_view text);
// ReadDecimal of what follows `name`: ReadNamed("m=", "m=1024") is 1024.
std::optional<std::uint32_t> ReadNamed(absl::string_view name,
                                       absl::string_view text);

enum class Base64Form {
  kPadded,
  kUnpadded,
  kDotUnpadded,  // passlib's: '.' stands for '+'
};
std::optional<std::string> ReadBase64(Base64Form form, absl::string_view text);
std::string WriteBase64(Base64Form form, absl::string_view bytes);

std::optional<std::string> ReadHex(absl::string_view text);
// Lower case.
std::string WriteHex(absl::string_view bytes);

// The value of `c` in kCrypt64, or nullopt.
std::optional<std::uint32_t> ReadCrypt64Digit(char c);
bool IsCrypt64(absl::string_view text);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_HASH_TEXT_H_
