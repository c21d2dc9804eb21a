package strictjson_test

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

func TestCheckRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "line 1, column 1: expected a value, found the end of the text"},
		{"only white space", " \n ", "line 2, column 2: expected a value, found the end of the text"},
		{"two values", "1 2", "line 1, column 3: expected the end of the text, found '2'"},
		{"byte order mark", "\xef\xbb\xbf1", "line 1, column 1: byte order mark; send UTF-8 without one"},
		{"duplicate key", "{\"name\":1,\n \"b\":2,\n     \"name\":3}", `line 3, column 6: duplicate key "name"`},
		{"duplicate key by escape", `{"a":1,"\u0061":2}`, `line 1, column 8: duplicate key "a"`},
		{"duplicate of an escaped key", `{"\u0061":1,"a":2}`, `line 1, column 13: duplicate key "a"`},
		{"two escaped duplicates", `{"\u0061b":1,"c":0,"a\u0062":2}`, `line 1, column 20: duplicate key "ab"`},
		{"duplicate empty key", `{"":1,"":2}`, `line 1, column 7: duplicate key ""`},
		{"duplicate in a nested object", `[{"a":{"b":1,"b":2}}]`, `line 1, column 14: duplicate key "b"`},
		{"duplicate behind a nested object", `{"a":{"b":1},"a":2}`, `line 1, column 14: duplicate key "a"`},
		{"long duplicate is cut", `{"` + strings.Repeat("é", 50) + `":1,"` + strings.Repeat("é", 50) + `":1}`,
			`line 1, column 57: duplicate key "` + strings.Repeat("é", 32) + `"…`},
		{"column counts characters", "[\"é日😀\",x]", "line 1, column 8: expected a value, found 'x'"},
		{"lone high surrogate", `"\ud800"`, "line 1, column 2: half of a surrogate pair is not a character"},
		{"lone low surrogate", `"a\udc00"`, "line 1, column 3: half of a surrogate pair is not a character"},
		{"high surrogate twice", `"\ud800\ud800"`, "line 1, column 2: half of a surrogate pair is not a character"},
		{"lone surrogate in a key", `{"\udfff":1}`, "line 1, column 3: half of a surrogate pair is not a character"},
		{"invalid UTF-8", "\"a\xff\"", "line 1, column 3: the octet 0xff is not UTF-8 here"},
		{"overlong UTF-8", "\"\xc0\xaf\"", "line 1, column 2: the octet 0xc0 is not UTF-8 here"},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", "line 1, column 2: the octet 0xed is not UTF-8 here"},
		{"invalid UTF-8 outside strings", "[\xff]", "line 1, column 2: expected a value, found the octet 0xff"},
		{"control character", "\"a\nb\"", `line 1, column 3: control character 0x0a in a string; write it as \u000a`},
		{"control character late", "\"12345678901\x1f5\"", `line 1, column 13: control character 0x1f in a string; write it as \u001f`},
		{"open string", `["abc`, "line 1, column 2: the string that begins here has no closing quote"},
		{"unknown escape", `"\x41"`, `line 1, column 2: unknown escape \x`},
		{"short unicode escape", `"\u12"`, `line 1, column 2: \u takes four hexadecimal digits`},
		{"end in an escape", `"\`, "line 1, column 2: the text ends inside an escape"},
		{"leading zero", "012", "line 1, column 2: expected the end of the text, found '1'"},
		{"plus", "+1", "line 1, column 1: expected a value, found '+'"},
		{"lone minus", "-", "line 1, column 2: expected a digit, found the end of the text"},
		{"no fraction", "1.", "line 1, column 3: expected a digit after the decimal point, found the end of the text"},
		{"no exponent", "1e+", "line 1, column 4: expected a digit in the exponent, found the end of the text"},
		{"not a number", "NaN", "line 1, column 1: expected a value, found 'N'"},
		{"misspelt literal", "[tru]", "line 1, column 2: expected a value, found 't'"},
		{"trailing comma", "[1,]", "line 1, column 4: expected a value, found ']'"},
		{"trailing comma in an object", `{"a":1,}`, "line 1, column 8: expected a name in double quotes, found '}'"},
		{"missing comma", "[1 2]", "line 1, column 4: expected ',' or ']', found '2'"},
		{"missing colon", `{"a" 1}`, "line 1, column 6: expected ':' after the name, found '1'"},
		{"wrong bracket", "[1}", "line 1, column 3: expected ',' or ']', found '}'"},
		{"open object", `{"a":1`, "line 1, column 7: expected ',' or '}', found the end of the text"},
		{"comment", "/* */ 1", "line 1, column 1: expected a value, found '/'"},
		{"too deep", strings.Repeat("[", 5) + strings.Repeat("]", 5), "line 1, column 5: nested deeper than 4 levels"},
		{"too deep, empty", "[[[[{}]]]]", "line 1, column 5: nested deeper than 4 levels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := strictjson.Check([]byte(c.text), 4)
			var syntax *strictjson.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("Check(%q) = %v, want a SyntaxError", c.text, err)
			}
			if got := err.Error(); got != c.want {
				t.Errorf("Check(%q)\n got %s\nwant %s", c.text, got, c.want)
			}
		})
	}
}

func TestCheckAccepts(t *testing.T) {
	for _, text := range []string{
		"0", "-0", "1e999", "-1.5E-3", `""`, `"\ud83d\ude00"`, "\"\u007f\"", "\t[\r\n]  ", "{}", "null", "true", " false ",
		`{"a":{"a":{"a":[]}},"b":[{"a":1},{"a":2}]}`, `{"A":1,"a":2}`, `"\"\\\/\b\f\n\r\t\u0000"`, "[[[[]]]]",
	} {
		if err := strictjson.Check([]byte(text), 4); err != nil {
			t.Errorf("Check(%q) = %v", text, err)
		}
	}
}

func TestCheckSyntaxLeavesDuplicatesToTheCaller(t *testing.T) {
	if err := strictjson.CheckSyntax([]byte(`{"a":1,"a":{"b":1,"b":2}}`), 0); err != nil {
		t.Error(err)
	}
	if err := strictjson.CheckSyntax([]byte(`{"a":1,"a"}`), 0); err == nil {
		t.Error("a member without a value was accepted")
	}
}

func TestDepthDefaultsTo64AndEndsAt10000(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	for _, c := range []struct {
		depth, limit int
		ok           bool
	}{{64, 0, true}, {65, 0, false}, {64, -1, true}, {10_000, 1 << 40, true}, {10_001, 1 << 40, false}, {1 << 20, 1 << 40, false}} {
		if err := strictjson.Check(nested(c.depth), c.limit); (err == nil) != c.ok {
			t.Errorf("depth %d, limit %d: %v", c.depth, c.limit, err)
		}
	}
}

// Every name is compared with every other, wherever the two stand and whatever the object's size.
func TestDuplicatesAreFoundInObjectsOfEverySize(t *testing.T) {
	for _, size := range []int{2, 15, 16, 17, 18, 63, 64, 65, 300, 5000} {
		for _, escaped := range []bool{false, true} {
			for _, first := range []int{0, (size - 1) / 2, size - 2} {
				var b strings.Builder
				b.WriteByte('{')
				for i := range size - 1 {
					if escaped && i%2 == 0 {
						fmt.Fprintf(&b, `"\u006b%d":{"k0":1},`, i)
					} else {
						fmt.Fprintf(&b, `"k%d":{"k0":1},`, i)
					}
				}
				distinct := b.String() + `"z":0}`
				if err := strictjson.Check([]byte(distinct), 0); err != nil {
					t.Fatalf("size %d: %v", size, err)
				}
				repeated := b.String() + fmt.Sprintf(`"k%d":0}`, first)
				err := strictjson.Check([]byte(repeated), 0)
				if want := fmt.Sprintf(`duplicate key "k%d"`, first); err == nil || !strings.HasSuffix(err.Error(), want) {
					t.Fatalf("size %d, name %d: got %v, want %s", size, first, err, want)
				}
			}
		}
	}
}

func manyKeys(n int, prefix string) []byte {
	b := make([]byte, 0, n*16)
	b = append(b, '{')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, '"'), prefix...)
		b = append(strconv.AppendInt(b, int64(i), 10), `":0`...)
	}
	return append(b, '}')
}

// A quadratic comparison of a million names takes minutes.
func TestAMillionKeysStayFastAndSmall(t *testing.T) {
	for _, prefix := range []string{"k", `\u006b`} {
		testenv.Linear(t, prefix, 5_000, func(n int) func() {
			text := manyKeys(n, prefix)
			return func() {
				if err := strictjson.Check(text, 0); err != nil {
					t.Fatal(err)
				}
			}
		})
		if t.Failed() {
			return
		}
		text := manyKeys(1_000_000, prefix)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := strictjson.Check(text, 0); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 200<<20 {
			t.Errorf("allocated %d MiB in all for a text of %d MiB", took>>20, len(text)>>20)
		}
	}
}

func TestSmallTextsAreCheckedWithoutAllocating(t *testing.T) {
	text := []byte(`{"id":1,"name":"Ada \"L\"","tags":["a","b"],"address":{"street":"x","no":1.5,"ok":true},"n":null}`)
	if n := testing.AllocsPerRun(100, func() { _ = strictjson.Check(text, 0) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
