package jose

import (
	"errors"
)

const (
	maxKeySetBytes = 256 * 1024
	maxKeys        = 256
	maxKIDBytes    = 256
)

// JWK is a public key as it is published (RFC 7517); all but KeyID and
// Algorithm may be empty.
type JWK struct {
	KeyType, Use, Algorithm, KeyID, Curve, X, Y, N, E string
}

// KeySet holds the keys one issuer signs with, found by kid. The zero value
// knows no key.
type KeySet struct {
	keys  []*Key
	byKID map[string]*Key
}

var (
	errTooManyKeys   = errors.New("too many keys")
	errKIDTwice      = errors.New("two keys have one kid")
	errNotAKeySet    = errors.New("not a JWK Set")
	errKeySetTooLong = errors.New("key set too large")
)

// NewKeySet takes the keys that can be used and leaves the others out, so that
// one odd key does not blind every verifier. It is an error if two keys have
// one kid, used or not: which one a token means must not be a guess.
func NewKeySet(jwks []JWK) (*KeySet, error) {
	if len(jwks) > maxKeys {
		return nil, errTooManyKeys
	}
	set := &KeySet{byKID: map[string]*Key{}}
	seen := map[string]struct{}{}
	for _, jwk := range jwks {
		if jwk.KeyID == "" {
			continue
		}
		if _, twice := seen[jwk.KeyID]; twice {
			return nil, errKIDTwice
		}
		seen[jwk.KeyID] = struct{}{}
		key, err := NewKey(jwk)
		if err != nil {
			continue
		}
		set.keys = append(set.keys, key)
		set.byKID[key.id] = key
	}
	return set, nil
}

// ParseKeySet reads a JWK Set (RFC 7517 section 5) from strict JSON.
func ParseKeySet(text []byte) (*KeySet, error) {
	if len(text) > maxKeySetBytes {
		return nil, errKeySetTooLong
	}
	value, ok := parseStrictJSON(text)
	if !ok || value.kind != jsonObject {
		return nil, errNotAKeySet
	}
	list := value.find("keys")
	if list == nil || list.kind != jsonArray {
		return nil, errNotAKeySet
	}
	var jwks []JWK
	for i := range list.elements {
		if list.elements[i].kind != jsonObject {
			return nil, errNotAKeySet
		}
		jwks = append(jwks, readJWK(&list.elements[i]))
	}
	return NewKeySet(jwks)
}

// Find gives the key with a kid, or nil.
func (s *KeySet) Find(kid string) *Key { return s.byKID[kid] }

// Keys gives all keys in the order they were given.
func (s *KeySet) Keys() []*Key { return s.keys }

// readJWK gives a JWK without algorithm, which is never used, if what it says
// about itself forbids to check signatures with it.
func readJWK(object *jsonValue) JWK {
	text := func(name string) string {
		if v := object.find(name); v != nil && v.kind == jsonString {
			return v.text
		}
		return ""
	}
	jwk := JWK{
		KeyType: text("kty"), Use: text("use"), Algorithm: text("alg"), KeyID: text("kid"),
		Curve: text("crv"), X: text("x"), Y: text("y"), N: text("n"), E: text("e"),
	}
	if holdsSecrets(object) || !isForVerifying(object) {
		jwk.Algorithm = ""
	}
	return jwk
}

func holdsSecrets(object *jsonValue) bool {
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if object.find(name) != nil {
			return true
		}
	}
	return false
}

// isForVerifying: RFC 7517 sections 4.2 and 4.3.
func isForVerifying(object *jsonValue) bool {
	if use := object.find("use"); use != nil && (use.kind != jsonString || use.text != "sig") {
		return false
	}
	operations := object.find("key_ops")
	if operations == nil {
		return true
	}
	for _, operation := range operations.elements {
		if operation.kind == jsonString && operation.text == "verify" {
			return true
		}
	}
	return false
}
