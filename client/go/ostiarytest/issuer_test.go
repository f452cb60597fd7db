package ostiarytest_test

import (
	"strings"
	"testing"
	"time"

	"ostiary.dev/go"
	"ostiary.dev/go/ostiarytest"
)

func reason(t *testing.T, verifier *ostiary.Verifier, token string) ostiary.Reason {
	t.Helper()
	_, err := verifier.Verify(t.Context(), token)
	return ostiary.ReasonOf(err)
}

func TestTokensOfEveryAlgorithmAreAccepted(t *testing.T) {
	for _, algorithm := range []ostiary.Algorithm{ostiary.ES256, ostiary.RS256, ostiary.EdDSA} {
		issuer := ostiarytest.NewIssuerWith(algorithm)
		if r := reason(t, issuer.Verifier(), issuer.Token(ostiarytest.Token{})); r != "" {
			t.Errorf("%s: %s", algorithm, r)
		}
		if !strings.Contains(issuer.JWKS(), `"alg":"`+string(algorithm)+`"`) {
			t.Error(issuer.JWKS())
		}
	}
}

func TestEachWayToRevokeIsSeenAtOnceAndByAllVerifiers(t *testing.T) {
	for name, revoke := range map[string]func(*ostiarytest.Issuer, string) string{
		"token":   func(i *ostiarytest.Issuer, token string) string { return i.RevokeToken(token) },
		"session": func(i *ostiarytest.Issuer, _ string) string { return i.RevokeSession("sess_1") },
		"account": func(i *ostiarytest.Issuer, _ string) string { return i.RevokeAccount("acct_1", 4) },
		"client":  func(i *ostiarytest.Issuer, _ string) string { return i.RevokeClient("cli_1") },
		"key":     func(i *ostiarytest.Issuer, _ string) string { return i.RevokeKey() },
		"all":     func(i *ostiarytest.Issuer, _ string) string { return i.RevokeAll() },
	} {
		t.Run(name, func(t *testing.T) {
			issuer := ostiarytest.NewIssuer()
			verifiers := []*ostiary.Verifier{issuer.Verifier(), issuer.Verifier()}
			token := issuer.Token(ostiarytest.Token{
				Subject: "acct_1", SessionID: "sess_1", ClientID: "cli_1", Generation: 3})
			other := issuer.Token(ostiarytest.Token{
				Subject: "acct_1", SessionID: "sess_2", ClientID: "cli_2", Generation: 4, IssueTime: time.Now().Add(10 * time.Second)})
			for _, v := range verifiers {
				if r := reason(t, v, token); r != "" {
					t.Error(r)
				}
			}
			revision := revoke(issuer, token)
			for _, v := range verifiers {
				if r := reason(t, v, token); r != ostiary.TokenRevoked {
					t.Errorf("got %q", r)
				}
				if r := reason(t, v, other); r != "" && name != "key" {
					t.Errorf("the other token: %q", r)
				}
				if err := v.WaitFor(t.Context(), revision); err != nil {
					t.Error(err)
				}
			}
			if r := reason(t, verifiers[0], issuer.Token(ostiarytest.Token{IssueTime: time.Now().Add(10 * time.Second)})); r != "" {
				t.Errorf("a new token: %q", r)
			}
		})
	}
}

func TestTokensSignedBeforeARotationAreStillGood(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	verifier := issuer.Verifier()
	old := issuer.Token(ostiarytest.Token{})
	issuer.RotateKey()
	for _, token := range []string{old, issuer.Token(ostiarytest.Token{})} {
		if r := reason(t, verifier, token); r != "" {
			t.Error(r)
		}
	}
}
