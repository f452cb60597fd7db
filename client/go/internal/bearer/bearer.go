// Package bearer is what the guards for gRPC and HTTP have in common: where the
// token is (RFC 6750 section 2.1) and what a refusal is called.
package bearer

import (
	"context"
	"errors"
	"strings"

	"ostiary.dev/go"
)

// Reasons of the guards, beside those of the verifier.
const (
	// There is no bearer token.
	Missing ostiary.Reason = "TOKEN_MISSING"
	// There are two: which one is meant must not be a guess. Another program in
	// front may have checked the other one.
	Ambiguous ostiary.Reason = "TOKEN_AMBIGUOUS"
)

// Check judges the token in the values of the authorization header. The error
// is nil, or goes with a reason, or says that the guard is set up wrongly.
func Check(ctx context.Context, v *ostiary.Verifier, headers []string, options []ostiary.CheckOption) (*ostiary.Claims, ostiary.Reason, error) {
	if len(headers) > 1 {
		return nil, Ambiguous, errors.New("more than one authorization header")
	}
	token := ""
	if len(headers) == 1 {
		token = tokenIn(headers[0])
	}
	if token == "" {
		return nil, Missing, errors.New("a bearer token is needed")
	}
	claims, err := v.Verify(ctx, token, options...)
	return claims, ostiary.ReasonOf(err), err
}

// tokenIn is empty if the header is not of the form "Bearer TOKEN".
func tokenIn(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.Trim(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.Contains(token, " ") {
		return ""
	}
	return token
}
