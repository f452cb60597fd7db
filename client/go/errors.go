package ostiary

import (
	"errors"

	"ostiary.dev/go/internal/jose"
	"ostiary.dev/go/internal/knowledge"
)

// Reason says in one word why a token is not accepted. Of several the first in
// the order below is given. The same words are on the wire and in all of
// Ostiary's libraries.
type Reason string

// The reasons.
const (
	// Not a compact JWS of strict JSON, over 16 KiB, a claim missing or of the
	// wrong type, or a lifetime of over 24 hours.
	TokenMalformed Reason = Reason(jose.TokenMalformed)
	// Not among Options.Algorithms, or not the key's own.
	AlgorithmNotAllowed Reason = Reason(jose.AlgorithmNotAllowed)
	// No key with the token's kid is known.
	KeyUnknown Reason = Reason(jose.KeyUnknown)
	// The signature is not the key's.
	SignatureInvalid Reason = Reason(jose.SignatureInvalid)
	// Not an access token (at+jwt).
	TypeMismatch Reason = Reason(jose.TypeMismatch)
	// Another issuer's.
	IssuerMismatch Reason = Reason(jose.IssuerMismatch)
	// nbf or iat lies in the future.
	TokenNotYetValid Reason = Reason(jose.TokenNotYetValid)
	// exp has passed.
	TokenExpired Reason = Reason(jose.TokenExpired)
	// Meant for somebody else.
	AudienceMismatch Reason = Reason(jose.AudienceMismatch)
	// Its token, session, account, client or key was revoked.
	TokenRevoked Reason = "TOKEN_REVOKED"
	// Good, but without a scope of WithScopes.
	ScopeMissing Reason = Reason(jose.ScopeMissing)
	// Good, but without a role of WithRoles.
	RoleMissing Reason = Reason(jose.RoleMissing)
	// Nobody can tell now; see ErrCheckUnavailable.
	CheckUnavailable Reason = "CHECK_UNAVAILABLE"
)

// TokenError says that a token was judged and refused. Guards answer 403 for
// ScopeMissing and RoleMissing and 401 for all others.
type TokenError struct {
	// Never CheckUnavailable.
	Reason Reason
}

// Error names the reason. It never quotes the token.
func (e *TokenError) Error() string { return "ostiary: token refused: " + string(e.Reason) }

// ErrCheckUnavailable says that nobody knows now whether the token is good: the
// knowledge is too old and the server did not answer. Guards answer 503, never
// 401: the caller did nothing wrong and should try again.
var ErrCheckUnavailable = errors.New("ostiary: CHECK_UNAVAILABLE: the token cannot be judged now")

// ErrRevisionLost says that a restore of the server may have undone the
// revocation a revision stands for. Ask the server about what it revoked.
var ErrRevisionLost = knowledge.ErrRevisionLost

// ErrNotARevision says that a text is not a revision that Ostiary gives.
var ErrNotARevision = knowledge.ErrNotARevision

// ErrClosed says that a Verifier was closed while it was waited for.
var ErrClosed = errors.New("ostiary: the verifier is closed")

// unavailableError is ErrCheckUnavailable with its cause.
type unavailableError struct{ cause error }

func (e *unavailableError) Error() string {
	if e.cause == nil {
		return ErrCheckUnavailable.Error()
	}
	return ErrCheckUnavailable.Error() + ": " + e.cause.Error()
}
func (e *unavailableError) Is(target error) bool { return target == ErrCheckUnavailable }
func (e *unavailableError) Unwrap() error        { return e.cause }

// ReasonOf gives the reason inside an error of Verify: a TokenError's,
// CheckUnavailable for ErrCheckUnavailable, and "" for nil and other errors.
func ReasonOf(err error) Reason {
	var refused *TokenError
	switch {
	case errors.As(err, &refused):
		return refused.Reason
	case errors.Is(err, ErrCheckUnavailable):
		return CheckUnavailable
	}
	return ""
}
