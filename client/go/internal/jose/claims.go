package jose

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// 9999-12-31T23:59:59Z. Beyond it a date is a mistake or an attempt to
// overflow somebody's arithmetic.
const lastSecond = 253402300799

// Claims is what an access token says (RFC 9068 and Ostiary's own claims).
type Claims struct {
	Issuer     string
	Subject    string
	Audiences  []string
	ClientID   string
	SessionID  string // empty if there is none
	TokenID    string
	IssueTime  time.Time
	ExpireTime time.Time
	NotBefore  time.Time // zero if absent
	AuthTime   time.Time // zero if absent
	Scopes     []string
	Roles      []string
	AMR        []string
	Generation uint64 // no `gen` counts as 0
	ExtraJSON  string // all other claims as one JSON object
}

var namedClaims = map[string]struct{}{
	"iss": {}, "sub": {}, "aud": {}, "client_id": {}, "sid": {}, "jti": {}, "iat": {},
	"exp": {}, "nbf": {}, "auth_time": {}, "scope": {}, "roles": {}, "amr": {}, "gen": {},
}

// Each read leaves out as it was and answers true if the claim is absent, and
// false if it is there with another type.

func readText(object *jsonValue, name string, out *string) bool {
	value := object.find(name)
	if value == nil {
		return true
	}
	*out = value.text
	return value.kind == jsonString
}

func readTexts(object *jsonValue, name string, out *[]string) bool {
	value := object.find(name)
	if value == nil {
		return true
	}
	if value.kind != jsonArray {
		return false
	}
	for _, element := range value.elements {
		if element.kind != jsonString {
			return false
		}
		*out = append(*out, element.text)
	}
	return true
}

// readAudiences: RFC 7519 section 4.1.3: one text or a list.
func readAudiences(object *jsonValue, out *[]string) bool {
	value := object.find("aud")
	if value != nil && value.kind == jsonString {
		*out = []string{value.text}
	} else if !readTexts(object, "aud", out) {
		return false
	}
	for _, audience := range *out {
		if audience == "" {
			return false
		}
	}
	return true
}

func readScopes(object *jsonValue, out *[]string) bool {
	var scope string
	if !readText(object, "scope", &scope) {
		return false
	}
	for _, word := range strings.Split(scope, " ") {
		if word != "" {
			*out = append(*out, word)
		}
	}
	return true
}

func isInteger(raw string) bool { return !strings.ContainsAny(raw, ".eE") }

// readTime: RFC 7519 section 2, NumericDate.
func readTime(object *jsonValue, name string, out *time.Time) bool {
	value := object.find(name)
	if value == nil {
		return true
	}
	if value.kind != jsonNumber || value.raw[0] == '-' {
		return false
	}
	if isInteger(value.raw) {
		seconds, err := strconv.ParseInt(value.raw, 10, 64)
		*out = time.Unix(seconds, 0)
		return err == nil && seconds <= lastSecond
	}
	seconds, err := strconv.ParseFloat(value.raw, 64)
	if err != nil || seconds > lastSecond {
		return false
	}
	whole, part := math.Modf(seconds)
	*out = time.Unix(int64(whole), int64(part*1e9))
	return true
}

func readGeneration(object *jsonValue, out *uint64) bool {
	value := object.find("gen")
	if value == nil {
		return true
	}
	if value.kind != jsonNumber {
		return false
	}
	number, err := strconv.ParseUint(value.raw, 10, 64)
	*out = number
	return err == nil
}

func extraJSON(payload *jsonValue) string {
	var extra strings.Builder
	for _, member := range payload.members {
		if _, named := namedClaims[member.name]; named {
			continue
		}
		if extra.Len() > 0 {
			extra.WriteByte(',')
		}
		extra.WriteString(member.rawName + ":" + member.value.raw)
	}
	return "{" + extra.String() + "}"
}

// readPayload is TOKEN_MALFORMED if false: no object of strict JSON, or a
// registered claim of the wrong type.
func readPayload(payload []byte) (Claims, bool) {
	object, ok := parseStrictJSON(payload)
	if !ok || object.kind != jsonObject {
		return Claims{}, false
	}
	var c Claims
	ok = readText(&object, "iss", &c.Issuer) &&
		readText(&object, "sub", &c.Subject) &&
		readAudiences(&object, &c.Audiences) &&
		readText(&object, "client_id", &c.ClientID) &&
		readText(&object, "sid", &c.SessionID) &&
		readText(&object, "jti", &c.TokenID) &&
		readTime(&object, "iat", &c.IssueTime) &&
		readTime(&object, "exp", &c.ExpireTime) &&
		readTime(&object, "nbf", &c.NotBefore) &&
		readTime(&object, "auth_time", &c.AuthTime) &&
		readScopes(&object, &c.Scopes) &&
		readTexts(&object, "roles", &c.Roles) &&
		readTexts(&object, "amr", &c.AMR) &&
		readGeneration(&object, &c.Generation)
	c.ExtraJSON = extraJSON(&object)
	return c, ok
}

// complete: RFC 9068 section 2.2.
func (c *Claims) complete() bool {
	return c.Issuer != "" && c.Subject != "" && len(c.Audiences) > 0 && c.ClientID != "" &&
		c.TokenID != "" && !c.IssueTime.IsZero() && !c.ExpireTime.IsZero()
}
