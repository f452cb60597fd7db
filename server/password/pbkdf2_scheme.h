#ifndef OSTIARY_SERVER_PASSWORD_PBKDF2_SCHEME_H_
#define OSTIARY_SERVER_PASSWORD_PBKDF2_SCHEME_H_

#include "absl/strings/string_view.h"
#include "server/password/scheme.h"

// PBKDF2 with HMAC, as six families of programs write it down.
namespace ostiary::password {

// "$pbkdf2-sha256$29000$salt$digest"; also "$pbkdf2$" and "$pbkdf2-sha512$".
SchemeOr ReadPasslibPbkdf2(absl::string_view text);
// "pbkdf2_sha256$600000$salt$digest" and "pbkdf2_sha1$".
SchemeOr ReadDjangoPbkdf2(absl::string_view text);
// "pbkdf2:sha256:600000$salt$hex".
SchemeOr ReadWerkzeugPbkdf2(absl::string_view text);
// The hex after "{pbkdf2@SpringSecurity_v5_8}": salt and digest, 310,000
// rounds of SHA-256, no secret.
SchemeOr ReadSpringPbkdf2(absl::string_view hex);
// ASP.NET Identity, version 3: base64 that begins with a 1.
SchemeOr ReadAspNetIdentity(absl::string_view text);
// Keycloak's credential as JSON: {"credentialData": "...", "secretData":
// "..."}, each again JSON.
SchemeOr ReadKeycloakPbkdf2(absl::string_view text);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_PBKDF2_SCHEME_H_
