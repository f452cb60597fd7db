#ifndef OSTIARY_CLIENT_JWT_CLAIMS_READER_H_
#define OSTIARY_CLIENT_JWT_CLAIMS_READER_H_

// Internal to client/jwt.

#include <optional>

#include "absl/strings/string_view.h"
#include "client/jwt/token.h"

namespace ostiary::jwt {

struct ReadClaims {
  Claims claims;
  // False if a claim that RFC 9068 section 2.2 requires (iss, sub, aud, exp,
  // iat, jti, client_id) is absent or empty; it is then empty in `claims`.
  bool complete = false;
};

// Nullopt if `payload` is not a strict JSON object or a claim that Claims
// names has another type than its standard gives it: text, text or list of
// non-empty texts (aud), list of texts (roles, amr), a number of seconds since
// 1970 up to the year 9999, perhaps fractional (exp, iat, nbf, auth_time), a
// whole number (gen).
std::optional<ReadClaims> ReadPayload(absl::string_view payload);

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_CLAIMS_READER_H_
