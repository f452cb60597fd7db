package ostiarytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"math/big"

	"ostiary.dev/go"
	"ostiary.dev/go/internal/jose"
)

// signer is one private key.
type signer struct {
	algorithm ostiary.Algorithm
	jwk       jose.JWK
	signature func(message []byte) ([]byte, error)
}

func newSigner(algorithm ostiary.Algorithm) *signer {
	s := &signer{algorithm: algorithm}
	switch algorithm {
	case ostiary.ES256:
		s.useES256()
	case ostiary.RS256:
		s.useRS256()
	case ostiary.EdDSA:
		s.useEdDSA()
	default:
		panic("ostiarytest: unknown algorithm " + algorithm)
	}
	s.jwk.Algorithm, s.jwk.Use, s.jwk.KeyID = string(algorithm), "sig", "key_"+randomHex()
	return s
}

func (s *signer) sign(claims map[string]any) string {
	header, err := json.Marshal(map[string]string{"alg": s.jwk.Algorithm, "typ": "at+jwt", "kid": s.jwk.KeyID})
	must(err)
	payload, err := json.Marshal(claims)
	must(err)
	input := jose.EncodeBase64URL(header) + "." + jose.EncodeBase64URL(payload)
	signature, err := s.signature([]byte(input))
	must(err)
	return input + "." + jose.EncodeBase64URL(signature)
}

func (s *signer) useES256() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	point, err := key.PublicKey.Bytes() // 4, x, y
	must(err)
	s.jwk = jose.JWK{KeyType: "EC", Curve: "P-256",
		X: jose.EncodeBase64URL(point[1:33]), Y: jose.EncodeBase64URL(point[33:])}
	s.signature = func(message []byte) ([]byte, error) {
		digest := sha256.Sum256(message)
		r, t, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return nil, err
		}
		raw := make([]byte, 64) // RFC 7518 section 3.4
		r.FillBytes(raw[:32])
		t.FillBytes(raw[32:])
		return raw, nil
	}
}

func (s *signer) useRS256() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	s.jwk = jose.JWK{KeyType: "RSA", N: jose.EncodeBase64URL(key.N.Bytes()),
		E: jose.EncodeBase64URL(big.NewInt(int64(key.E)).Bytes())}
	s.signature = func(message []byte) ([]byte, error) {
		digest := sha256.Sum256(message)
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	}
}

func (s *signer) useEdDSA() {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	s.jwk = jose.JWK{KeyType: "OKP", Curve: "Ed25519", X: jose.EncodeBase64URL(public)}
	s.signature = func(message []byte) ([]byte, error) { return ed25519.Sign(private, message), nil }
}
