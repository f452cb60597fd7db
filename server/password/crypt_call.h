#ifndef OSTIARY_SERVER_PASSWORD_CRYPT_CALL_H_
#define OSTIARY_SERVER_PASSWORD_CRYPT_CALL_H_

#include <string>

#include "absl/strings/string_view.h"
#include "server/base/secret.h"

namespace ostiary::password {

// The longest password libcrypt takes.
inline constexpr std::size_t kMaxCryptPassword = 511;

// crypt(3) of `password` under `setting`, or nothing if libcrypt refuses.
// Reads the password up to its first NUL, at most kMaxCryptPassword bytes: the
// caller says "no" afterwards where that cut something off. The working memory
// is wiped.
//
// Thread-safe.
SecretBytes CallCrypt(absl::string_view password, const std::string& setting);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_CRYPT_CALL_H_
