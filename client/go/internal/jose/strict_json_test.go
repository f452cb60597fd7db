package jose

import (
	"strconv"
	"strings"
	"testing"
)

func parses(text string) bool {
	_, ok := parseStrictJSON([]byte(text))
	return ok
}

func TestJSONIsRead(t *testing.T) {
	value, ok := parseStrictJSON([]byte(" {\"a\":[1,-2,2.5,true,null,\"\\u00e9\\ud83d\\ude00\\n\"],\"b\":{\"a\":{}}} \n"))
	if !ok || value.find("a").elements[5].text != "é😀\n" || value.find("b").raw != `{"a":{}}` {
		t.Errorf("%v, %+v", ok, value)
	}
}

func TestWhatIsNotStrictJSONIsRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := "{"
	for i := range 500 {
		many += `"m` + strconv.Itoa(i) + `":0,`
	}
	for text, want := range map[string]bool{
		`{"a":1,"b":1}`:                  true,
		`{"a":1,"a":1}`:                  false,
		`{"sub":1,"s\u0075b":2}`:         false,
		`{"a/b":1,"a\/b":2}`:             false,
		"{\"\xc3\xa9\":1,\"\\u00e9\":2}": false,
		`[{"a":{"b":1}},{"a":{"b":1}}]`:  true,
		`[{"x":[{"b":1,"b":1}]}]`:        false,
		many + `"last":0}`:               true,
		many + `"m7":0}`:                 false,
		deep(32):                         true,
		deep(33):                         false,
		deep(100_000):                    false,
		"[1e308,-1e308,0e300,1e-400,18446744073709551616]": true,
		"[1e999]":            false,
		"[-1e999]":           false,
		"[0e4441]":           false,
		"[0e-4441]":          true,
		"":                   false,
		" ":                  false,
		"1 2":                false,
		"[1,]":               false,
		"{,}":                false,
		`{"a"}`:              false,
		`{a:1}`:              false,
		`{"a":1,}`:           false,
		"[01]":               false,
		"[-]":                false,
		"[+1]":               false,
		"[.5]":               false,
		"[1.]":               false,
		"[1e]":               false,
		"[0x1]":              false,
		"[NaN]":              false,
		"[Infinity]":         false,
		"[tru]":              false,
		"[1]//":              false,
		"/**/[1]":            false,
		"\xef\xbb\xbf[1]":    false,
		"[\"\x01\"]":         false,
		"[\"\xff\"]":         false,
		"[\"\xed\xa0\x80\"]": false, // half of a pair in UTF-8
		`["\ud800"]`:         false,
		`["\ud800\u0041"]`:   false,
		`["\udc00"]`:         false,
		`["\x"]`:             false,
		`["\u12"]`:           false,
		`["\u00 1"]`:         false,
		`["\u00g1"]`:         false,
		`["\u00FA"]`:         true,
		`["a`:                false,
		`["\`:                false,
		`["\u`:               false,
		"[\x00]":             false,
		"[1]\x00":            false,
	} {
		if parses(text) != want {
			t.Errorf("%.60q: want %v", text, want)
		}
	}
}

func FuzzStrictJSONNeverAcceptsWhatTheLibraryRefuses(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\u00e9",{"b":null}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, ok := parseStrictJSON(text); ok && !libraryAccepts(text) {
			t.Errorf("accepted %q", text)
		}
	})
}

func FuzzParseNeverPanics(f *testing.F) {
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		if token, reason := Parse(text); (token == nil) == (reason == "") {
			t.Error("neither a token nor a reason")
		}
	})
}
