package ostiaryhttp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"ostiary.dev/go"
	"ostiary.dev/go/ostiaryhttp"
	"ostiary.dev/go/ostiarytest"
)

var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, ostiary.ClaimsFromContext(r.Context()).Subject)
})

func get(handler http.Handler, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest("GET", "/", nil)
	for _, header := range headers {
		request.Header.Add("Authorization", header)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func TestEachRefusalHasItsStatusAndChallenge(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	handler := ostiaryhttp.Require(issuer.Verifier(), ostiary.WithRoles("admin"))(whoami)
	good := "Bearer " + issuer.Token(ostiarytest.Token{Subject: "acct_1", Roles: []string{"admin"}})
	reader := "Bearer " + issuer.Token(ostiarytest.Token{Roles: []string{"reader"}})
	expired := "Bearer " + issuer.Token(ostiarytest.Token{Lifetime: -1})
	for name, c := range map[string]struct {
		headers           []string
		status            int
		reason, challenge string
	}{
		"none":         {nil, 401, "TOKEN_MISSING", "Bearer"},
		"two":          {[]string{good, good}, 400, "TOKEN_AMBIGUOUS", `Bearer error="invalid_request"`},
		"expired":      {[]string{expired}, 401, "TOKEN_EXPIRED", `Bearer error="invalid_token", error_description="TOKEN_EXPIRED"`},
		"without role": {[]string{reader}, 403, "ROLE_MISSING", `Bearer error="insufficient_scope"`},
	} {
		t.Run(name, func(t *testing.T) {
			answer := get(handler, c.headers...)
			var body map[string]string
			if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if answer.Code != c.status || body["reason"] != c.reason || answer.Header().Get("WWW-Authenticate") != c.challenge {
				t.Errorf("got %d, %v, %v", answer.Code, body, answer.Header())
			}
		})
	}
	if answer := get(handler, good); answer.Code != 200 || answer.Body.String() != "acct_1" {
		t.Errorf("got %d, %q", answer.Code, answer.Body)
	}
	issuer.RevokeAll()
	if answer := get(handler, good); answer.Code != 401 {
		t.Errorf("got %d", answer.Code)
	}
}

func TestACheckThatIsNotPossibleIs503(t *testing.T) {
	verifier, err := ostiary.NewVerifier(t.Context(), ostiary.Options{
		Target: "127.0.0.1:1", Issuer: ostiarytest.Name, Policy: ostiary.Refuse})
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	answer := get(ostiaryhttp.Require(verifier)(whoami), "Bearer "+ostiarytest.NewIssuer().Token(ostiarytest.Token{}))
	if answer.Code != 503 || answer.Header().Get("Retry-After") == "" || answer.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("got %d, %v", answer.Code, answer.Header())
	}
}
