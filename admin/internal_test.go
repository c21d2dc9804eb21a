package admin

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

type sample struct {
	ID       int64
	Text     string `db:"size:200"`
	Note     *string
	Number   int32
	Big      uint64
	Real     float64
	Flag     bool
	Maybe    *bool
	At       time.Time
	Soon     *time.Time
	Took     time.Duration
	Price    orm.Decimal `db:"precision:12,scale:2"`
	Token    [16]byte
	Meta     orm.JSON[map[string]any]
	Optional *int64
}

type pairKey struct {
	A string `db:"pk,size:60"`
	B string `db:"pk,size:60"`
}

func testModel[T any](t testing.TB) *model {
	t.Helper()
	db, err := orm.Open("sqlite://:memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p := New(db, Options{})
	if err := register[T](p, nil); err != nil {
		t.Fatal(err)
	}
	return p.models[0]
}

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"OrderLine": "Order line", "order_lines": "Order lines", "ID": "ID", "AuthorID": "Author ID", "HTMLPage": "HTML page", "name": "Name", "X": "X", "": "",
		"Größe": "Größe", "IsOK": "Is OK", "created_at": "Created at", "VAT2": "VAT2",
	} {
		if got := words(name); got != want && !(name == "X" && got == "X") {
			t.Errorf("words(%q) is %q, want %q", name, got, want)
		}
	}
}

// What a field writes it reads back, to the same.
func FuzzFields(f *testing.F) {
	m := testModel[sample](f)
	for _, text := range []string{"", "0", "-1", "1.50", "true", "2026-01-31 12:00:00", "2026-01-31T12:00", "1h30m", "123e4567-e89b-12d3-a456-426614174000", `{"a":[1,null]}`, "a\r\nb", "1e308", "NaN", "\x00", "\xff", "０", " 7 "} {
		for i := range m.fields {
			f.Add(i, text)
		}
	}
	f.Fuzz(func(t *testing.T, n int, text string) {
		field := m.fields[uint(n)%uint(len(m.fields))]
		row := reflect.New(m.typ).Elem()
		if field.parse(row, text) != "" {
			return
		}
		written := field.text(row)
		if !utf8.ValidString(written) {
			t.Fatalf("%s writes %q", field.name, written)
		}
		again := reflect.New(m.typ).Elem()
		if message := field.parse(again, written); message != "" {
			if written == "" {
				return // what may be empty by another way
			}
			t.Fatalf("%s takes %q, writes %q and does not take that: %s", field.name, text, written, message)
		}
		if third := field.text(again); third != written {
			t.Fatalf("%s: %q, then %q", field.name, written, third)
		}
	})
}

// Whatever a key holds, its address is one segment of safe letters and leads back to it.
func FuzzKeys(f *testing.F) {
	m := testModel[pairKey](f)
	for _, pair := range [][2]string{{"", ""}, {"a", "b"}, {"~", "~~"}, {"a/b", ".."}, {"ä", "~41"}, {"-", "%2F"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) || strings.ContainsRune(a+b, 0) || utf8.RuneCountInString(a) > 60 || utf8.RuneCountInString(b) > 60 {
			return
		}
		key := m.keyOf(&pairKey{a, b})
		if strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_~") != "" || key == "" {
			t.Fatalf("the key %q", key)
		}
		where, ok := m.byKey(key)
		if !ok || fmt.Sprint(where) != fmt.Sprint([]any{"a", a, "b", b}) {
			t.Fatalf("%q and %q become %q, and that %q", a, b, key, where)
		}
	})
}

// harmless leaves nothing that a spreadsheet computes, and meant takes away what harmless adds and nothing else.
func FuzzHarmless(f *testing.F) {
	for _, text := range []string{"", "=1", "'=1", "''", "'", "＝", "a", "-1", "\t", "x;=1+1", "x;'=1+1", "x\ty;\"\"-1\"", "\"=1", "a\n- b\n''c''", ";;\r\n@", "x;\t=1", "a\r\n\r\nb\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := harmless(text)
		if cell != "" && strings.ContainsAny(first(cell), formulas) {
			t.Fatalf("%q stays %q", text, cell)
		}
		for i, part := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if i > 0 && strings.ContainsAny(first(strings.TrimLeft(part, `"`)), formulas) {
				t.Fatalf("%q becomes %q, and a spreadsheet computes %q", text, cell, part)
			}
		}
		if back := meant(cell); back != text {
			t.Fatalf("%q becomes %q and then %q", text, cell, back)
		}
	})
}

// FuzzImport reads files: whatever they hold, the rows that come have a line of the file, in order.
func FuzzImport(f *testing.F) {
	m := testModel[sample](f)
	for _, file := range []string{"text,number\na,1\n", "\"a", "a;b\n1;2", "[{}]", "[{\"a\":1}\n,{\"a\":[]}]", "{}\n{}", "[", "{\"a\":", "a\r\nb\r\n", "\xef\xbb\xbfa\n1"} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		lines := strings.Count(file, "\n") + 1
		last := 0
		for row, err := range m.read(strings.NewReader(file)) {
			if err != nil {
				return
			}
			if row.line < max(last, 1) || row.line > lines {
				t.Fatalf("a row in line %d after %d, of %d", row.line, last, lines)
			}
			last = row.line
		}
	})
}
