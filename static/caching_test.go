package static_test

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
)

// hashOf is the hash that stands in names and ETags.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

func etagOf(text string) string { return `"` + hashOf(text) + `"` }

func assets(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"app.css": "body{}", "css/deep.css": "p{}", "LICENSE": "free", "a b.tar.gz": "tar", "lib.0123456789abcdef.js": "built",
		"dist/index-Bx.js": "bundle",
	})
	return dir
}

func TestAddresses(t *testing.T) {
	files := static.Dir(assets(t), "/static/")
	if got := files.URL("app.css"); got != "/static/app.css" {
		t.Errorf("before it is installed: %s", got)
	}
	app := serve(t, files)
	for _, c := range []struct{ name, want string }{
		{"app.css", "/static/app." + hashOf("body{}")[:16] + ".css"},
		{"/app.css", "/static/app." + hashOf("body{}")[:16] + ".css"},
		{"css/deep.css", "/static/css/deep." + hashOf("p{}")[:16] + ".css"},
		{"LICENSE", "/static/LICENSE." + hashOf("free")[:16]},
		{"a b.tar.gz", "/static/a%20b.tar." + hashOf("tar")[:16] + ".gz"},
		{"lib.0123456789abcdef.js", "/static/lib.0123456789abcdef." + hashOf("built")[:16] + ".js"},
	} {
		got := files.URL(c.name)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if rec := get(app, got); rec.Code != 200 || rec.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %v", got, rec.Code, rec.Header())
		}
	}
	for name, want := range map[string]string{
		"none.css": "/static/none.css", "../x": "/static/../x", "css": "/static/css", "": "/static/", ".env": "/static/.env", "a?b": "/static/a%3Fb",
	} {
		if got := files.URL(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	plain, err := app.URL("static", "path", "css/deep.css")
	if err != nil || plain != "/static/css/deep.css" {
		t.Errorf("%s, %v", plain, err)
	}
	if served, ok := static.Served.Of(app.Lookup("static")); !ok || served != files {
		t.Errorf("the route is annotated with %v, %v", served, ok)
	}
}

func TestCacheRules(t *testing.T) {
	dir := assets(t)
	hashed := "/static/app." + hashOf("body{}")[:16] + ".css"
	for _, c := range []struct {
		name    string
		options static.Options
		path    string
		want    string
	}{
		{"plain", static.Options{}, "/static/app.css", "no-cache"},
		{"hashed", static.Options{}, hashed, "public, max-age=31536000, immutable"},
		{"name that looks hashed", static.Options{}, "/static/lib.0123456789abcdef.js", "no-cache"},
		{"for an hour", static.Options{MaxAge: time.Hour}, "/static/app.css", "public, max-age=3600"},
		{"hashed beside an hour", static.Options{MaxAge: time.Hour}, hashed, "public, max-age=31536000, immutable"},
		{"longer than a year", static.Options{MaxAge: 1e6 * time.Hour}, "/static/app.css", "public, max-age=31536000"},
		{"private", static.Options{Private: true}, "/static/app.css", "private, no-cache"},
		{"private and hashed", static.Options{Private: true}, hashed, "private, max-age=31536000, immutable"},
		{"private for an hour", static.Options{Private: true, MaxAge: time.Hour}, "/static/app.css", "private, max-age=3600"},
		{"page of the fallback", static.Options{MaxAge: time.Hour, Fallback: "app.css"}, "/static/", "no-cache"},
		{"named by a build tool", static.Options{Immutable: func(name string) bool { return strings.HasPrefix(name, "dist/") }},
			"/static/dist/index-Bx.js", "public, max-age=31536000, immutable"},
		{"not named by it", static.Options{Immutable: func(name string) bool { return strings.HasPrefix(name, "dist/") }}, "/static/app.css", "no-cache"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := serve(t, static.Dir(dir, "/static", c.options))
			rec := get(app, c.path)
			if rec.Code != 200 || rec.Header().Get("Cache-Control") != c.want {
				t.Fatalf("%d %v", rec.Code, rec.Header())
			}
			again := get(app, c.path, "If-None-Match: "+rec.Header().Get("Etag"))
			if again.Code != 304 || again.Header().Get("Cache-Control") != c.want {
				t.Errorf("the second time: %d %v", again.Code, again.Header())
			}
			for _, missing := range []string{"/static/none.css", "/static/app.0123456789abcdef.css"} {
				if rec := get(app, missing); rec.Code != 404 || rec.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s: %d %v", missing, rec.Code, rec.Header())
				}
			}
		})
	}
}

// A hook that has set Cache-Control, such as one that shows who is signed in, wins.
func TestHookSetsCacheControl(t *testing.T) {
	app := ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Before(func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("Cache-Control", "no-store")
		return nil, nil
	})
	app.Install(static.Dir(assets(t), "/static"))
	if got := get(app, "/static/app.css").Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %s", got)
	}
}

func TestConditions(t *testing.T) {
	app := serve(t, static.Dir(assets(t), "/static"))
	etag, date := etagOf("body{}"), long.Format(http.TimeFormat)
	before, after := long.Add(-time.Hour).Format(http.TimeFormat), long.Add(time.Hour).Format(http.TimeFormat)
	for _, c := range []struct {
		name    string
		headers []string
		status  int
		body    string
	}{
		{"none", nil, 200, "body{}"},
		{"same ETag", []string{"If-None-Match: " + etag}, 304, ""},
		{"same ETag, weak", []string{"If-None-Match: W/" + etag}, 304, ""},
		{"one of several", []string{`If-None-Match: "x", ` + etag + `, "y"`}, 304, ""},
		{"one of several lines", []string{`If-None-Match: "x"`, "If-None-Match: " + etag}, 304, ""},
		{"any", []string{"If-None-Match: *"}, 304, ""},
		{"other ETag", []string{`If-None-Match: "x"`}, 200, "body{}"},
		{"other ETag beats the date", []string{`If-None-Match: "x"`, "If-Modified-Since: " + after}, 200, "body{}"},
		{"not modified since", []string{"If-Modified-Since: " + date}, 304, ""},
		{"modified since", []string{"If-Modified-Since: " + before}, 200, "body{}"},
		{"no date", []string{"If-Modified-Since: yesterday"}, 200, "body{}"},
		{"if it is the same", []string{"If-Match: " + etag}, 200, "body{}"},
		{"if it is any", []string{"If-Match: *"}, 200, "body{}"},
		{"if it is another", []string{`If-Match: "x"`}, 412, ""},
		{"if it is the same, weakly", []string{"If-Match: W/" + etag}, 412, ""},
		{"unmodified since", []string{"If-Unmodified-Since: " + date}, 200, "body{}"},
		{"not unmodified since", []string{"If-Unmodified-Since: " + before}, 412, ""},
		{"both the same", []string{"If-Match: " + etag, "If-None-Match: " + etag}, 304, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := get(app, "/static/app.css", c.headers...)
			if rec.Code != c.status || c.body != "" && rec.Body.String() != c.body {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			if rec.Code == 304 && (rec.Body.Len() > 0 || rec.Header().Get("Etag") != etag || rec.Header().Get("Content-Type") != "") {
				t.Errorf("%v %s", rec.Header(), rec.Body)
			}
			if rec.Code == 412 && rec.Header().Get("Etag") != "" {
				t.Errorf("the problem has the file's ETag: %v", rec.Header())
			}
		})
	}
}

func TestRanges(t *testing.T) {
	app := serve(t, static.FS(fstest.MapFS{"digits": {Data: []byte("0123456789")}}, "/static"))
	etag := etagOf("0123456789")
	for _, c := range []struct {
		headers   []string
		status    int
		body, of  string
		cacheable bool
	}{
		{[]string{"Range: bytes=2-4"}, 206, "234", "bytes 2-4/10", true},
		{[]string{"Range: bytes=-3"}, 206, "789", "bytes 7-9/10", true},
		{[]string{"Range: bytes=8-"}, 206, "89", "bytes 8-9/10", true},
		{[]string{"Range: bytes=20-"}, 416, "", "bytes */10", false},
		{[]string{"Range: lines=1-2"}, 416, "", "", false},
		{[]string{"Range: bytes=2-4", "If-Range: " + etag}, 206, "234", "bytes 2-4/10", true},
		{[]string{"Range: bytes=2-4", `If-Range: "x"`}, 200, "0123456789", "", true},
		{[]string{"Range: bytes=2-4", "If-None-Match: " + etag}, 304, "", "", true},
		{[]string{"Range: bytes=" + strings.Repeat("0-9,", 1000) + "0-9"}, 200, "0123456789", "", true},
	} {
		rec := get(app, "/static/digits", c.headers...)
		if rec.Code != c.status || c.body != "" && rec.Body.String() != c.body || rec.Header().Get("Content-Range") != c.of {
			t.Errorf("%.60q: %d %s %v", c.headers, rec.Code, rec.Body, rec.Header())
		}
		if got := rec.Header().Get("Cache-Control") != ""; got != c.cacheable {
			t.Errorf("%.60q: Cache-Control %q", c.headers, rec.Header().Get("Cache-Control"))
		}
	}
	if rec := get(app, "/static/digits", "Range: bytes=0-1,4-5"); rec.Code != 206 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "multipart/byteranges") {
		t.Errorf("two ranges: %d %v", rec.Code, rec.Header())
	}
}

// The address with a hash gives that content or none.
func TestFileThatChanges(t *testing.T) {
	for _, debug := range []bool{false, true} {
		dir := assets(t)
		files := static.Dir(dir, "/static")
		app := serve(t, files, ishaa.Config{Debug: debug})
		old := files.URL("app.css")
		if rec := get(app, old); rec.Body.String() != "body{}" {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		write(t, dir, map[string]string{"app.css": "main{}"}) // of the same size
		touch(t, filepath.Join(dir, "app.css"), long.Add(time.Second))
		if debug && files.URL("app.css") == old {
			t.Error("the address is still that of the old content")
		}
		if rec := get(app, old); rec.Code != 404 {
			t.Errorf("old address, debug %v: %d %s", debug, rec.Code, rec.Body)
		}
		now := files.URL("app.css")
		if rec := get(app, now); rec.Code != 200 || rec.Body.String() != "main{}" || rec.Header().Get("Etag") != etagOf("main{}") {
			t.Errorf("%s, debug %v: %d %s", now, debug, rec.Code, rec.Body)
		}
		if rec := get(app, "/static/app.css", "If-None-Match: "+etagOf("body{}")); rec.Code != 200 {
			t.Errorf("plain address with the old ETag: %d", rec.Code)
		}
		if err := os.Remove(filepath.Join(dir, "app.css")); err != nil {
			t.Fatal(err)
		}
		if rec := get(app, now); rec.Code != 404 {
			t.Errorf("after it is gone, debug %v: %d", debug, rec.Code)
		}
		if got := files.URL("app.css"); got != "/static/app.css" {
			t.Errorf("the address of what is gone: %s", got)
		}
	}
}

// A file that is written twice at one time of the disk's clock is not taken for what
// it was.
func TestFileThatChangesAtOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	at := time.Now().Add(time.Hour) // never old enough
	put := func(text string) {
		write(t, dir, map[string]string{"a.txt": text})
		touch(t, file, at)
	}
	put("one")
	app := serve(t, static.Dir(dir, "/"))
	for _, text := range []string{"one", "two", "six"} {
		put(text)
		if rec := get(app, "/a.txt"); rec.Body.String() != text || rec.Header().Get("Etag") != etagOf(text) {
			t.Errorf("%s: %s %s", text, rec.Body, rec.Header().Get("Etag"))
		}
	}
}

// A large file has an ETag of its time and size, and no address with a hash.
func TestLargeFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "film.mp4")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 32<<20+1); err != nil {
		t.Fatal(err)
	}
	touch(t, file, long)
	files := static.Dir(dir, "/")
	app := serve(t, files)
	if got := files.URL("film.mp4"); got != "/film.mp4" {
		t.Errorf("address %s", got)
	}
	rec := do(app, "HEAD", "/film.mp4")
	if rec.Code != 200 || rec.Header().Get("Content-Length") != "33554433" || strings.HasPrefix(rec.Header().Get("Etag"), "W/") {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	if again := get(app, "/film.mp4", "If-None-Match: "+rec.Header().Get("Etag")); again.Code != 304 {
		t.Errorf("%d", again.Code)
	}
	touch(t, file, long.Add(time.Second))
	if again := get(app, "/film.mp4", "If-None-Match: "+rec.Header().Get("Etag"), "Range: bytes=0-3"); again.Code != 206 {
		t.Errorf("after a change: %d", again.Code)
	}
}
