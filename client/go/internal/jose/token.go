package jose

import "strings"

// MaxTokenBytes bounds what is looked at.
const MaxTokenBytes = 16 * 1024

// rawToken is a compact JWS taken apart. Nothing in it is verified. `jku`,
// `jwk`, `x5u`, `x5c` and unknown members of the header are ignored, never
// followed: the key comes from the verifier's own set.
type rawToken struct {
	algorithm    string
	kid          string
	hasKID       bool
	typ          string
	signingInput string // header and payload as they were signed
	payload      []byte
	signature    []byte
}

// parseToken is TOKEN_MALFORMED if false. So are `crit`, `b64` and `zip` with
// any value: no extension is understood here (RFC 7515 section 4.1.11,
// RFC 8725 section 3.6).
func parseToken(text string) (rawToken, bool) {
	if len(text) > MaxTokenBytes {
		return rawToken{}, false
	}
	parts := strings.SplitN(text, ".", 4)
	if len(parts) != 3 {
		return rawToken{}, false
	}
	header, okHeader := decodeBase64URL(parts[0])
	payload, okPayload := decodeBase64URL(parts[1])
	signature, okSignature := decodeBase64URL(parts[2])
	if !okHeader || !okPayload || !okSignature {
		return rawToken{}, false
	}
	token := rawToken{
		signingInput: text[:len(parts[0])+1+len(parts[1])],
		payload:      payload,
		signature:    signature,
	}
	return token, token.readHeader(header)
}

func (t *rawToken) readHeader(text []byte) bool {
	header, ok := parseStrictJSON(text)
	if !ok || header.kind != jsonObject {
		return false
	}
	for _, extension := range []string{"crit", "b64", "zip"} {
		if header.find(extension) != nil {
			return false
		}
	}
	algorithm := header.find("alg")
	if algorithm == nil || algorithm.kind != jsonString {
		return false
	}
	t.algorithm = algorithm.text
	t.hasKID = header.find("kid") != nil
	return readText(&header, "kid", &t.kid) && readText(&header, "typ", &t.typ)
}

// isAccessToken: RFC 9068 section 4. An ID token, a DPoP proof or a status
// list cannot pass for an access token.
func (t *rawToken) isAccessToken() bool {
	return strings.EqualFold(t.typ, "at+jwt") || strings.EqualFold(t.typ, "application/at+jwt")
}
