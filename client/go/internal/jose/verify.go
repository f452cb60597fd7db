package jose

import (
	"slices"
	"time"
)

// Rules is what a token must fulfil whenever it is shown.
type Rules struct {
	// Compared byte by byte; no URL is normalised.
	Issuer string
	// What the caller trusts, by canonical name. The key's own algorithm binds
	// as well; the one in the header only ever has to agree with both.
	Algorithms []string
	// A token with exp - iat above it is TOKEN_MALFORMED: revocations are
	// forgotten after that long. 0: no bound.
	MaxLifetime time.Duration
}

// Token is a token whose form was found good. Its claims are to be believed
// only after CheckSignature.
type Token struct {
	Claims Claims
	raw    rawToken
}

// Parse gives TOKEN_MALFORMED or no reason.
func Parse(text string) (*Token, Reason) {
	raw, ok := parseToken(text)
	if !ok {
		return nil, TokenMalformed
	}
	claims, ok := readPayload(raw.payload)
	if !ok {
		return nil, TokenMalformed
	}
	return &Token{Claims: claims, raw: raw}, ""
}

// CheckSignature gives the key that signed the token, or ALGORITHM_NOT_ALLOWED
// (by the rules; by the key, once found), KEY_UNKNOWN, SIGNATURE_INVALID.
func (t *Token) CheckSignature(rules *Rules, keys *KeySet) (*Key, Reason) {
	algorithm := CanonicalAlgorithm(t.raw.algorithm)
	if algorithm == "" || !slices.Contains(rules.Algorithms, algorithm) {
		return nil, AlgorithmNotAllowed
	}
	if !t.raw.hasKID {
		return nil, KeyUnknown
	}
	key := keys.Find(t.raw.kid)
	if key == nil {
		return nil, KeyUnknown
	}
	// The key decides how it is used. A header that names another algorithm is
	// the beginning of every key-confusion attack.
	if key.algorithm != algorithm {
		return nil, AlgorithmNotAllowed
	}
	if !key.verifies([]byte(t.raw.signingInput), t.raw.signature) {
		return nil, SignatureInvalid
	}
	return key, ""
}

// KeyID is the header's kid; a hint, not a fact.
func (t *Token) KeyID() string { return t.raw.kid }

// CheckKind gives TYPE_MISMATCH, ISSUER_MISMATCH, or TOKEN_MALFORMED if a claim
// of RFC 9068 is missing or the token lives too long. The last comes late on
// purpose: other kinds of token lack those claims and are well-formed; their
// true fault is their type or issuer.
func (t *Token) CheckKind(rules *Rules) Reason {
	if !t.raw.isAccessToken() {
		return TypeMismatch
	}
	if t.Claims.Issuer != rules.Issuer {
		return IssuerMismatch
	}
	lifetime := t.Claims.ExpireTime.Sub(t.Claims.IssueTime)
	if !t.Claims.complete() || (rules.MaxLifetime > 0 && lifetime > rules.MaxLifetime) {
		return TokenMalformed
	}
	return ""
}

// Audience is whom a token must be meant for. The zero value is met by none:
// nothing empty ever means that anything goes.
type Audience struct {
	Name string
	Any  bool
}

func (a Audience) metBy(audiences []string) bool {
	return a.Any || (a.Name != "" && slices.Contains(audiences, a.Name))
}

// CheckTimeAndAudience gives TOKEN_NOT_YET_VALID, TOKEN_EXPIRED or
// AUDIENCE_MISMATCH.
func (c *Claims) CheckTimeAndAudience(audience Audience, leeway time.Duration, now time.Time) Reason {
	latest := now.Add(leeway)
	if c.IssueTime.After(latest) || (!c.NotBefore.IsZero() && c.NotBefore.After(latest)) {
		return TokenNotYetValid
	}
	if !now.Before(c.ExpireTime.Add(leeway)) {
		return TokenExpired
	}
	if !audience.metBy(c.Audiences) {
		return AudienceMismatch
	}
	return ""
}

// CheckAuthority gives SCOPE_MISSING or ROLE_MISSING. Ask about revocation
// before this: a revoked token is that, whatever it was allowed to do.
func (c *Claims) CheckAuthority(scopes, roles []string) Reason {
	if !containsAll(c.Scopes, scopes) {
		return ScopeMissing
	}
	if !containsAll(c.Roles, roles) {
		return RoleMissing
	}
	return ""
}

func containsAll(held, required []string) bool {
	for _, one := range required {
		if !slices.Contains(held, one) {
			return false
		}
	}
	return true
}
