#ifndef OSTIARY_SERVER_PASSWORD_DIGEST_SCHEME_H_
#define OSTIARY_SERVER_PASSWORD_DIGEST_SCHEME_H_

#include "absl/strings/string_view.h"
#include "server/password/scheme.h"

// Old formats around one fast digest. Worth nothing against theft of the
// database; read so that their owners need not reset, and upgraded at the
// first sign-in.
namespace ostiary::password {

// The base64 after "{SSHA}": SHA-1 of password and salt, then the salt.
SchemeOr ReadSaltedSha1(absl::string_view base64);
// "$P$" or "$H$": WordPress, phpBB.
SchemeOr ReadPhpass(absl::string_view text);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_DIGEST_SCHEME_H_
