//go:build unix

package browsertest_test

import (
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

const start = `<!DOCTYPE html><html lang="en"><title>Start</title><meta name="viewport" content="width=device-width">
<style>body { background: white; margin: 0 } @media (prefers-color-scheme: dark) { body { background: black } }
#far { display: block; margin-top: 3000px } #hidden { visibility: hidden }</style>
<h1>Start</h1><form action="/answer#got"><input id="q" name="q" value="old"><label for="agree">Agree</label><input type="checkbox" id="agree" name="agree" value="yes"></form>
<form action="/files" method="post" enctype="multipart/form-data"><input type="file" name="f" id="file"><button id="send">Send</button></form>
<ol id="keys"></ol><p id="later"></p><a id="far" href="/far">Far away</a>
<script>
document.getElementById("q").addEventListener("keydown", e => { document.getElementById("keys").textContent += e.key + "," })
setTimeout(() => { document.getElementById("later").textContent = "later" }, 50)
document.cookie = "who=" + location.search.slice(1)
</script>`

func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	page := func(pattern, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, body)
		})
	}
	page("GET /{$}", start)
	page("GET /far", "<!DOCTYPE html><title>Far</title>")
	page("GET /wrong", `<!DOCTYPE html><link rel="icon" href="data:,"><script>console.error("own words", {a: 1}); undefinedThing()</script><img src="/nothing.png">`)
	page("GET /foreign", `<!DOCTYPE html><link rel="icon" href="data:,"><img src="https://elsewhere.example/a.png"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
		<script>new Worker(URL.createObjectURL(new Blob(["fetch('https://worker.example/').catch(() => postMessage('done'))"]))).onmessage = e => { document.title = e.data }</script>`)
	page("GET /frame", `<!DOCTYPE html><link rel="icon" href="data:,"><iframe sandbox="allow-scripts" srcdoc="<script>console.error('frame\'s error'); parent.postMessage(1, '*')</script>"></iframe>
		<script>addEventListener("message", () => { document.title = "from the frame" })</script>`)
	mux.HandleFunc("GET /answer", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(422)
		fmt.Fprintf(w, "<!DOCTYPE html><p id=got>%s %s</p>", r.FormValue("q"), r.FormValue("agree"))
	})
	mux.HandleFunc("POST /files", func(w http.ResponseWriter, r *http.Request) {
		_, header, err := r.FormFile("f")
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		fmt.Fprint(w, header.Filename)
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestBrowser(t *testing.T) {
	testenv.Browser(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("browser", func(t *testing.T) {
		base := site(t)
		browser := browsertest.Launch(t)

		t.Run("a visitor fills in a form", func(t *testing.T) {
			page := browser.Open(t, browsertest.Wide)
			if status := page.Goto(base + "/"); status != 200 || page.Eval("document.title") != "Start" {
				t.Errorf("%d %v", status, page.Eval("document.title"))
			}
			page.Type("#q", "Köln 1")
			if keys := page.Text("#keys"); !strings.HasPrefix(keys, "K,ö,l,n, ,1") {
				t.Errorf("the keys were %s", keys)
			}
			page.Click("#agree")
			page.Type("#q", "new")
			if status := page.Navigate(func() { page.Press("Enter") }); status != 422 || page.Text("#got") != "new yes" {
				t.Errorf("%d %s", status, page.Text("#got"))
			}
		})
		t.Run("a visitor scrolls to a link", func(t *testing.T) {
			page := browser.Open(t, browsertest.Phone)
			page.Goto(base + "/")
			page.WaitFor(`document.getElementById("later").textContent == "later"`)
			if status := page.Navigate(func() { page.Click("#far") }); status != 200 || page.Eval("location.pathname") != "/far" {
				t.Errorf("%d at %v", status, page.Eval("location.href"))
			}
		})
		t.Run("a visitor sends a file", func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "cover.png")
			if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			page := browser.Open(t, browsertest.Wide)
			page.Goto(base + "/")
			page.Choose("#file", file)
			page.Navigate(func() { page.Click("#send") })
			if got := page.Text("body"); got != "cover.png" {
				t.Errorf("it got %s", got)
			}
		})
		t.Run("values come out", func(t *testing.T) {
			page := browser.Open(t, browsertest.Wide)
			for expression, want := range map[string]string{
				"1+1": "2", `"a"`: "a", "[1, null]": "[1 <nil>]", `({a: true})`: "map[a:true]", "Promise.resolve(3)": "3", "undefined": "<nil>",
			} {
				if got := fmt.Sprint(page.Eval(expression)); got != want {
					t.Errorf("%s is %s, want %s", expression, got, want)
				}
			}
		})
		t.Run("visitors share nothing", func(t *testing.T) {
			first, second := browser.Open(t, browsertest.Wide), browser.Open(t, browsertest.Wide)
			first.Goto(base + "/?ann")
			second.Goto(base + "/?bob")
			if a, b := first.Eval("document.cookie"), second.Eval("document.cookie"); a != "who=ann" || b != "who=bob" {
				t.Errorf("the cookies are %v and %v", a, b)
			}
		})
		t.Run("views", func(t *testing.T) {
			t.Setenv(browsertest.Folder, filepath.Join(t.TempDir(), "shots"))
			page := browser.Open(t, browsertest.Wide)
			page.Goto(base + "/")
			for view, corner := range map[browsertest.View]uint32{
				browsertest.Wide: 0xffff, browsertest.Phone: 0xffff, browsertest.Wide.InDark(): 0, browsertest.Phone.InDark(): 0,
			} {
				page.Look(view)
				file := page.Screenshot("start")
				if want := "start-" + view.String() + ".png"; filepath.Base(file) != want {
					t.Errorf("the file is %s, want %s", file, want)
				}
				width, height, red := picture(t, file)
				if width != view.Width || height < 3000 || red != corner {
					t.Errorf("%s: %d × %d, the corner's red is %x", view, width, height, red)
				}
			}
		})
		t.Run("errors", func(t *testing.T) {
			page := browser.Open(t, browsertest.Wide)
			page.Goto(base + "/wrong")
			page.WaitFor(`document.readyState == "complete"`)
			errors := strings.Join(page.ConsoleErrors(), "\n")
			for _, want := range []string{"own words", "ReferenceError: undefinedThing", "/nothing.png"} {
				if !strings.Contains(errors, want) {
					t.Errorf("no error speaks of %q:\n%s", want, errors)
				}
			}
			page.Forgive()
			if left := page.ConsoleErrors(); len(left) > 0 {
				t.Errorf("not forgotten: %q", left)
			}
		})
		t.Run("dialogs", func(t *testing.T) {
			page := browser.Open(t, browsertest.Wide)
			page.Goto(base + "/far")
			if page.Eval(`alert("hello")`); page.Eval(`confirm("sure?")`) != true {
				t.Error("a question was answered with no")
			}
			if got := page.Dialogs(); !slices.Equal(got, []string{"hello", "sure?"}) {
				t.Errorf("the dialogs were %q", got)
			}
		})
		t.Run("frames", func(t *testing.T) {
			page := browser.Open(t, browsertest.Wide)
			page.Goto(base + "/frame")
			page.WaitFor(`document.title == "from the frame"`)
			if got := strings.Join(page.ConsoleErrors(), "\n"); !strings.Contains(got, "frame's error") {
				t.Errorf("the errors are %s", got)
			}
			page.Forgive()
		})
		t.Run("other hosts", func(t *testing.T) {
			page := browser.Open(t, browsertest.Wide)
			page.Goto(base + "/foreign")
			page.WaitFor(`document.title == "done"`)
			got := page.ForeignRequests()
			slices.Sort(got)
			if want := []string{"https://elsewhere.example/a.png", "https://worker.example/"}; !slices.Equal(got, want) {
				t.Errorf("requests to other hosts: %q, want %q", got, want)
			}
			page.Forgive()
		})
	})
}

func picture(t *testing.T, file string) (width, height int, red uint32) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	size := img.Bounds().Size()
	red, _, _, _ = img.At(size.X-1, size.Y-1).RGBA()
	return size.X, size.Y, red
}

// A page that does what it should not fails its test.
func TestPageThatMisbehaves(t *testing.T) {
	testenv.Browser(t)
	base := site(t)
	browser := browsertest.Launch(t)
	recorder := &failures{TB: t}
	page := browser.Open(recorder, browsertest.Wide)
	page.Goto(base + "/wrong")
	page.WaitFor(`document.readyState == "complete"`)
	recorder.end()
	if all := strings.Join(recorder.said, "\n"); !strings.Contains(all, "own words") {
		t.Errorf("the test was told:\n%s", all)
	}
}

// failures is a test whose failures are looked at.
type failures struct {
	testing.TB
	said     []string
	cleanups []func()
}

func (f *failures) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}
func (f *failures) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *failures) end() {
	for _, c := range slices.Backward(f.cleanups) {
		c()
	}
}

// Without a browser nothing hangs.
func TestNoBrowserAtAll(t *testing.T) {
	program := filepath.Join(t.TempDir(), "chromium")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho no display >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ISHAA_TEST_BROWSER", program)
	fatal := &fatalities{failures: failures{TB: t}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		browsertest.Launch(fatal)
	}()
	<-done
	fatal.end()
	if all := strings.Join(fatal.said, "\n"); !strings.Contains(all, "does not answer") {
		t.Errorf("the test was told:\n%s", all)
	}
}

type fatalities struct{ failures }

func (f *fatalities) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}
