#ifndef OSTIARY_SERVER_PASSWORD_CRYPT_SCHEME_H_
#define OSTIARY_SERVER_PASSWORD_CRYPT_SCHEME_H_

#include "absl/strings/string_view.h"
#include "server/password/scheme.h"

// The formats of /etc/shadow that libcrypt computes. A password with a NUL or
// over 511 bytes never matches: libcrypt would not read all of it.
namespace ostiary::password {

SchemeOr ReadMd5Crypt(absl::string_view text);     // "$1$salt$digest"
SchemeOr ReadSha256Crypt(absl::string_view text);  // "$5$rounds=N$salt$digest"
SchemeOr ReadSha512Crypt(absl::string_view text);  // "$6$rounds=N$salt$digest"
SchemeOr ReadScrypt7(absl::string_view text);   // "$7$Nrrrrrppppp salt$digest"
SchemeOr ReadYescrypt(absl::string_view text);  // "$y$jNr$salt$digest"

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_CRYPT_SCHEME_H_
