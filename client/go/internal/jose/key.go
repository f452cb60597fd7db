package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"math/big"
)

// The algorithms there are.
const (
	ES256 = "ES256"
	RS256 = "RS256"
	EdDSA = "EdDSA"
)

// CanonicalAlgorithm gives the name used here for an `alg`, or "" if it is
// none of ours. RFC 9864 calls EdDSA over this curve Ed25519.
func CanonicalAlgorithm(name string) string {
	switch name {
	case ES256, RS256, EdDSA:
		return name
	case "Ed25519":
		return EdDSA
	}
	return ""
}

const (
	coordinateBytes  = 32
	minRSABits       = 2048
	maxRSABits       = 8192 // above it one check takes milliseconds
	maxExponentBytes = 4
)

// Key is a public key that was found good and that checks signatures of its
// one algorithm.
type Key struct {
	id        string
	algorithm string
	jwk       JWK
	ec        *ecdsa.PublicKey
	rsa       *rsa.PublicKey
	ed        ed25519.PublicKey
}

// NewKey refuses numbers that are not a key to trust: a point off the curve,
// RSA outside 2048 to 8192 bits, with a leading zero, an even modulus, an even
// or huge exponent, or of the ROCA family (CVE-2017-15361), an Ed25519 key of
// another length or of small order; and keys without a kid, for another use,
// or whose type and algorithm do not go together (RFC 8725 section 3.1: one
// key, one algorithm, said by the key itself).
func NewKey(jwk JWK) (*Key, error) {
	if jwk.KeyID == "" || len(jwk.KeyID) > maxKIDBytes {
		return nil, errors.New("kid must have 1 to 256 bytes")
	}
	if jwk.Use != "" && jwk.Use != "sig" {
		return nil, errors.New("the key is for another use")
	}
	key := &Key{id: jwk.KeyID, algorithm: CanonicalAlgorithm(jwk.Algorithm), jwk: jwk}
	switch {
	case key.algorithm == ES256 && jwk.KeyType == "EC" && jwk.Curve == "P-256":
		return key, key.setEC(jwk)
	case key.algorithm == RS256 && jwk.KeyType == "RSA":
		return key, key.setRSA(jwk)
	case key.algorithm == EdDSA && jwk.KeyType == "OKP" && jwk.Curve == "Ed25519":
		return key, key.setEd25519(jwk)
	}
	return nil, errors.New("the key's type and algorithm are not supported")
}

// ID is the kid.
func (k *Key) ID() string { return k.id }

// Algorithm is the one it signs with.
func (k *Key) Algorithm() string { return k.algorithm }

// JWK is what the key was made from.
func (k *Key) JWK() JWK { return k.jwk }

// Equal is true for the same key under the same kid.
func (k *Key) Equal(other *Key) bool { return other != nil && k.jwk == other.jwk }

func (k *Key) setEC(jwk JWK) error {
	x, okX := decodeBase64URL(jwk.X)
	y, okY := decodeBase64URL(jwk.Y)
	if !okX || !okY || len(x) != coordinateBytes || len(y) != coordinateBytes {
		return errors.New("a P-256 coordinate must have 32 bytes")
	}
	point := append(append([]byte{4}, x...), y...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	k.ec = key
	return err
}

func (k *Key) setRSA(jwk JWK) error {
	n, okN := decodeBase64URL(jwk.N)
	e, okE := decodeBase64URL(jwk.E)
	if !okN || len(n) == 0 || len(n) > maxRSABits/8 || n[0] == 0 {
		return errors.New("an RSA modulus must have 2048 to 8192 bits")
	}
	if !okE || len(e) == 0 || len(e) > maxExponentBytes || e[0] == 0 {
		return errors.New("an RSA exponent must have 1 to 4 bytes")
	}
	modulus := new(big.Int).SetBytes(n)
	exponent := new(big.Int).SetBytes(e).Int64()
	switch {
	case modulus.BitLen() < minRSABits:
		return errors.New("an RSA modulus must have 2048 to 8192 bits")
	case modulus.Bit(0) == 0:
		return errors.New("the RSA modulus is even")
	case exponent&1 == 0 || exponent == 1 || exponent > math.MaxInt32:
		return errors.New("the RSA exponent must be odd, above 1 and below 2^31")
	case looksLikeROCA(modulus):
		return errors.New("the RSA modulus is of the ROCA family")
	}
	k.rsa = &rsa.PublicKey{N: modulus, E: int(exponent)}
	return nil
}

func (k *Key) setEd25519(jwk JWK) error {
	x, ok := decodeBase64URL(jwk.X)
	if !ok || len(x) != ed25519.PublicKeySize {
		return errors.New("an Ed25519 key must have 32 bytes")
	}
	if hasSmallOrder(x) {
		return errors.New("the Ed25519 key has small order")
	}
	k.ed = x
	return nil
}

// Keys of one smart-card library can be factored. Their moduli are powers of
// 65537 modulo every small prime; another modulus passes all seventeen tests
// once in 2^27.
func looksLikeROCA(modulus *big.Int) bool {
	remainder := new(big.Int)
	for _, prime := range []int64{
		11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
	} {
		remainder.Mod(modulus, big.NewInt(prime))
		if !isPowerOf65537(remainder.Int64(), prime) {
			return false
		}
	}
	return true
}

func isPowerOf65537(remainder, prime int64) bool {
	for power := int64(1); ; {
		if power == remainder {
			return true
		}
		power = power * (65537 % prime) % prime
		if power == 1 {
			return false
		}
	}
}

var smallOrderPoints = func() [][]byte {
	var points [][]byte
	for _, text := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		point, _ := hex.DecodeString(text)
		points = append(points, point)
	}
	return points
}()

// Points whose order is 1, 2, 4 or 8, in every encoding (the sign bit apart):
// under such a key a signature made without the private key passes easily. An
// all-zero key, the commonest mistake, is among them.
func hasSmallOrder(x []byte) bool {
	unsigned := bytes.Clone(x)
	unsigned[len(unsigned)-1] &= 0x7f
	for _, point := range smallOrderPoints {
		if bytes.Equal(unsigned, point) {
			return true
		}
	}
	return false
}

// verifies is true if signature (raw bytes, in JWS form) is this key's over
// message. Any length and content is safe to pass.
func (k *Key) verifies(message, signature []byte) bool {
	switch k.algorithm {
	case ES256:
		if len(signature) != 2*coordinateBytes {
			return false
		}
		digest := sha256.Sum256(message)
		r := new(big.Int).SetBytes(signature[:coordinateBytes])
		s := new(big.Int).SetBytes(signature[coordinateBytes:])
		return ecdsa.Verify(k.ec, digest[:], r, s)
	case RS256:
		digest := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, digest[:], signature) == nil
	case EdDSA:
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(k.ed, message, signature)
	}
	return false
}
