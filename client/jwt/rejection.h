#ifndef OSTIARY_CLIENT_JWT_REJECTION_H_
#define OSTIARY_CLIENT_JWT_REJECTION_H_

#include "absl/strings/string_view.h"

namespace ostiary::jwt {

// Why a token is not accepted. Of several reasons the first in this order is
// the one given, everywhere. The names are on the wire.
enum class Rejection {
  kTokenMalformed,
  kAlgorithmNotAllowed,
  kKeyUnknown,
  kSignatureInvalid,
  kTypeMismatch,
  kIssuerMismatch,
  kTokenNotYetValid,
  kTokenExpired,
  kAudienceMismatch,
  kTokenRevoked,  // never said by this room: it knows no revocations
  kScopeMissing,
  kRoleMissing,
};

// "TOKEN_MALFORMED", "ALGORITHM_NOT_ALLOWED", ...
absl::string_view RejectionName(Rejection rejection);

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_REJECTION_H_
