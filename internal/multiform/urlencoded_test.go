package multiform

import (
	"bytes"
	"fmt"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

const urlencoded = "application/x-www-form-urlencoded"

func TestURLEncoded(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      url.Values
		status    int
	}{
		{"nothing", "", url.Values{}, 0},
		{"pairs", "a=1&b=2&a=3", url.Values{"a": {"1", "3"}, "b": {"2"}}, 0},
		{"escapes and plus", "na+me=a%26b%3Dc+d", url.Values{"na me": {"a&b=c d"}}, 0},
		{"no value", "a&b=", url.Values{"a": {""}, "b": {""}}, 0},
		{"no name", "=v", url.Values{"": {"v"}}, 0},
		{"empty pairs", "&&a=1&&", url.Values{"a": {"1"}}, 0},
		{"the second = belongs to the value", "a=b=c", url.Values{"a": {"b=c"}}, 0},
		{"a semicolon separates nothing", "a=1;b=2", url.Values{"a": {"1;b=2"}}, 0},
		{"umlauts, raw and escaped", "ü=%C3%BC", url.Values{"ü": {"ü"}}, 0},
		{"an index is a name (CVE-2025-48075)", "a[999999999]=1&a[-1]=1&a.99999999.b=1",
			url.Values{"a[999999999]": {"1"}, "a[-1]": {"1"}, "a.99999999.b": {"1"}}, 0},
		{"NUL is a character", "a=%00", url.Values{"a": {"\x00"}}, 0},
		{"half an escape", "a=%4", nil, 400},
		{"no escape", "a=100%", nil, 400},
		{"not hexadecimal", "%zz=1", nil, 400},
		{"value not UTF-8", "a=%ff", nil, 400},
		{"name not UTF-8", "\xc3\x28=1", nil, 400},
		{"half a surrogate", "a=%ED%A0%80", nil, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			form, err := Parse(strings.NewReader(c.raw), urlencoded, Limits{})
			if c.status != 0 {
				wantStatus(t, err, c.status)
				return
			}
			if err != nil || !reflect.DeepEqual(form.Values, c.want) {
				t.Fatalf("got %v, %v, want %v", form, err, c.want)
			}
			if form.Close() != nil || form.Files != nil {
				t.Error("a urlencoded form has files")
			}
		})
	}
}

func TestURLEncodedOrder(t *testing.T) {
	form, err := Parse(strings.NewReader("b=1&a=2&b=3"), urlencoded, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(form.Order); got != "[{b 1  <nil>} {a 2  <nil>} {b 3  <nil>}]" {
		t.Errorf("order is %s", got)
	}
}

func TestURLEncodedLimits(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		limits    Limits
		ok        bool
	}{
		{"fields fit", "a=1&b=2", Limits{MaxFields: 2}, true},
		{"one field too many", "a=1&b=2&c", Limits{MaxFields: 2}, false},
		{"bytes fit", "a=1&b=2", Limits{MaxBytes: 7}, true},
		{"one byte too many", "a=1&b=2", Limits{MaxBytes: 6}, false},
		{"one byte too many for memory", "a=1&b=2", Limits{MaxFormBytes: 6}, false},
		{"value fits", "a=%41%41", Limits{MaxValueBytes: 2}, true},
		{"value one byte too long", "a=%41%41b", Limits{MaxValueBytes: 2}, false},
	} {
		form, err := Parse(strings.NewReader(c.raw), urlencoded, c.limits)
		if c.ok && (err != nil || form == nil) {
			t.Errorf("%s: %v", c.name, err)
		} else if !c.ok {
			t.Run(c.name, func(t *testing.T) { wantStatus(t, err, 413) })
		}
	}
}

// CVE-2025-61726: a million different names are refused at once, and no map of them is made.
func TestMillionKeys(t *testing.T) {
	manyKeys := func(n int) string {
		var raw bytes.Buffer
		for i := range n {
			fmt.Fprintf(&raw, "k%d=&", i)
		}
		return raw.String()
	}
	testenv.Linear(t, "names", 125_000, func(n int) func() {
		text := manyKeys(n)
		return func() {
			_, _ = Parse(strings.NewReader(text), urlencoded, Limits{MaxBytes: -1, MaxFormBytes: -1})
			_, _ = ParseQuery(text, 0)
		}
	})
	text := manyKeys(1_000_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse(strings.NewReader(text), urlencoded, Limits{MaxBytes: -1, MaxFormBytes: -1})
	wantStatus(t, err, 413)
	_, err = ParseQuery(text, 0)
	wantStatus(t, err, 400)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1*mib {
		t.Errorf("%d KiB were allocated", grown>>10)
	}
}

func TestParseQueryKeepsWhatIsGood(t *testing.T) {
	values, err := ParseQuery("a=1&b=%zz&c=%ff&a=2&%=3&d", 0)
	wantStatus(t, err, 400)
	if want := (url.Values{"a": {"1", "2"}, "d": {""}}); !reflect.DeepEqual(values, want) {
		t.Errorf("values are %v, want %v", values, want)
	}
	if values, err := ParseQuery("", 0); err != nil || values == nil {
		t.Errorf("an empty query gave %v, %v", values, err)
	}
	if values, err := ParseQuery("a&b&c", 2); err == nil || len(values) != 0 {
		t.Errorf("three parameters where two are allowed gave %v, %v", values, err)
	}
	if values, err := ParseQuery(strings.Repeat("a&", 5000), -1); err != nil || len(values["a"]) != 5000 {
		t.Errorf("without a limit: %d values, %v", len(values["a"]), err)
	}
}

func TestValuesOfOneNameDoNotOverwriteTheNext(t *testing.T) {
	values, err := ParseQuery("a=1&b=2&a=3&c=4&b=5", 0)
	if err != nil {
		t.Fatal(err)
	}
	values.Add("a", "6")
	if want := (url.Values{"a": {"1", "3", "6"}, "b": {"2", "5"}, "c": {"4"}}); !reflect.DeepEqual(values, want) {
		t.Errorf("values are %v, want %v", values, want)
	}
}

func BenchmarkParseQuery(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseQuery("page=2&limit=50&sort=name&q=caf%C3%A9", 0); err != nil {
			b.Fatal(err)
		}
	}
}
