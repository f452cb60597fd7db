package ostiary

import (
	"context"
	"slices"
	"time"

	"ostiary.dev/go/internal/jose"
)

// Claims is what a good token says (RFC 9068 and Ostiary's own claims).
type Claims struct {
	Issuer    string   // iss
	Subject   string   // sub: the account, or the client of a service token
	Audiences []string // aud
	ClientID  string   // client_id
	SessionID string   // sid; empty for service tokens
	TokenID   string   // jti
	// iat, exp: the first moment at which the token is no longer good.
	IssueTime, ExpireTime time.Time
	AuthTime              time.Time // auth_time: when the password was given; zero if not said
	Scopes                []string  // scope, split
	Roles                 []string  // roles
	AMR                   []string  // amr: how the account proved itself
	Generation            uint64    // gen; 0 if there is none
	ExtraJSON             string    // every other claim, as one JSON object
}

// HasScope is true if the token carries the scope.
func (c *Claims) HasScope(scope string) bool { return slices.Contains(c.Scopes, scope) }

// HasRole is true if the token carries the role.
func (c *Claims) HasRole(role string) bool { return slices.Contains(c.Roles, role) }

// newClaims shares nothing that a caller could change with the cache.
func newClaims(c *jose.Claims) *Claims {
	return &Claims{
		Issuer: c.Issuer, Subject: c.Subject, Audiences: slices.Clone(c.Audiences),
		ClientID: c.ClientID, SessionID: c.SessionID, TokenID: c.TokenID,
		IssueTime: c.IssueTime, ExpireTime: c.ExpireTime, AuthTime: c.AuthTime,
		Scopes: slices.Clone(c.Scopes), Roles: slices.Clone(c.Roles), AMR: slices.Clone(c.AMR),
		Generation: c.Generation, ExtraJSON: c.ExtraJSON,
	}
}

type claimsKey struct{}

// ContextWithClaims gives a context that carries the claims of the caller's
// token. The guards of ostiarygrpc and ostiaryhttp do that.
func ContextWithClaims(ctx context.Context, claims *Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, claims)
}

// ClaimsFromContext gives the claims of the caller's token, or nil if no guard
// has put them there.
func ClaimsFromContext(ctx context.Context) *Claims {
	claims, _ := ctx.Value(claimsKey{}).(*Claims)
	return claims
}
