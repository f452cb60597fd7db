// Package ostiarytest makes access tokens for an application's own tests,
// without a server.
//
//	issuer := ostiarytest.NewIssuer()
//	verifier := issuer.Verifier()
//	token := issuer.Token(ostiarytest.Token{Subject: "acct_alice", Scopes: []string{"notes:read"}})
//	claims, err := verifier.Verify(ctx, token)
//	...
//	issuer.RevokeToken(token)
//
// Its keys are made anew for each issuer: no other verifier accepts its tokens.
package ostiarytest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"ostiary.dev/go"
	"ostiary.dev/go/internal/jose"
	"ostiary.dev/go/internal/knowledge"
	pb "ostiary.dev/go/ostiary/v1"
)

// Name is the `iss` of the tokens of an Issuer.
const Name = "https://issuer.ostiary.test"

// Token says what is to stand in an access token. The zero value of a field
// means what its comment says.
type Token struct {
	Subject    string         // "acct_test"
	Audiences  []string       // "api"
	ClientID   string         // "cli_default"
	SessionID  string         // no `sid`
	TokenID    string         // one of its own
	Scopes     []string       // no `scope`
	Roles      []string       // no `roles`
	Generation uint64         // 1
	IssueTime  time.Time      // now
	Lifetime   time.Duration  // 15 minutes; negative: expired long ago
	Extra      map[string]any // other claims; they go over all others
}

// Issuer stands for an Ostiary server. Safe for use by several goroutines.
//
// Its methods panic where a real server would have failed for a mistake in the
// test, such as claims that cannot be written as JSON.
type Issuer struct {
	known *knowledge.Knowledge

	mutex sync.Mutex
	keys  []*signer // the last one signs
}

// NewIssuer makes an issuer with one ES256 key.
func NewIssuer() *Issuer { return NewIssuerWith(ostiary.ES256) }

// NewIssuerWith makes an issuer with one key for an algorithm. RS256 keys take a
// moment to make.
func NewIssuerWith(algorithm ostiary.Algorithm) *Issuer {
	i := &Issuer{keys: []*signer{newSigner(algorithm)}}
	i.known = knowledge.NewFresh(i.keySet())
	return i
}

// Verifier gives a verifier with default options for this issuer: it knows the
// issuer's keys and revocations and is always fresh.
func (i *Issuer) Verifier() *ostiary.Verifier { return i.VerifierWith(ostiary.Options{}) }

// VerifierWith is Verifier with options; Target and Issuer are not looked at.
func (i *Issuer) VerifierWith(options ostiary.Options) *ostiary.Verifier {
	options.Issuer = Name
	verifier, err := ostiary.NewVerifierOn(i.known, options)
	must(err)
	return verifier
}

// Token signs an access token.
func (i *Issuer) Token(t Token) string {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.keys[len(i.keys)-1].sign(t.claims())
}

// RotateKey makes a new key of the same algorithm. The old ones verify on.
func (i *Issuer) RotateKey() {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.keys = append(i.keys, newSigner(i.keys[len(i.keys)-1].algorithm))
	_, err := i.known.Apply(&pb.WatchResponse{Frame: &pb.WatchResponse_KeySet{
		KeySet: knowledge.KeySetFrame(i.keySet())}})
	must(err)
}

// JWKS is the public keys as a JWK Set (RFC 7517).
func (i *Issuer) JWKS() string {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	type jwks struct {
		Keys []*pb.JsonWebKey `json:"keys"`
	}
	text, err := json.Marshal(jwks{knowledge.KeySetFrame(i.keySet()).Keys})
	must(err)
	return string(text)
}

// RevokeToken ends a token of this issuer and gives the revision. So do the
// other methods that revoke.
func (i *Issuer) RevokeToken(token string) string {
	parsed, reason := jose.Parse(token)
	if reason != "" {
		panic("ostiarytest: not a token: " + reason)
	}
	return i.revoke(&pb.RevocationEntry{Target: &pb.RevocationEntry_TokenId{TokenId: parsed.Claims.TokenID}})
}

// RevokeSession ends all tokens of a session.
func (i *Issuer) RevokeSession(id string) string {
	return i.revoke(&pb.RevocationEntry{Target: &pb.RevocationEntry_SessionId{SessionId: id}})
}

// RevokeAccount ends the tokens of an account with a lower generation.
func (i *Issuer) RevokeAccount(id string, minGeneration uint64) string {
	return i.revoke(&pb.RevocationEntry{Target: &pb.RevocationEntry_Account{
		Account: &pb.AccountCutoff{AccountId: id, MinGeneration: minGeneration}}})
}

// RevokeClient ends all tokens issued to a client until now.
func (i *Issuer) RevokeClient(id string) string {
	return i.revoke(&pb.RevocationEntry{Target: &pb.RevocationEntry_Client{
		Client: &pb.ClientCutoff{ClientId: id, IssuedBefore: timestamppb.Now()}}})
}

// RevokeKey ends the key that signs, with every token it has signed, and makes
// a new one.
func (i *Issuer) RevokeKey() string {
	i.mutex.Lock()
	id := i.keys[len(i.keys)-1].jwk.KeyID
	i.mutex.Unlock()
	i.RotateKey()
	return i.revoke(&pb.RevocationEntry{Target: &pb.RevocationEntry_KeyId{KeyId: id}})
}

// RevokeAll ends all tokens issued until now.
func (i *Issuer) RevokeAll() string {
	return i.revoke(&pb.RevocationEntry{Target: &pb.RevocationEntry_All{
		All: &pb.IssueCutoff{IssuedBefore: timestamppb.Now()}}})
}

func (i *Issuer) revoke(entry *pb.RevocationEntry) string {
	position, err := i.known.Revoke(entry)
	must(err)
	return position.String()
}

func (i *Issuer) keySet() *jose.KeySet {
	var jwks []jose.JWK
	for _, key := range i.keys {
		jwks = append(jwks, key.jwk)
	}
	keys, err := jose.NewKeySet(jwks)
	must(err)
	return keys
}

func (t Token) claims() map[string]any {
	issued := t.IssueTime
	if issued.IsZero() {
		issued = time.Now()
	}
	lifetime := t.Lifetime
	switch {
	case lifetime == 0:
		lifetime = 15 * time.Minute
	case lifetime < 0:
		issued, lifetime = issued.Add(-2*time.Hour), time.Hour
	}
	claims := map[string]any{
		"iss":       Name,
		"sub":       or(t.Subject, "acct_test"),
		"aud":       t.Audiences,
		"client_id": or(t.ClientID, "cli_default"),
		"jti":       or(t.TokenID, "tok_"+randomHex()),
		"iat":       issued.Unix(),
		"exp":       issued.Add(lifetime).Unix(),
		"gen":       max(t.Generation, 1),
	}
	if len(t.Audiences) == 0 {
		claims["aud"] = ostiary.DefaultAudience
	}
	if t.SessionID != "" {
		claims["sid"] = t.SessionID
	}
	if len(t.Scopes) > 0 {
		claims["scope"] = strings.Join(t.Scopes, " ")
	}
	if len(t.Roles) > 0 {
		claims["roles"] = t.Roles
	}
	maps.Copy(claims, t.Extra)
	return claims
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func randomHex() string {
	bytes := make([]byte, 16)
	rand.Read(bytes)
	return hex.EncodeToString(bytes)
}

func must(err error) {
	if err != nil {
		panic("ostiarytest: " + err.Error())
	}
}
