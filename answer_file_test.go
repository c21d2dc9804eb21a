package ishaa_test

import (
	"errors"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ishaa-framework/ishaa"
)

var fileTime = time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)

// folder is a folder with files in it, all of one age.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, fileTime, fileTime); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFileConditionsAndRanges(t *testing.T) {
	dir := folder(t, map[string]string{"digits.txt": "0123456789"})
	app := newApp(t)
	app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.File(filepath.Join(dir, "digits.txt")), nil })
	whole := do(t, app, "GET", "/").wantBody(t, 200, "0123456789")
	whole.wantHeader(t, "Content-Type", typeText).wantHeader(t, "Accept-Ranges", "bytes").wantHeader(t, "Content-Length", "10")
	whole.wantHeader(t, "Last-Modified", "Mon, 06 May 2024 07:08:09 GMT")
	etag := whole.header.Get("Etag")
	if !strings.HasPrefix(etag, `"`) || len(etag) < 10 {
		t.Fatalf("Etag is %q", etag)
	}
	for _, c := range []struct {
		name    string
		headers []requestOption
		status  int
		body    string
		rng     string // Content-Range
	}{
		{"a range", []requestOption{withHeader("Range", "bytes=2-4")}, 206, "234", "bytes 2-4/10"},
		{"an open range", []requestOption{withHeader("Range", "bytes=7-")}, 206, "789", "bytes 7-9/10"},
		{"the end", []requestOption{withHeader("Range", "bytes=-2")}, 206, "89", "bytes 8-9/10"},
		{"a range that ends too late", []requestOption{withHeader("Range", "bytes=8-99")}, 206, "89", "bytes 8-9/10"},
		{"a range beyond the end", []requestOption{withHeader("Range", "bytes=10-")}, 416, "", "bytes */10"},
		{"a range that is none", []requestOption{withHeader("Range", "bytes=x")}, 416, "", ""},
		{"another unit", []requestOption{withHeader("Range", "lines=1-2")}, 416, "", ""},
		{"If-None-Match that matches", []requestOption{withHeader("If-None-Match", etag)}, 304, "", ""},
		{"If-None-Match among others", []requestOption{withHeader("If-None-Match", `"x", W/`+etag)}, 304, "", ""},
		{"If-None-Match: *", []requestOption{withHeader("If-None-Match", "*")}, 304, "", ""},
		{"If-None-Match that does not", []requestOption{withHeader("If-None-Match", `"x"`)}, 200, "0123456789", ""},
		{"If-None-Match goes before If-Modified-Since", []requestOption{
			withHeader("If-None-Match", `"x"`), withHeader("If-Modified-Since", "Mon, 06 May 2024 07:08:09 GMT")}, 200, "0123456789", ""},
		{"not modified since", []requestOption{withHeader("If-Modified-Since", "Mon, 06 May 2024 07:08:09 GMT")}, 304, "", ""},
		{"modified since", []requestOption{withHeader("If-Modified-Since", "Mon, 06 May 2024 07:08:08 GMT")}, 200, "0123456789", ""},
		{"If-Match that matches", []requestOption{withHeader("If-Match", etag)}, 200, "0123456789", ""},
		{"If-Match that does not", []requestOption{withHeader("If-Match", `"x"`)}, 412, "", ""},
		{"If-Unmodified-Since, but it was", []requestOption{withHeader("If-Unmodified-Since", "Mon, 06 May 2024 07:08:08 GMT")}, 412, "", ""},
		{"If-Range that matches", []requestOption{withHeader("Range", "bytes=0-0"), withHeader("If-Range", etag)}, 206, "0", "bytes 0-0/10"},
		{"If-Range that does not: the whole", []requestOption{withHeader("Range", "bytes=0-0"), withHeader("If-Range", `"x"`)}, 200, "0123456789", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := do(t, app, "GET", "/", c.headers...).want(t, c.status)
			if c.status != 416 && c.status != 412 && res.body != c.body {
				t.Errorf("body %q, want %q", res.body, c.body)
			}
			same(t, "Content-Range", res.header.Get("Content-Range"), c.rng)
			same(t, "nosniff", res.header.Get("X-Content-Type-Options"), "nosniff")
			head := do(t, app, "HEAD", "/", c.headers...).want(t, c.status)
			if c.status == 200 || c.status == 206 {
				same(t, "HEAD: Content-Length", head.header.Get("Content-Length"), res.header.Get("Content-Length"))
			}
		})
	}
}

func TestFileMultipleRanges(t *testing.T) {
	dir := folder(t, map[string]string{"digits.txt": "0123456789"})
	app := newApp(t)
	app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.File(filepath.Join(dir, "digits.txt")), nil })
	res := do(t, app, "GET", "/", withHeader("Range", "bytes=0-1,5-6")).want(t, 206)
	kind, params, err := mime.ParseMediaType(res.header.Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" {
		t.Fatalf("Content-Type is %q", res.header.Get("Content-Type"))
	}
	parts := multipart.NewReader(strings.NewReader(res.body), params["boundary"])
	for _, want := range []string{"01", "56"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if data, _ := io.ReadAll(part); string(data) != want {
			t.Errorf("part is %q, want %q", data, want)
		}
	}
	// Ranges that together are longer than the file are an attack on the server.
	do(t, app, "GET", "/", withHeader("Range", "bytes="+strings.TrimSuffix(strings.Repeat("0-,", 500), ","))).wantBody(t, 200, "0123456789")
}

func TestFilesThatAreNone(t *testing.T) {
	dir := folder(t, map[string]string{"root/a.txt": "a", "root/sub/b.txt": "b", "secret.txt": "secret", "root2/c.txt": "c"})
	root := filepath.Join(dir, "root")
	if err := os.Symlink(filepath.Join(dir, "secret.txt"), filepath.Join(root, "link.txt")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := os.Symlink("loop.txt", filepath.Join(root, "loop.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "unreadable.txt"), nil, 0); err != nil {
		t.Fatal(err)
	}
	handle, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	app, log := loggedApp(t)
	app.Get("/fs", func(r *ishaa.Request) (any, error) { return ishaa.FileFS(handle.FS(), r.Query("name")), nil })
	app.Get("/file", func(r *ishaa.Request) (any, error) { return ishaa.File(filepath.Join(root, r.Query("name"))), nil })
	do(t, app, "GET", "/fs?name=a.txt").wantBody(t, 200, "a")
	do(t, app, "GET", "/fs?name=sub/b.txt").wantBody(t, 200, "b")
	for _, name := range []string{
		"none.txt", "sub", ".", "", "..", "../secret.txt", "../root2/c.txt", "/etc/passwd", "sub/../../secret.txt", "a.txt/x", "./a.txt",
		"sub//b.txt", "sub/", "link.txt", "loop.txt", `..\secret.txt`, `sub\b.txt`, "a.txt\x00", "%2e%2e/secret.txt", strings.Repeat("x", 5000),
		strings.Repeat("x/", 3000) + "x",
	} {
		escaped := strings.NewReplacer("\x00", "%00", "%", "%25", `\`, "%5c").Replace(name)
		res := do(t, app, "GET", "/fs?name="+escaped).wantProblem(t, 404, "there is no such file")
		if strings.Contains(res.body, dir) || strings.Contains(res.body, "secret") {
			t.Errorf("%q: the answer tells of the disk: %s", name, res)
		}
	}
	if os.Getuid() != 0 {
		do(t, app, "GET", "/fs?name=unreadable.txt").wantProblem(t, 404, "there is no such file")
	}
	for _, name := range []string{"none.txt", "sub", "", strings.Repeat("x", 5000), "a.txt/x"} {
		do(t, app, "GET", "/file?name="+name).wantProblem(t, 404, "there is no such file")
	}
	if failed := log.records(t, "request failed"); len(failed) > 0 {
		t.Errorf("a client's wrong name is logged as our failure: %v", failed)
	}
}

// brokenFS fails in ways of its own.
type brokenFS struct{ err error }

func (b brokenFS) Open(string) (fs.File, error) { return nil, b.err }

type unseekable struct{ fstest.MapFS }

func (u unseekable) Open(name string) (fs.File, error) {
	file, err := u.MapFS.Open(name)
	return struct{ fs.File }{file}, err
}

func TestFileSystemsThatFail(t *testing.T) {
	for name, fsys := range map[string]fs.FS{
		"a disk error":        brokenFS{errors.New("disk on fire")},
		"a file without seek": unseekable{fstest.MapFS{"x": {Data: []byte("x")}}},
	} {
		app, log := loggedApp(t)
		app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.FileFS(fsys, "x"), nil })
		do(t, app, "GET", "/").wantProblem(t, 500, "")
		if len(log.records(t, "request failed")) != 1 {
			t.Errorf("%s: the log has %s", name, log.text())
		}
	}
	// A file that the handler itself needs and misses is not the client's mistake.
	app := newApp(t)
	app.Get("/", func(*ishaa.Request) (any, error) { return os.ReadFile("no such file") })
	do(t, app, "GET", "/").wantProblem(t, 500, "")
}

func TestFileTypes(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"page.html", "a.js", "a.css", "a.json", "a.png", "none", "a.unknown-kind", "looks.like.html.txt"} {
		files[name] = &fstest.MapFile{Data: []byte("<script>alert(1)</script>")}
	}
	app := newApp(t)
	app.Get("/<name>", func(r *ishaa.Request) (any, error) { return ishaa.FileFS(files, r.Param("name")), nil })
	for name, want := range map[string]string{
		"page.html": typeHTML, "a.js": "text/javascript; charset=utf-8", "a.css": "text/css; charset=utf-8", "a.json": typeJSON,
		"a.png": "image/png", "none": typeOctets, "a.unknown-kind": typeOctets, "looks.like.html.txt": typeText,
	} {
		// A file system without times, such as embed, has no ETag to give.
		do(t, app, "GET", "/"+name).want(t, 200).wantHeader(t, "Content-Type", want).wantHeader(t, "Etag").wantHeader(t, "Last-Modified")
	}
}

// What the handler sets on its answer goes before what the file says.
func TestFileKeepsWhatWasSet(t *testing.T) {
	app := newApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("Content-Type", "text/csv")
		r.Response().Header().Set("Etag", `"mine"`)
		r.Response().Attachment("list.csv")
		return ishaa.Content("x.bin", fileTime, strings.NewReader("a,b")), nil
	})
	do(t, app, "GET", "/").wantBody(t, 200, "a,b").wantHeader(t, "Content-Type", "text/csv").wantHeader(t, "Etag", `"mine"`).
		wantHeader(t, "Content-Disposition", `attachment; filename="list.csv"`)
	do(t, app, "GET", "/", withHeader("If-None-Match", `"mine"`)).want(t, 304)
}

// An error page kept in a file is sent whole, with the error's status, whatever
// ranges and conditions the client names.
func TestFileAsErrorPage(t *testing.T) {
	dir := folder(t, map[string]string{"404.html": "<h1>Gone fishing</h1>"})
	app := newApp(t)
	app.OnStatus(404, func(*ishaa.Request, error) (any, error) { return ishaa.File(filepath.Join(dir, "404.html")), nil })
	app.OnStatus(410, func(*ishaa.Request, error) (any, error) { return ishaa.File(filepath.Join(dir, "missing.html")), nil })
	app.Get("/gone", fails(ishaa.Gone("x")))
	s := serve(t, app)
	etag := s.do("GET", "/none").header.Get("Etag")
	for _, option := range []requestOption{withHeader("Range", "bytes=0-1"), withHeader("If-None-Match", etag), withHeader("If-None-Match", "*")} {
		s.do("GET", "/none", option).wantBody(t, 404, "<h1>Gone fishing</h1>").wantHeader(t, "Content-Type", typeHTML).
			wantHeader(t, "Content-Length", "21").wantHeader(t, "X-Content-Type-Options", "nosniff")
	}
	s.do("HEAD", "/none").wantBody(t, 404, "").wantHeader(t, "Content-Length", "21")
	s.do("GET", "/gone").wantProblem(t, 404, "there is no such file") // of the handler's error
}

// A big file over a real connection arrives whole, in whatever steps it is sent.
func TestBigFile(t *testing.T) {
	noLeaks(t)
	big := strings.Repeat("0123456789abcde\n", 100_000)
	dir := folder(t, map[string]string{"big.txt": big})
	app := newApp(t)
	app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.File(filepath.Join(dir, "big.txt")), nil })
	app.Get("/fs", func(*ishaa.Request) (any, error) { return ishaa.FileFS(os.DirFS(dir), "big.txt"), nil })
	app.Get("/wrapped", func(*ishaa.Request) (any, error) {
		return ishaa.Content("big.txt", fileTime, struct{ io.ReadSeeker }{strings.NewReader(big)}), nil
	})
	s := serve(t, app)
	for _, path := range []string{"/", "/fs", "/wrapped"} {
		if res := s.do("GET", path).want(t, 200); res.body != big {
			t.Errorf("%s: %d bytes came of %d", path, len(res.body), len(big))
		}
		if res := s.do("GET", path, withHeader("Range", "bytes=300000-1299999")).want(t, 206); res.body != big[300_000:1_300_000] {
			t.Errorf("%s: %d bytes came of the range", path, len(res.body))
		}
	}
}

// shrinking is a content that ends before its size.
type shrinking struct{ io.ReadSeeker }

func (s shrinking) Seek(offset int64, whence int) (int64, error) {
	n, err := s.ReadSeeker.Seek(offset, whence)
	if whence == io.SeekEnd {
		n += 10
	}
	return n, err
}

// A content that turns out shorter than it said is not taken for the whole.
func TestShrinkingContent(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	app.Get("/", func(*ishaa.Request) (any, error) {
		return ishaa.Content("x.txt", fileTime, shrinking{strings.NewReader("short")}), nil
	})
	app.OnStatus(410, func(*ishaa.Request, error) (any, error) {
		return ishaa.Content("x.txt", fileTime, shrinking{strings.NewReader("short")}), nil
	})
	app.Get("/gone", fails(ishaa.Gone("x")))
	s := serve(t, app)
	for _, path := range []string{"/", "/gone"} {
		if res := s.raw("GET", "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); res.err == nil {
			t.Errorf("%s: the answer looks whole: %s", path, res)
		}
	}
	s.do("GET", "/none").want(t, http.StatusNotFound)
}
