package ishaa_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
)

// fuzzApp has a route of every kind, which reads its request in every way. The
// only one that may answer with a 5xx is /fails.
func fuzzApp(t testing.TB) *ishaa.App {
	t.Helper()
	app := newApp(t, ishaa.Config{BodyLimit: 4096, TrustedProxies: []string{"192.0.2.0/24"}, Logger: slog.New(slog.DiscardHandler)})
	files := fstest.MapFS{"a.txt": {Data: []byte("0123456789")}, "sub/b.html": {Data: []byte("<p>b</p>")}}
	everything := func(r *ishaa.Request) (any, error) {
		r.Trace(func(in ishaa.Input, value string) {
			if again, ok := r.Input(in); ok && again != value {
				t.Errorf("%s was read as %q and is replayed as %q", in, value, again)
			}
		})
		cookie, _ := r.Cookie("a")
		return []any{
			r.Method(), r.Path(), r.URL().String(), r.Host(), r.Scheme(), r.Client().String(), r.Query("a"), r.QueryValues(), r.Header("X-A"),
			r.HeaderValues("Accept"), r.ContentType(), r.LastEventID(), cookie, r.ID() != "",
			r.Param("n"), r.ParamInt("n"), r.ParamFloat("f"), fmt.Sprintf("%x", r.ParamUUID("u")), r.Param("s"), r.Param("rest"),
		}, nil
	}
	app.Get("/", text("home"))
	app.Any("/all/<int:n>/<float:f>/<uuid:u>/<slug:s>/<path:rest>", everything)
	app.Any("/all/<int:n>", everything)
	app.Any("/all/<n>", everything)
	app.Get("/slash/", everything)
	app.Get("/no-slash/<n>", everything)
	app.Get("/host", everything, ishaa.Host("<tenant>.example.com"))
	app.Post("/bytes", func(r *ishaa.Request) (any, error) { return r.Bytes() })
	app.Post("/json", func(r *ishaa.Request) (any, error) {
		var value any
		err := r.DecodeJSON(&value)
		return ishaa.JSON(value), err
	})
	app.Post("/fit", func(r *ishaa.Request) (any, error) {
		var value struct {
			A int
			B []string
			C map[string]*float64
		}
		err := r.DecodeJSON(&value)
		return value, err
	})
	app.Post("/form", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		names := map[string][]string{}
		for _, field := range form.FileFields() {
			for _, file := range form.Files(field) {
				if name := file.Name(); strings.ContainsAny(name, "/\\\x00\r\n") {
					t.Errorf("the file name %q is not harmless", name)
				}
				names[field] = append(names[field], file.Name())
			}
		}
		return []any{form.Values(), names}, nil
	})
	app.Get("/file", func(r *ishaa.Request) (any, error) { return ishaa.FileFS(files, r.Query("a")), nil })
	app.Get("/download", func(r *ishaa.Request) (any, error) { return ishaa.Text("x").Attachment(r.Query("a")), nil })
	app.Get("/page", func(r *ishaa.Request) (any, error) {
		return ishaa.HTMLf("<p title=%q>%s</p>", r.Query("a"), r.Header("X-A")), nil
	})
	app.Get("/go", func(r *ishaa.Request) (any, error) { return ishaa.RedirectLocal(r.Query("a"), "/"), nil })
	app.Get("/seq", func(r *ishaa.Request) (any, error) { return slices.Values([]string{r.Query("a"), r.Path()}), nil })
	app.Get("/stream", func(r *ishaa.Request) (any, error) { return strings.NewReader(r.Query("a")), nil })
	app.Get("/fails", func(*ishaa.Request) (any, error) { return nil, errBroken })
	app.Mount("/mounted/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "too much", http.StatusRequestEntityTooLarge)
			return
		}
		w.Write(data)
	}))
	return app
}

// FuzzServeHTTP sends any request that net/http lets pass. Whatever it is, nothing
// panics, only /fails fails, and the answer is well-formed.
func FuzzServeHTTP(f *testing.F) {
	for _, seed := range []struct{ method, target, headers, body string }{
		{"GET", "/", "", ""},
		{"HEAD", "/all/7?a=1", "Accept: text/html", ""},
		{"GET", "/all/-7/2.5/0190163d-8694-739b-aea5-966c26f8ad91/slug/a/b%2Fc?a=%20+&a=;", "X-A: 1\r\nX-A: 2\r\nCookie: a=1; a=2", ""},
		{"POST", "/json", "Content-Type: application/json", `{"a":[1,null,"\ud83d\ude00"]}`},
		{"POST", "/fit", "Content-Type: application/json", `{"A":1,"B":["x"],"C":{"a":1e400}}`},
		{"POST", "/form", "Content-Type: application/x-www-form-urlencoded", "a=1&b=%zz"},
		{"POST", "/form", "Content-Type: multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a; filename=\"../x\"\r\n\r\nx\r\n--b--\r\n"},
		{"POST", "/bytes", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"},
		{"GET", "/file?a=a.txt", "Range: bytes=1-2,4-5\r\nIf-None-Match: *", ""},
		{"GET", "/file?a=../a.txt", "", ""},
		{"GET", "/go?a=//evil.example", "", ""},
		{"GET", "/seq?a=%00", "Accept: text/event-stream", ""},
		{"GET", "/slash", "", ""},
		{"GET", "/no-slash/a%2f%5c/", "Host: x.example.com\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: a b", ""},
		{"GET", "//evil.example/..", "", ""},
		{"GET", "http://evil.example/slash?x", "", ""},
		{"OPTIONS", "*", "", ""},
		{"DELETE", "/mounted/../x", "Origin: http://evil.example", "x"},
		{"CONNECT", "a:1", "", ""},
		{"G-T", "/host", "Host: a.example.com:80", ""},
		{"GET", "/download?a=setup.bat%22;x=.txt%0d%0a", "", ""},
		{"GET", "/page?a=%22%3E%3Cscript%3E", "X-A: <script>", ""},
		{"GET", "/fails", "Accept: text/html", ""},
	} {
		f.Add(seed.method, seed.target, seed.headers, seed.body)
	}
	app := fuzzApp(f)
	f.Fuzz(func(t *testing.T, method, target, headers, body string) {
		text := method + " " + target + " HTTP/1.1\r\n" + headers
		if !strings.Contains(strings.ToLower(headers), "host:") {
			text += "\r\nHost: example.com"
		}
		if lower := strings.ToLower(headers); body != "" && !strings.Contains(lower, "transfer-encoding") && !strings.Contains(lower, "content-length") {
			text += "\r\nContent-Length: " + strconv.Itoa(len(body))
		}
		raw, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.TrimPrefix(text, "\r\n") + "\r\n\r\n" + body)))
		if err != nil {
			return
		}
		raw.RemoteAddr = "192.0.2.1:1234"
		w := httptest.NewRecorder()
		if serveOrAbort(app, w, raw) {
			t.Fatalf("the connection was cut for %q", text)
		}
		checkAnswer(t, raw, w)
	})
}

// checkAnswer holds an answer against what HTTP asks of any.
func checkAnswer(t *testing.T, raw *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	answer, body := w.Result(), w.Body.Bytes()
	header := answer.Header
	what := fmt.Sprintf("%s %s: %d %v %q", raw.Method, raw.RequestURI, answer.StatusCode, header, body)
	if answer.StatusCode < 200 || answer.StatusCode >= 500 && raw.URL.Path != "/fails" {
		t.Fatalf("status: %s", what)
	}
	for name, values := range header {
		for _, value := range values {
			if strings.ContainsAny(name+value, "\r\n\x00") {
				t.Fatalf("header %q: %s", name, what)
			}
		}
	}
	bodiless := raw.Method == "HEAD" || answer.StatusCode == 204 || answer.StatusCode == 304
	if bodiless && len(body) > 0 {
		t.Fatalf("a body where none may be: %s", what)
	}
	if length := header.Get("Content-Length"); length != "" && !bodiless && length != strconv.Itoa(len(body)) {
		t.Fatalf("Content-Length: %s", what)
	}
	if location := header.Get("Location"); location != "" && (location[0] != '/' || strings.HasPrefix(location, "//") || strings.ContainsAny(location, "\\\t ")) {
		t.Fatalf("a redirect that may lead elsewhere: %s", what)
	}
	if header.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("no nosniff: %s", what)
	}
	switch kind := header.Get("Content-Type"); {
	case bodiless || len(body) == 0:
	case strings.HasPrefix(kind, "application/json"), kind == typeProblem:
		if !json.Valid(body) {
			t.Fatalf("not JSON: %s", what)
		}
	case kind == typeHTML:
		if bytes.Contains(bytes.ToLower(body), []byte("<script")) {
			t.Fatalf("markup of the client's: %s", what)
		}
	}
}
