package negotiate

import (
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

const (
	html = "text/html"
	json = "application/json"
	xml  = "application/xml"

	chrome  = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
	firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	java    = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
)

func TestBest(t *testing.T) {
	for _, c := range []struct {
		name, accept string
		offers       []string
		want         string
	}{
		{"nothing said, the server's first", "", []string{json, html}, json},
		{"nothing offered", html, nil, ""},
		{"curl", "*/*", []string{json, html}, json},
		{"Chrome at an API that prefers JSON", chrome, []string{json, html}, html},
		{"Firefox at a server that has no page", firefox, []string{json, xml}, xml},
		{"fetch of JavaScript", "*/*", []string{html, json}, html},
		{"axios at a server that prefers pages", "application/json, text/plain, */*", []string{html, json}, json},
		{"jQuery", "application/json, text/javascript, */*; q=0.01", []string{html, json}, json},
		{"old Java", java, []string{json, xml}, json},
		{"old Java gets its page", java, []string{json, html}, html},
		{"the heavier wins", "text/html;q=0.4, application/json;q=0.5", []string{html, json}, json},
		{"equals, the server's order", "application/json, text/html", []string{html, json}, html},
		{"no match", "image/png", []string{html, json}, ""},
		{"refused by zero", "text/html;q=0", []string{html}, ""},
		{"refused among all", "text/html;q=0, */*", []string{html, json}, json},
		{"all refused", "*/*;q=0", []string{html, json}, ""},
		{"subtype wildcard", "text/*", []string{json, html}, html},
		{"precise beats wildcard although lighter", "text/*;q=0.9, text/html;q=0.1, application/json;q=0.5", []string{html, json}, json},
		{"precise of equals", "*/*, text/html", []string{json, html}, html},
		{"case means nothing", "TEXT/HTML;Q=0.5", []string{html}, html},
		{"offers may have parameters", html, []string{"text/html; charset=utf-8"}, "text/html; charset=utf-8"},
		{"offers in capitals", html, []string{"Text/HTML"}, "Text/HTML"},
		{"ranges may have parameters", "application/json; charset=utf-8", []string{html, json}, json},
		{"the plain range is about the plain type", "text/html;level=1, text/html;q=0.3, application/json;q=0.5", []string{html, json}, json},
		{"a comma in quotes separates nothing", `text/plain;a="x, text/html", application/json`, []string{html, json}, json},
		{"a semicolon in quotes separates nothing", `text/html;a=";q=0";q=0.5`, []string{html}, html},
		{"an escaped quote ends nothing", `text/html;a="\",application/json;q=1";q=0.5`, []string{json, html}, html},
		{"open quotes spoil the rest", `application/json, text/html;a="`, []string{html, json}, json},
		{"spaces anywhere", " \ttext/html ;  q=0.5 ,\tapplication/json ; q=0.6\t", []string{html, json}, json},
		{"empty elements", ",,text/html,,", []string{json, html}, html},
		{"only empty elements are nothing said", ",, ,", []string{json, html}, json},
		{"nonsense is nothing said", "text, /html, text/, a b/c, te<xt/html", []string{json, html}, json},
		{"nonsense is skipped", "text/html;q=abc, application/json;q=0.1", []string{html, json}, json},
		{"a weight above one is nonsense", "text/html;q=1.1, application/json;q=0.1", []string{html, json}, json},
		{"a negative weight is nonsense", "text/html;q=-1, application/json;q=0.1", []string{html, json}, json},
		{"no weight after q= is nonsense", "text/html;q=, application/json;q=0.1", []string{html, json}, json},
		{"more decimals than three", "text/html;q=0.3339, application/json;q=0.3331", []string{html, json}, html},
		{"three decimals", "text/html;q=0.333, application/json;q=0.334", []string{html, json}, json},
		{"one, written long", "text/html;q=0.999, application/json;q=1.000", []string{html, json}, json},
		{"the weight need not come last", "text/html;q=0.1;ext=1, application/json;q=0.2", []string{html, json}, json},
		{"a wildcard type with a subtype is nonsense", "*/html, application/json", []string{html, json}, json},
		{"a prefix is not the type", "text/htm, text/html5", []string{html}, ""},
		{"the ninth offer", "a/i", strings.Fields("a/a a/b a/c a/d a/e a/f a/g a/h a/i a/j"), "a/i"},
		{"the best of many", "a/*;q=0.5, a/b;q=0.6, a/j;q=0.7", strings.Fields("a/a a/b a/c a/d a/e a/f a/g a/h a/i a/j"), "a/j"},
		{"GraphQL", "application/graphql-response+json, application/json;q=0.9", []string{json, "application/graphql-response+json"}, "application/graphql-response+json"},
		{"server-sent events", "text/event-stream", []string{json, "application/x-ndjson", "text/event-stream"}, "text/event-stream"},
	} {
		if got := Best(c.accept, c.offers...); got != c.want {
			t.Errorf("%s: Best(%q, %q) = %q, want %q", c.name, c.accept, c.offers, got, c.want)
		}
	}
}

func TestAccepts(t *testing.T) {
	for _, c := range []struct {
		accept, mediaType string
		want              float64
	}{
		{"", html, 1}, {chrome, html, 1}, {chrome, json, 0.8}, {chrome, xml, 0.9}, {"text/html;q=0.123", html, 0.123},
		{"text/html;q=0", html, 0}, {"text/plain", html, 0}, {"*/*;q=0.001", html, 0.001}, {"text/html;q=0.5, text/html;q=0.7", html, 0.7},
	} {
		if got := Accepts(c.accept, c.mediaType); got != c.want {
			t.Errorf("Accepts(%q, %q) = %v, want %v", c.accept, c.mediaType, got, c.want)
		}
	}
}

func TestEncoding(t *testing.T) {
	for _, c := range []struct {
		name, header string
		offers       []string
		want         string
	}{
		{"nothing said", "", []string{"br", "gzip"}, Identity},
		{"nothing offered", "gzip", nil, Identity},
		{"browser", "gzip, deflate, br, zstd", []string{"zstd", "br", "gzip"}, "zstd"},
		{"the server's order", "gzip, br", []string{"br", "gzip"}, "br"},
		{"the heavier wins", "br;q=0.5, gzip;q=0.8", []string{"br", "gzip"}, "gzip"},
		{"unknown", "sdch", []string{"br", "gzip"}, Identity},
		{"refused", "gzip;q=0", []string{"gzip"}, Identity},
		{"anything", "*", []string{"br", "gzip"}, "br"},
		{"anything but one", "br;q=0, *", []string{"br", "gzip"}, "gzip"},
		{"identity named heavier", "gzip;q=0.5, identity", []string{"gzip"}, Identity},
		{"identity named lighter", "gzip;q=0.5, identity;q=0.1", []string{"gzip"}, "gzip"},
		{"identity named equal", "gzip, identity", []string{"gzip"}, "gzip"},
		{"identity refused", "identity;q=0", []string{"gzip"}, ""},
		{"identity refused, one wanted", "identity;q=0, gzip", []string{"gzip"}, "gzip"},
		{"all refused", "*;q=0", []string{"gzip"}, ""},
		{"all refused but identity", "*;q=0, identity", []string{"gzip"}, Identity},
		{"all refused but gzip", "gzip, *;q=0", []string{"br", "gzip"}, "gzip"},
		{"old name", "x-gzip", []string{"gzip"}, "gzip"},
		{"case", "GZIP", []string{"gzip"}, "gzip"},
		{"nonsense", "gzip;q=x, ;;, ,", []string{"gzip"}, Identity},
		{"range request of a browser", "identity;q=1, *;q=0", []string{"gzip"}, Identity},
		{"identity as an offer", "gzip;q=0.5", []string{"identity", "gzip"}, "gzip"},
	} {
		if got := Encoding(c.header, c.offers...); got != c.want {
			t.Errorf("%s: Encoding(%q, %q) = %q, want %q", c.name, c.header, c.offers, got, c.want)
		}
	}
}

// The relatives of CVE-2025-47908, a header of nothing but commas, cost linear time and no memory.
func TestHostileHeaders(t *testing.T) {
	for name, header := range map[string]string{
		"commas":            strings.Repeat(",", 8<<10),
		"semicolons":        html + strings.Repeat(";", 8<<10),
		"quotes":            html + `;a=` + strings.Repeat(`"`, 8<<10),
		"backslashes":       html + `;a="` + strings.Repeat(`\`, 8<<10),
		"open quotes":       strings.Repeat(`a/b;c=",`, 1<<10),
		"spaces":            strings.Repeat(" ", 8<<10),
		"many types":        strings.Repeat("text/a,", 1<<10),
		"many digits":       "text/html;q=0." + strings.Repeat("9", 8<<10),
		"ten thousand zero": strings.Repeat("*/*;q=0,", 1<<10),
	} {
		if n := testing.AllocsPerRun(5, func() {
			Best(header, json, html)
			Accepts(header, html)
			Encoding(header, "br", "gzip")
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		testenv.Linear(t, name, 16, func(n int) func() {
			long := strings.Repeat(header, n) // up to a mebibyte
			return func() {
				Best(long, json, html)
				Encoding(long, "br", "gzip")
			}
		})
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, header := range []string{"", chrome, java, `a/b;c="d,e\"";q=0.5, */*;q=0`, ",;=,q=1", "gzip;q=0, *"} {
		f.Add(header)
	}
	offers := []string{html, json, "image/png"}
	f.Fuzz(func(t *testing.T, header string) {
		best := Best(header, offers...)
		for _, offer := range offers {
			weight := Accepts(header, offer)
			switch {
			case weight < 0 || weight > 1:
				t.Fatalf("Accepts(%q, %q) = %v", header, offer, weight)
			case best == "" && weight > 0:
				t.Fatalf("Best(%q) is nothing, but %q has weight %v", header, offer, weight)
			case best != "" && weight > Accepts(header, best):
				t.Fatalf("Best(%q) is %q, but %q is heavier", header, best, offer)
			}
		}
		if best != "" && Accepts(header, best) == 0 {
			t.Fatalf("Best(%q) is %q, which has no weight", header, best)
		}
		if e := Encoding(header, "br", "gzip"); e != "br" && e != "gzip" && e != Identity && e != "" {
			t.Fatalf("Encoding(%q) = %q", header, e)
		}
		if Best(","+header+" ,", offers...) != best && !strings.ContainsAny(header, `"\`) {
			t.Fatalf("empty elements change the answer to %q", header)
		}
	})
}

func BenchmarkBest(b *testing.B) {
	for _, c := range []struct{ name, accept string }{{"curl", "*/*"}, {"chrome", chrome}, {"commas8k", strings.Repeat(",", 8<<10)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Best(c.accept, json, html)
			}
		})
	}
}
