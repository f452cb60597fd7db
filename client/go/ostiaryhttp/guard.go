// Package ostiaryhttp guards handlers of net/http: requests without a good
// access token do not reach them.
//
//	signedIn := ostiaryhttp.Require(verifier)
//	admins := ostiaryhttp.Require(verifier, ostiary.WithRoles("admin"))
//	mux.Handle("GET /me", signedIn(me))
//	mux.Handle("GET /users", admins(users))
//
// Handlers find out who calls with ostiary.ClaimsFromContext.
package ostiaryhttp

import (
	"encoding/json"
	"net/http"

	"ostiary.dev/go"
	"ostiary.dev/go/internal/bearer"
)

// Require gives a middleware that lets requests pass whose bearer token is good
// and fulfils the options. It answers all others, with a JSON body
// {"error", "reason"}:
//
//	400  two authorization headers
//	401  no token, or one that is not good; WWW-Authenticate as of RFC 6750
//	403  SCOPE_MISSING or ROLE_MISSING
//	503  CHECK_UNAVAILABLE: nobody can tell now; with Retry-After
//
// Tokens in the query or in a form are not looked at: they end in logs.
func Require(verifier *ostiary.Verifier, options ...ostiary.CheckOption) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims, reason, err := bearer.Check(r.Context(), verifier, r.Header.Values("Authorization"), options)
			switch {
			case err == nil:
				next.ServeHTTP(w, r.WithContext(ostiary.ContextWithClaims(r.Context(), claims)))
			case reason == "":
				http.Error(w, "the guard is set up wrongly", http.StatusInternalServerError)
			default:
				refuse(w, reason)
			}
		})
	}
}

func refuse(w http.ResponseWriter, reason ostiary.Reason) {
	code, word := http.StatusUnauthorized, "invalid_token"
	challenge := `Bearer error="invalid_token", error_description="` + string(reason) + `"`
	switch reason {
	case bearer.Missing: // RFC 6750 section 3.1: without an error code
		word, challenge = "invalid_request", "Bearer"
	case bearer.Ambiguous:
		code, word, challenge = http.StatusBadRequest, "invalid_request", `Bearer error="invalid_request"`
	case ostiary.ScopeMissing, ostiary.RoleMissing:
		code, word, challenge = http.StatusForbidden, "insufficient_scope", `Bearer error="insufficient_scope"`
	case ostiary.CheckUnavailable:
		code, word, challenge = http.StatusServiceUnavailable, "temporarily_unavailable", ""
		w.Header().Set("Retry-After", "1")
	}
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": word, "reason": string(reason)})
}
