#ifndef OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_REFUSAL_H_
#define OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_REFUSAL_H_

#include "absl/strings/string_view.h"

namespace ostiary {

// Why a token is not accepted. Of several reasons the first in this order is
// given. The names are those of the contract; a service may branch on them.
enum class Refusal {
  kTokenMalformed,
  kAlgorithmNotAllowed,
  kKeyUnknown,
  kSignatureInvalid,
  kTypeMismatch,
  kIssuerMismatch,
  kTokenNotYetValid,
  kTokenExpired,
  kAudienceMismatch,
  kTokenRevoked,
  kScopeMissing,
  kRoleMissing,
  // Nobody knows now: the knowledge is too old and the server cannot be asked.
  // Answer 503 or UNAVAILABLE, never 401: the token may be good.
  kCheckUnavailable,
};
inline constexpr int kRefusals = 13;

// "TOKEN_REVOKED", "CHECK_UNAVAILABLE", ...
absl::string_view RefusalName(Refusal refusal);

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_REFUSAL_H_
