#ifndef OSTIARY_SERVER_PASSWORD_BCRYPT_SCHEME_H_
#define OSTIARY_SERVER_PASSWORD_BCRYPT_SCHEME_H_

#include "absl/strings/string_view.h"
#include "server/password/scheme.h"

// bcrypt as others stored it. It reads the first 72 bytes and no more; that is
// honoured for imported hashes, and the upgrade after the first match covers
// the whole password. A password that holds a NUL never matches: bcrypt would
// stop reading there, and "ab" would open the account of "ab\0cd".
namespace ostiary::password {

// "$2a$", "$2b$", "$2y$". Not "$2x$" (the sign-extension bug) nor "$2$".
SchemeOr ReadBcrypt(absl::string_view text);
// "$bcrypt-sha256$v=2,t=2b,r=12$salt$digest": passlib.
SchemeOr ReadPasslibBcryptSha256(absl::string_view text);
// "$2b$12$..." over the hex of SHA-256: Django, its prefix taken off.
SchemeOr ReadDjangoBcryptSha256(absl::string_view text);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_BCRYPT_SCHEME_H_
