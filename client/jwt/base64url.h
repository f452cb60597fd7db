#ifndef OSTIARY_CLIENT_JWT_BASE64URL_H_
#define OSTIARY_CLIENT_JWT_BASE64URL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::jwt {

// RFC 4648 section 5 without padding, as RFC 7515 section 2 wants it.
std::string Base64UrlEncode(absl::string_view bytes);

// The bytes `text` stands for, if it is the one canonical spelling of them.
// Padding, white space, foreign characters, a dangling character and non-zero
// trailing bits are nullopt: two texts must never be the same token.
std::optional<std::string> Base64UrlDecode(absl::string_view text);

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_BASE64URL_H_
