package static_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"mime"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
)

// navigation is what a browser sends for a page.
var navigation = []string{"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode: navigate"}

func TestPages(t *testing.T) {
	site := fstest.MapFS{
		"index.html": {Data: []byte("home")}, "app.html": {Data: []byte("application")}, "docs/index.html": {Data: []byte("docs")},
		"docs/a.txt": {Data: []byte("a")}, "empty/a.txt": {Data: []byte("a")}, "odd/index.html/x": {Data: []byte("x")},
	}
	none, index := static.Options{}, static.Options{Index: true}
	fallback, both := static.Options{Fallback: "app.html"}, static.Options{Index: true, Fallback: "app.html"}
	for _, c := range []struct {
		name     string
		options  static.Options
		path     string
		headers  []string
		status   int
		body     string
		location string
	}{
		{"folder", none, "/s/docs/", navigation, 404, "", ""},
		{"folder without a slash", none, "/s/docs", navigation, 404, "", ""},
		{"page by its name", none, "/s/docs/index.html", nil, 200, "docs", ""},
		{"index", index, "/s/docs/", nil, 200, "docs", ""},
		{"index of the top", index, "/s/", nil, 200, "home", ""},
		{"top without a slash", index, "/s", nil, 308, "", "/s/"},
		{"index without a slash", index, "/s/docs?a=1&b=%2F", nil, 308, "", "/s/docs/?a=1&b=%2F"},
		{"folder without an index", index, "/s/empty/", nil, 404, "", ""},
		{"folder without an index or a slash", index, "/s/empty", nil, 404, "", ""},
		{"folder by the name of an index", index, "/s/odd/", nil, 404, "", ""},
		{"no folder", index, "/s/nothing/", nil, 404, "", ""},
		{"fallback", fallback, "/s/users/7", navigation, 200, "application", ""},
		{"fallback with a slash", fallback, "/s/users/", navigation, 200, "application", ""},
		{"fallback of a folder", fallback, "/s/docs", navigation, 200, "application", ""},
		{"fallback at the top", fallback, "/s/", nil, 200, "application", ""},
		{"old browser", fallback, "/s/users", []string{"Accept: text/html, */*;q=0.1"}, 200, "application", ""},
		{"script", fallback, "/s/users", []string{"Accept: */*", "Sec-Fetch-Mode: cors"}, 404, "", ""},
		{"script that asks for HTML", fallback, "/s/users", []string{"Accept: text/html", "Sec-Fetch-Mode: cors"}, 404, "", ""},
		{"program", fallback, "/s/users", []string{"Accept: */*"}, 404, "", ""},
		{"program that says nothing", fallback, "/s/users", nil, 404, "", ""},
		{"JSON", fallback, "/s/users", []string{"Accept: application/json"}, 404, "", ""},
		{"extension", fallback, "/s/users.js", navigation, 404, "", ""},
		{"dot in a folder", fallback, "/s/v1.2/users", navigation, 200, "application", ""},
		{"dotfile", fallback, "/s/.env", navigation, 404, "", ""},
		{"folder that begins with a dot", fallback, "/s/.git/config", navigation, 404, "", ""},
		{"device", fallback, "/s/con", navigation, 404, "", ""},
		{"escaped slash", fallback, "/s/a%2Fb", navigation, 404, "", ""},
		{"file beside a fallback", fallback, "/s/docs/a.txt", navigation, 200, "a", ""},
		{"index before the fallback", both, "/s/docs/", navigation, 200, "docs", ""},
		{"index of the top before the fallback", both, "/s/", navigation, 200, "home", ""},
		{"folder without an index has the fallback", both, "/s/empty/", navigation, 200, "application", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := serve(t, static.FS(site, "/s", c.options))
			rec := get(app, c.path, c.headers...)
			if rec.Code != c.status || c.body != "" && rec.Body.String() != c.body || rec.Header().Get("Location") != c.location {
				t.Fatalf("%d %s %v", rec.Code, rec.Body, rec.Header())
			}
			if c.status == 200 && c.body != "a" {
				if got := rec.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
					t.Errorf("Content-Type %s", got)
				}
			}
			// What depends on who asks says so, whatever the answer is.
			depends := c.options.Fallback != "" && (c.status == 404 || c.body == "application") && c.path != "/s/" &&
				!slices.Contains([]string{"/s/.env", "/s/.git/config", "/s/con", "/s/users.js", "/s/a%2Fb"}, c.path)
			if got := slices.Contains(rec.Header()["Vary"], "Sec-Fetch-Mode") && slices.Contains(rec.Header()["Vary"], "Accept"); got != depends {
				t.Errorf("Vary %q", rec.Header()["Vary"])
			}
		})
	}
}

// A single-page application at the top leaves the program's own routes alone.
func TestAtTheTop(t *testing.T) {
	app := ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Get("/api/users", func(*ishaa.Request) (any, error) { return []int{7}, nil })
	files := static.FS(fstest.MapFS{"index.html": {Data: []byte("home")}, "app.js": {Data: []byte("run()")}}, "/", static.Options{Fallback: "index.html"})
	app.Install(files)
	for _, c := range []struct{ path, want string }{
		{"/", "home"}, {"/users/7", "home"}, {"/app.js", "run()"}, {files.URL("app.js"), "run()"}, {"/api/users", "[7]"},
	} {
		if rec := get(app, c.path, navigation...); rec.Code != 200 || strings.TrimSpace(rec.Body.String()) != c.want {
			t.Errorf("%s: %d %s", c.path, rec.Code, rec.Body)
		}
	}
	if rec := get(app, "//evil.example/", navigation...); rec.Code != 404 {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}

// What a guard holds back cannot be had by another spelling from files that are served
// at the top.
func TestGuardBesideFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"admin/secret.txt": "secret", "public/a.txt": "a"})
	app := ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Get("/admin/<path:rest>", func(*ishaa.Request) (any, error) { return nil, ishaa.Unauthorized("members only") })
	app.Install(static.Dir(dir, "/", static.Options{Index: true, Fallback: "public/a.txt"}))
	address := listen(t, app)
	for path, want := range map[string]int{
		"/public/a.txt": 200, "/admin/secret.txt": 401, "/%61dmin/secret.txt": 401, "/admin%2Fsecret.txt": 404, "/admin%5Csecret.txt": 404,
		"/public%2F..%2Fadmin%2Fsecret.txt": 404, "/admin%252Fsecret.txt": 404, "//admin/secret.txt": 404, "/./admin/secret.txt": 404,
		"/admin/./secret.txt": 404, "/ADMIN/secret.txt": 404, "/public/../admin/secret.txt": 404, "/admin%2fsecret.0123456789abcdef.txt": 404,
		"/admin./secret.txt": 404, "/admin%20/secret.txt": 404,
	} {
		status, _, body := raw(t, address, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if status != want || strings.Contains(body, "secret") && status == 200 {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
	}
}

func TestMethods(t *testing.T) {
	address := listen(t, serve(t, static.Dir(assets(t), "/static")))
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"HEAD", "/static/app.css", 200}, {"POST", "/static/app.css", 405}, {"PUT", "/static/app.css", 405}, {"DELETE", "/static/none", 405},
		{"PROPFIND", "/static/app.css", 405}, {"TRACE", "/static/app.css", 405}, {"OPTIONS", "/static/app.css", 204}, {"HEAD", "/static/none", 404},
	} {
		status, header, body := raw(t, address, c.method+" "+c.path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if status != c.status || c.method == "HEAD" && body != "" {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
		if status == 405 && header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s %s: Allow %q", c.method, c.path, header.Get("Allow"))
		}
		if c.method == "HEAD" && status == 200 && header.Get("Content-Length") != "6" {
			t.Errorf("HEAD: %v", header)
		}
	}
}

// Types depend on names, neither on contents nor on the machine.
func TestContentTypes(t *testing.T) {
	if err := mime.AddExtensionType(".css", "text/x-of-this-machine"); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{
		"a.css": "text/css; charset=utf-8", "a.JS": "text/javascript; charset=utf-8", "a.svg": "image/svg+xml", "a.woff2": "font/woff2",
		"a.wasm": "application/wasm", "a": "application/octet-stream", "a.unknown": "application/octet-stream", "a.glb": "model/gltf-binary",
		"a.png": "image/png", "a.tar.gz": "application/gzip", "a.html.txt": "text/plain; charset=utf-8", "a.md": "text/x-own",
	}
	site := fstest.MapFS{}
	for name := range names {
		site[name] = &fstest.MapFile{Data: []byte("<!DOCTYPE html><script>alert(1)</script>")}
	}
	app := serve(t, static.FS(site, "/", static.Options{Types: map[string]string{".glb": "model/gltf-binary", ".md": "text/x-own"}}))
	for name, want := range names {
		rec := get(app, "/"+name)
		if got := rec.Header().Get("Content-Type"); got != want || rec.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// An engine that watches a request learns what the answer depends on.
func TestTracedInputs(t *testing.T) {
	app := ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	var inputs []string
	app.Before(func(r *ishaa.Request) (any, error) {
		r.Trace(func(in ishaa.Input, _ string) { inputs = append(inputs, in.String()) })
		return nil, nil
	})
	app.Install(static.FS(fstest.MapFS{"app.css": {Data: []byte("x")}, "app.css.br": {Data: []byte("y")}}, "/static"))
	get(app, "/static/app.css")
	for _, want := range []string{"param path", "header Accept-Encoding", "header If-None-Match", "header If-Match"} {
		if !slices.Contains(inputs, want) {
			t.Errorf("%s is not among %q", want, inputs)
		}
	}
	for _, in := range inputs {
		if strings.HasPrefix(in, "raw") || strings.HasPrefix(in, "identity") {
			t.Errorf("%s was read", in)
		}
	}
}

// failing is a file system that is out of order.
type failing struct{}

var errDisk = errors.New("disk /dev/secret7 is out of order")

func (failing) Open(name string) (fs.File, error) {
	if name == "." {
		return fstest.MapFS{}.Open(name)
	}
	return nil, &fs.PathError{Op: "open", Path: "/srv/private/" + name, Err: errDisk}
}

func TestFailureOfTheDisk(t *testing.T) {
	app := serve(t, static.FS(failing{}, "/static"))
	rec := get(app, "/static/app.css")
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret7") || strings.Contains(rec.Body.String(), "private") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestMistakes(t *testing.T) {
	dir := assets(t)
	installed := static.Dir(dir, "/x")
	serve(t, installed)
	for _, c := range []struct {
		name  string
		files *static.Files
		want  string
	}{
		{"no folder", static.Dir(filepath.Join(dir, "none"), "/static"), "begins at the working directory"},
		{"a file", static.Dir(filepath.Join(dir, "app.css"), "/static"), "not a directory"},
		{"no file system", static.FS(nil, "/static"), "the file system is nil"},
		{"no slash", static.Dir(dir, "static"), `the prefix "static"`},
		{"no prefix", static.Dir(dir, ""), `the prefix ""`},
		{"another host", static.Dir(dir, "//static"), `the prefix "//static"`},
		{"parameter", static.Dir(dir, "/<x>"), `the prefix "/<x>"`},
		{"two options", static.Dir(dir, "/", static.Options{}, static.Options{}), "2 Options"},
		{"fallback that is never served", static.Dir(dir, "/", static.Options{Fallback: "../index.html"}), `"../index.html"`},
		{"type without a dot", static.Dir(dir, "/", static.Options{Types: map[string]string{"glb": "x/y"}}), `"glb"`},
		{"twice", installed, "installed already"},
	} {
		err := c.files.Install(ishaa.New("test"))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "static: ") {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	app := ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(static.Dir(dir, "/", static.Options{Fallback: "none.html"}))
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "none.html") {
		t.Errorf("a fallback that is missing: %v", err)
	}
}

// Two folders live beside each other, each with its own name and guard.
func TestTwoFolders(t *testing.T) {
	app := ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	refuse := ishaa.Middleware{Name: "guard", Before: func(*ishaa.Request) (any, error) { return nil, ishaa.Forbidden("members only") }}
	app.Install(
		static.FS(fstest.MapFS{"a.txt": {Data: []byte("open")}}, "/static"),
		static.FS(fstest.MapFS{"a.txt": {Data: []byte("closed")}}, "/static2", static.Options{Name: "members", Route: []ishaa.RouteOption{refuse}}),
	)
	for path, want := range map[string]int{"/static/a.txt": 200, "/static2/a.txt": 403, "/static2/none.txt": 403, "/static/none.txt": 404} {
		if rec := get(app, path); rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
	}
	if path, err := app.URL("members", "path", "a.txt"); err != nil || path != "/static2/a.txt" {
		t.Errorf("%s, %v", path, err)
	}
}
