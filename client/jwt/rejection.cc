#include "client/jwt/rejection.h"

#include <cstdlib>

namespace ostiary::jwt {

absl::string_view RejectionName(Rejection rejection) {
  switch (rejection) {
    case Rejection::kTokenMalformed:
      return "TOKEN_MALFORMED";
    case Rejection::kAlgorithmNotAllowed:
      return "ALGORITHM_NOT_ALLOWED";
    case Rejection::kKeyUnknown:
      return "KEY_UNKNOWN";
    case Rejection::kSignatureInvalid:
      return "SIGNATURE_INVALID";
    case Rejection::kTypeMismatch:
      return "TYPE_MISMATCH";
    case Rejection::kIssuerMismatch:
      return "ISSUER_MISMATCH";
    case Rejection::kTokenNotYetValid:
      return "TOKEN_NOT_YET_VALID";
    case Rejection::kTokenExpired:
      return "TOKEN_EXPIRED";
    case Rejection::kAudienceMismatch:
      return "AUDIENCE_MISMATCH";
    case Rejection::kTokenRevoked:
      return "TOKEN_REVOKED";
    case Rejection::kScopeMissing:
      return "SCOPE_MISSING";
    case Rejection::kRoleMissing:
      return "ROLE_MISSING";
  }
  std::abort();
}

}  // namespace ostiary::jwt
