package jose

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const maxJSONDepth = 32

type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonBool
	jsonNumber
	jsonString
	jsonArray
	jsonObject
)

// One value of a JSON text that was found strict.
type jsonValue struct {
	kind     jsonKind
	raw      string // the text of the value, as it stood
	text     string // of a string, unescaped
	elements []jsonValue
	members  []jsonMember
}

type jsonMember struct {
	name    string // unescaped
	rawName string // with its quotes
	value   jsonValue
}

// find gives the member called name, or nil.
func (v *jsonValue) find(name string) *jsonValue {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

// parseStrictJSON reads RFC 8259 to the letter: valid UTF-8, no byte-order
// mark, no comments, no trailing text, at most maxJSONDepth deep, no number
// beyond a double, no half of a surrogate pair. An object with two members of
// one name, however they are escaped, is refused at any depth: two readers
// could each believe another one. encoding/json lets all of that pass. The
// caller bounds the size.
func parseStrictJSON(text []byte) (jsonValue, bool) {
	if !utf8.Valid(text) {
		return jsonValue{}, false
	}
	p := jsonParser{text: string(text)}
	value, ok := p.value(0)
	if !ok {
		return jsonValue{}, false
	}
	p.skipSpace()
	return value, p.at == len(p.text)
}

type jsonParser struct {
	text string
	at   int
}

func (p *jsonParser) skipSpace() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek gives the next byte, or 0 at the end: a NUL begins nothing in JSON.
func (p *jsonParser) peek() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *jsonParser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *jsonParser) value(depth int) (jsonValue, bool) {
	p.skipSpace()
	begin := p.at
	var v jsonValue
	var ok bool
	switch c := p.peek(); {
	case c == '{':
		v, ok = p.object(depth + 1)
	case c == '[':
		v, ok = p.array(depth + 1)
	case c == '"':
		v.kind = jsonString
		v.text, ok = p.string()
	case c == 't':
		v.kind, ok = jsonBool, p.literal("true")
	case c == 'f':
		v.kind, ok = jsonBool, p.literal("false")
	case c == 'n':
		v.kind, ok = jsonNull, p.literal("null")
	default:
		v.kind, ok = jsonNumber, p.number()
	}
	v.raw = p.text[begin:p.at]
	return v, ok
}

func (p *jsonParser) literal(word string) bool {
	if !strings.HasPrefix(p.text[p.at:], word) {
		return false
	}
	p.at += len(word)
	return true
}

func (p *jsonParser) object(depth int) (jsonValue, bool) {
	object := jsonValue{kind: jsonObject}
	if depth > maxJSONDepth {
		return object, false
	}
	p.at++ // the brace
	p.skipSpace()
	if p.take('}') {
		return object, true
	}
	names := nameSet{}
	for {
		p.skipSpace()
		begin := p.at
		if p.peek() != '"' {
			return object, false
		}
		name, ok := p.string()
		if !ok {
			return object, false
		}
		if !names.add(object.members, name) {
			return object, false
		}
		rawName := p.text[begin:p.at]
		p.skipSpace()
		if !p.take(':') {
			return object, false
		}
		value, ok := p.value(depth)
		if !ok {
			return object, false
		}
		object.members = append(object.members, jsonMember{name, rawName, value})
		p.skipSpace()
		if p.take('}') {
			return object, true
		}
		if !p.take(',') {
			return object, false
		}
	}
}

// nameSet finds names that come twice: by looking at all members while they are
// few, as they nearly always are, and in a map when they are many.
type nameSet struct {
	many map[string]struct{}
}

const fewMembers = 16

func (s *nameSet) add(members []jsonMember, name string) bool {
	if len(members) < fewMembers {
		return !slices.ContainsFunc(members, func(m jsonMember) bool { return m.name == name })
	}
	if s.many == nil {
		s.many = map[string]struct{}{}
		for _, member := range members {
			s.many[member.name] = struct{}{}
		}
	}
	if _, twice := s.many[name]; twice {
		return false
	}
	s.many[name] = struct{}{}
	return true
}

func (p *jsonParser) array(depth int) (jsonValue, bool) {
	array := jsonValue{kind: jsonArray}
	if depth > maxJSONDepth {
		return array, false
	}
	p.at++ // the bracket
	p.skipSpace()
	if p.take(']') {
		return array, true
	}
	for {
		value, ok := p.value(depth)
		if !ok {
			return array, false
		}
		array.elements = append(array.elements, value)
		p.skipSpace()
		if p.take(']') {
			return array, true
		}
		if !p.take(',') {
			return array, false
		}
	}
}

func (p *jsonParser) string() (string, bool) {
	p.at++ // the quote
	begin := p.at
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return p.text[begin : p.at-1], true
		case c == '\\':
			return p.escapedString(begin)
		case c < 0x20:
			return "", false
		default:
			p.at++
		}
	}
	return "", false
}

// escapedString goes on with a string at its first backslash.
func (p *jsonParser) escapedString(begin int) (string, bool) {
	text := []byte(p.text[begin:p.at])
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == '"':
			return string(text), true
		case c == '\\':
			r, ok := p.escape()
			if !ok {
				return "", false
			}
			text = utf8.AppendRune(text, r)
		case c < 0x20:
			return "", false
		default:
			text = append(text, c)
		}
	}
	return "", false
}

// escape reads what follows a backslash.
func (p *jsonParser) escape() (rune, bool) {
	c := p.peek()
	p.at = min(p.at+1, len(p.text))
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		return p.unicodeEscape()
	}
	return 0, false
}

func (p *jsonParser) unicodeEscape() (rune, bool) {
	first, ok := p.fourHexDigits()
	if !ok || !utf16.IsSurrogate(first) {
		return first, ok
	}
	if !p.take('\\') || !p.take('u') {
		return 0, false
	}
	second, ok := p.fourHexDigits()
	if !ok {
		return 0, false
	}
	r := utf16.DecodeRune(first, second)
	return r, r != utf8.RuneError
}

func (p *jsonParser) fourHexDigits() (rune, bool) {
	if len(p.text)-p.at < 4 {
		return 0, false
	}
	var number rune
	for _, c := range []byte(p.text[p.at : p.at+4]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || (c < 'A' && c > '9') || c < '0' {
			return 0, false
		}
		number = number<<4 | rune(digit)
	}
	p.at += 4
	return number, true
}

func (p *jsonParser) digits() bool {
	begin := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > begin
}

func (p *jsonParser) number() bool {
	begin := p.at
	p.take('-')
	if !p.take('0') && !p.digits() {
		return false
	}
	if p.take('.') && !p.digits() {
		return false
	}
	exponent := ""
	if p.take('e') || p.take('E') {
		from := p.at
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return false
		}
		exponent = p.text[from:p.at]
	}
	double, err := strconv.ParseFloat(p.text[begin:p.at], 64)
	return err == nil && !(double == 0 && isBeyondDouble(exponent))
}

// isBeyondDouble: "0e9999" is zero times infinity to the server's reader, which
// refuses it. The two must not disagree.
func isBeyondDouble(exponent string) bool {
	number, err := strconv.Atoi(exponent)
	if err != nil { // none, or far too large for an int
		return exponent != "" && exponent[0] != '-'
	}
	return number > 308
}
