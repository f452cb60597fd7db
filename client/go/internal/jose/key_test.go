package jose

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func libraryAccepts(text []byte) bool { return json.Valid(text) }

func TestBase64URLIsStrict(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "QQ": true, "QUI": true, "QUJD": true, "-_-_": true,
		"Q": false, "QR": false, "QUJ": false, "QQ==": false, "QUI=": false, "+/+/": false,
		"QU JD": false, "QUJD\n": false, "\r\nQUJD": false, "QU.D": false,
	} {
		if _, ok := decodeBase64URL(text); ok != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

func goodJWK(t *testing.T, kid string) JWK {
	t.Helper()
	_, keys := readVectors(t)
	key := keys.Find(kid)
	if key == nil {
		t.Fatalf("no key %s", kid)
	}
	return key.JWK()
}

func numberJWK(hexModulus string) func(*JWK) {
	return func(k *JWK) {
		bytes, _ := hex.DecodeString(hexModulus)
		k.N = EncodeBase64URL(bytes)
	}
}

func TestKeysThatAreNotToBeTrustedAreRefused(t *testing.T) {
	// A modulus of the ROCA family is a power of 65537 modulo the small primes;
	// 65537^128 is one, and of 2049 bits.
	roca := new(big.Int).Exp(big.NewInt(65537), big.NewInt(128), nil)
	x := func(text string) func(*JWK) {
		return func(k *JWK) {
			bytes, _ := hex.DecodeString(text)
			k.X = EncodeBase64URL(bytes)
		}
	}
	for name, c := range map[string]struct {
		kid    string
		change func(*JWK)
	}{
		"no kid":                  {"es-1", func(k *JWK) { k.KeyID = "" }},
		"a long kid":              {"es-1", func(k *JWK) { k.KeyID = strings.Repeat("k", 257) }},
		"for encryption":          {"es-1", func(k *JWK) { k.Use = "enc" }},
		"no alg":                  {"es-1", func(k *JWK) { k.Algorithm = "" }},
		"another alg":             {"es-1", func(k *JWK) { k.Algorithm = "RS256" }},
		"another curve":           {"es-1", func(k *JWK) { k.Curve = "P-384" }},
		"a point off the curve":   {"es-1", func(k *JWK) { k.X, k.Y = k.Y, k.X }},
		"a short coordinate":      {"es-1", func(k *JWK) { k.X = k.X[:40] }},
		"an even modulus":         {"rs-1", numberJWK("80" + strings.Repeat("00", 255))},
		"a small modulus":         {"rs-1", numberJWK("7f" + strings.Repeat("ff", 255))},
		"a leading zero":          {"rs-1", numberJWK("00ff" + strings.Repeat("ff", 255))},
		"a huge modulus":          {"rs-1", numberJWK(strings.Repeat("ff", 1025))},
		"ROCA":                    {"rs-1", func(k *JWK) { k.N = EncodeBase64URL(roca.Bytes()) }},
		"exponent 1":              {"rs-1", func(k *JWK) { k.E = "AQ" }},
		"an even exponent":        {"rs-1", func(k *JWK) { k.E = "AQAA" }},
		"a long exponent":         {"rs-1", func(k *JWK) { k.E = "AQABAAAB" }},
		"no exponent":             {"rs-1", func(k *JWK) { k.E = "" }},
		"a short Ed25519 key":     {"ed-1", x("00")},
		"zero":                    {"ed-1", x(strings.Repeat("00", 32))},
		"zero with its sign":      {"ed-1", x(strings.Repeat("00", 31) + "80")},
		"order 8":                 {"ed-1", x("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")},
		"order 4, not canonical":  {"ed-1", x("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")},
		"an Ed25519 key for X448": {"ed-1", func(k *JWK) { k.Curve = "X448" }},
	} {
		jwk := goodJWK(t, c.kid)
		if _, err := NewKey(jwk); err != nil {
			t.Fatalf("%s: %v", c.kid, err)
		}
		c.change(&jwk)
		if _, err := NewKey(jwk); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTwoKeysWithOneKIDAreRefused(t *testing.T) {
	a, b := goodJWK(t, "es-1"), goodJWK(t, "rs-1")
	b.KeyID = a.KeyID
	if _, err := NewKeySet([]JWK{a, b}); err == nil {
		t.Error("accepted")
	}
	b.Algorithm = "HS256" // not usable, and still the same key to others
	if _, err := NewKeySet([]JWK{a, b}); err == nil {
		t.Error("accepted beside an unusable one")
	}
}

func TestAKeyThatCannotBeUsedIsLeftOut(t *testing.T) {
	for _, odd := range []string{
		`{"kty":"oct","kid":"x","alg":"HS256","k":"AA"}`,
		`{"kty":"EC","kid":"x"}`,
		`{"kty":"OKP","crv":"Ed25519","kid":"x","alg":"EdDSA","d":"AA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		`{"kty":"OKP","crv":"Ed25519","kid":"x","alg":"EdDSA","key_ops":["sign"],"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		`{"kty":"OKP","crv":"Ed25519","kid":"x","alg":"EdDSA","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
	} {
		set, err := ParseKeySet([]byte(`{"keys":[` + odd + `,{"kty":"OKP","crv":"Ed25519","kid":"y","alg":"EdDSA",` +
			`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
		if err != nil || set.Find("x") != nil || set.Find("y") == nil {
			t.Errorf("%s: %v", odd, err)
		}
	}
}

type wycheproofFile struct {
	TestGroups []struct {
		PublicKeyJWK *struct{ Kty, Crv, X, Y string }
		PublicKey    struct{ Modulus, PublicExponent string }
		Tests        []struct {
			TCID     int
			Comment  string
			Msg, Sig string
			Result   string
			Flags    []string
		}
	}
}

// Signatures that broke other libraries. The files are not in this repository;
// see tests/vectors/README.md.
func TestWycheproofSignatures(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "..", "..", "shared")
	if said := os.Getenv("OSTIARY_SHARED"); said != "" {
		folder = said
	}
	for name, algorithm := range map[string]string{
		"ecdsa_secp256r1_sha256_p1363_test": ES256, "ed25519_test": EdDSA, "rsa_signature_2048_sha256_test": RS256,
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, "vectors", "wycheproof", name+".json"))
			if err != nil {
				t.Skip("NOT TESTED: no Wycheproof files; set OSTIARY_SHARED to the folder that has vectors/")
			}
			var file wycheproofFile
			if err := json.Unmarshal(text, &file); err != nil {
				t.Fatal(err)
			}
			checked := 0
			for _, group := range file.TestGroups {
				jwk := JWK{KeyID: "k", Algorithm: algorithm, KeyType: "RSA",
					N: unpadded(group.PublicKey.Modulus), E: unpadded(group.PublicKey.PublicExponent)}
				if group.PublicKeyJWK != nil {
					j := group.PublicKeyJWK
					jwk.KeyType, jwk.Curve, jwk.X, jwk.Y = j.Kty, j.Crv, j.X, j.Y
				} else if algorithm != RS256 {
					continue // not a key that has a JWK
				}
				key, err := NewKey(jwk)
				if err != nil {
					t.Fatalf("%+v: %v", jwk, err)
				}
				for _, c := range group.Tests {
					message, _ := hex.DecodeString(c.Msg)
					signature, err := hex.DecodeString(c.Sig)
					if err != nil {
						t.Fatal(err)
					}
					got := key.verifies(message, signature)
					if got != (c.Result == "valid") && c.Result != "acceptable" {
						t.Errorf("%d (%s): %s, got %v", c.TCID, c.Comment, c.Result, got)
					}
					checked++
				}
			}
			if checked < 100 {
				t.Errorf("only %d checked", checked)
			}
		})
	}
}

func unpadded(hexNumber string) string {
	number, _ := new(big.Int).SetString(hexNumber, 16)
	if number == nil {
		return ""
	}
	return EncodeBase64URL(number.Bytes())
}
