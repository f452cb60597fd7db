#ifndef OSTIARY_SERVER_PASSWORD_SCRYPT_SCHEME_H_
#define OSTIARY_SERVER_PASSWORD_SCRYPT_SCHEME_H_

#include "absl/strings/string_view.h"
#include "server/password/scheme.h"

namespace ostiary::password {

// "$scrypt$ln=16,r=8,p=1$salt$digest".
SchemeOr ReadPasslibScrypt(absl::string_view text);
// "scrypt$16384$salt$8$1$digest".
SchemeOr ReadDjangoScrypt(absl::string_view text);
// "scrypt:32768:8:1$salt$hex".
SchemeOr ReadWerkzeugScrypt(absl::string_view text);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_SCRYPT_SCHEME_H_
