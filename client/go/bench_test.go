package ostiary_test

import (
	"testing"

	"ostiary.dev/go"
	"ostiary.dev/go/ostiarytest"
)

func BenchmarkVerify(b *testing.B) {
	issuer := ostiarytest.NewIssuer()
	token := issuer.Token(ostiarytest.Token{SessionID: "sess_1", Scopes: []string{"a", "b"}, Roles: []string{"r"}})
	for i := range 1000 {
		issuer.RevokeSession("sess_" + string(rune('a'+i)))
	}
	for name, options := range map[string]ostiary.Options{
		"warm": {}, "cold": {CacheSize: ostiary.NoCache},
	} {
		b.Run(name, func(b *testing.B) {
			verifier := issuer.VerifierWith(options)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
