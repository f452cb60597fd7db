package jose

import (
	"encoding/base64"
	"strings"
)

var strictBase64 = base64.RawURLEncoding.Strict()

// decodeBase64URL accepts only the one canonical text of some bytes: no
// padding, no foreign characters, no bits left over. With two texts for one
// token, a list of refused texts would be worthless.
func decodeBase64URL(text string) ([]byte, bool) {
	// The library's decoder skips line breaks, even the strict one.
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	bytes, err := strictBase64.DecodeString(text)
	return bytes, err == nil
}

// EncodeBase64URL writes bytes without padding (RFC 7515 section 2).
func EncodeBase64URL(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
