package static_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
)

func TestETagLists(t *testing.T) {
	app := serve(t, static.FS(fstest.MapFS{"a": {Data: []byte("a")}}, "/"))
	etag := etagOf("a")
	for _, c := range []struct {
		list  string
		match bool
	}{
		{etag, true}, {`"a,b",` + etag, true}, {`W/"x" , ` + etag, true}, {",, " + etag, true}, {"*", true}, {`"x", *`, true},
		{"x, " + etag, false}, {`"open, ` + strings.Trim(etag, `"`), false}, {strings.Trim(etag, `"`), false}, {`""`, false}, {"W/", false}, {`"`, false}, {`" "*`, false}, {`"a b", ` + etag, false},
	} {
		want := map[bool]int{true: 200, false: 412}[c.match]
		if rec := get(app, "/a", "If-Match: "+c.list); rec.Code != want {
			t.Errorf("If-Match %s: %d, want %d", c.list, rec.Code, want)
		}
		want = map[bool]int{true: 304, false: 200}[c.match]
		if rec := get(app, "/a", "If-None-Match: "+c.list); rec.Code != want {
			t.Errorf("If-None-Match %s: %d, want %d", c.list, rec.Code, want)
		}
	}
}

// Whatever the conditions are, an answer has the length that it says, and a 412 is a
// problem, without the headers of the file.
func FuzzConditions(f *testing.F) {
	etag := etagOf("COMPRESSED")
	for _, seed := range [][4]string{
		{etag, "", "", ""}, {"x, " + etag, "", "", ""}, {"*", etag, "bytes=0-1", etag}, {"", `W/"a", ` + etag, "bytes=5-", ""}, {`"\x7f"`, "*", "bytes=-1,0-0", "x"}, {`" "*`, `" "*`, "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	app := ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(static.FS(fstest.MapFS{"a.js": {Data: []byte("plain")}, "a.js.br": {Data: []byte("COMPRESSED")}}, "/"))
	f.Fuzz(func(t *testing.T, match, noneMatch, ranges, ifRange string) {
		rec := get(app, "/a.js", "Accept-Encoding: br", "If-Match: "+match, "If-None-Match: "+noneMatch, "Range: "+ranges, "If-Range: "+ifRange)
		body := rec.Body.String()
		switch rec.Code {
		case 200:
			if body != "COMPRESSED" || rec.Header().Get("Content-Length") != "10" {
				t.Errorf("%q %v", body, rec.Header())
			}
		case 206, 416:
		case 304:
			if body != "" || rec.Header().Get("Etag") != etag {
				t.Errorf("%q %v", body, rec.Header())
			}
		case 412:
			if rec.Header().Get("Etag") != "" || rec.Header().Get("Content-Encoding") != "" || rec.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%q %v", body, rec.Header())
			}
		default:
			t.Errorf("%d %q", rec.Code, body)
		}
	})
}
