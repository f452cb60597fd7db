package jose

// Why a token is not accepted. Of several reasons the first in this order is
// the one given, everywhere. Empty: none.
type Reason string

// The reasons this package gives.
const (
	TokenMalformed      Reason = "TOKEN_MALFORMED"
	AlgorithmNotAllowed Reason = "ALGORITHM_NOT_ALLOWED"
	KeyUnknown          Reason = "KEY_UNKNOWN"
	SignatureInvalid    Reason = "SIGNATURE_INVALID"
	TypeMismatch        Reason = "TYPE_MISMATCH"
	IssuerMismatch      Reason = "ISSUER_MISMATCH"
	TokenNotYetValid    Reason = "TOKEN_NOT_YET_VALID"
	TokenExpired        Reason = "TOKEN_EXPIRED"
	AudienceMismatch    Reason = "AUDIENCE_MISMATCH"
	ScopeMissing        Reason = "SCOPE_MISSING"
	RoleMissing         Reason = "ROLE_MISSING"
)
