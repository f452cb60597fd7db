#include "ostiary/refusal.h"

namespace ostiary {

absl::string_view RefusalName(Refusal refusal) {
  switch (refusal) {
    case Refusal::kTokenMalformed:
      return "TOKEN_MALFORMED";
    case Refusal::kAlgorithmNotAllowed:
      return "ALGORITHM_NOT_ALLOWED";
    case Refusal::kKeyUnknown:
      return "KEY_UNKNOWN";
    case Refusal::kSignatureInvalid:
      return "SIGNATURE_INVALID";
    case Refusal::kTypeMismatch:
      return "TYPE_MISMATCH";
    case Refusal::kIssuerMismatch:
      return "ISSUER_MISMATCH";
    case Refusal::kTokenNotYetValid:
      return "TOKEN_NOT_YET_VALID";
    case Refusal::kTokenExpired:
      return "TOKEN_EXPIRED";
    case Refusal::kAudienceMismatch:
      return "AUDIENCE_MISMATCH";
    case Refusal::kTokenRevoked:
      return "TOKEN_REVOKED";
    case Refusal::kScopeMissing:
      return "SCOPE_MISSING";
    case Refusal::kRoleMissing:
      return "ROLE_MISSING";
    case Refusal::kCheckUnavailable:
      return "CHECK_UNAVAILABLE";
  }
  return "CHECK_UNAVAILABLE";
}

}  // namespace ostiary
