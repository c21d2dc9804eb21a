package middleware_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	brotlilib "github.com/andybalholm/brotli"
	zstdlib "github.com/klauspost/compress/zstd"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/middleware/brotli"
	"github.com/ishaa-framework/ishaa/middleware/zstd"
)

// long is a text worth compressing.
var long = strings.Repeat("It was the best of times, it was the worst of times. ", 60)

var allEncodings = []middleware.Encoding{zstd.Encoding(), brotli.Encoding(0), middleware.Gzip(0)}

// decode undoes a Content-Encoding.
func decode(t testing.TB, encoding string, data []byte) string {
	t.Helper()
	var plain []byte
	var err error
	switch encoding {
	case "":
		return string(data)
	case "gzip":
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(data)); err == nil {
			plain, err = io.ReadAll(z)
		}
	case "br":
		plain, err = io.ReadAll(brotlilib.NewReader(bytes.NewReader(data)))
	case "zstd":
		var z *zstdlib.Decoder
		if z, err = zstdlib.NewReader(bytes.NewReader(data), zstdlib.WithDecoderMaxWindow(8<<20)); err == nil {
			defer z.Close()
			plain, err = io.ReadAll(z)
		}
	default:
		t.Fatalf("the coding is %q", encoding)
	}
	if err != nil {
		t.Fatalf("the %s body of %d bytes: %v", encoding, len(data), err)
	}
	return string(plain)
}

func compressApp(t testing.TB, options middleware.CompressOptions) *ishaa.App {
	app, _ := newApp(t)
	app.Use(middleware.Compress(options))
	app.Get("/", text(long))
	return app
}

// Every form in which clients say what they accept.
func TestCompressNegotiates(t *testing.T) {
	app := compressApp(t, middleware.CompressOptions{Encodings: allEncodings})
	for _, c := range []struct {
		name   string
		accept []string // lines of Accept-Encoding
		want   string
	}{
		{"nothing said", nil, ""},
		{"an empty header", []string{""}, ""},
		{"gzip", []string{"gzip"}, "gzip"},
		{"gzip by its old name", []string{"x-gzip"}, "gzip"},
		{"in capitals", []string{"GZIP"}, "gzip"},
		{"brotli", []string{"br"}, "br"},
		{"zstd", []string{"zstd"}, "zstd"},
		{"Chrome and Firefox", []string{"gzip, deflate, br, zstd"}, "zstd"},
		{"Safari", []string{"gzip, deflate, br"}, "br"},
		{"curl --compressed", []string{"deflate, gzip, br, zstd"}, "zstd"},
		{"Go's client", []string{"gzip"}, "gzip"},
		{"wget", []string{"identity"}, ""},
		{"a proxy that folds lines", []string{"gzip", "br"}, "br"},
		{"only what we have not", []string{"deflate, compress"}, ""},
		{"anything", []string{"*"}, "zstd"},
		{"anything but two", []string{"*, zstd;q=0, br;q=0"}, "gzip"},
		{"by weight", []string{"gzip;q=1.0, br;q=0.9, zstd;q=0.8"}, "gzip"},
		{"by weight, spaces", []string{" gzip ; q=0.2 ,\tbr;q=0.3"}, "br"},
		{"equal weights, the server's order", []string{"gzip;q=0.5, br;q=0.5"}, "br"},
		{"refused by zero", []string{"gzip;q=0"}, ""},
		{"all refused by zero", []string{"gzip;q=0, br;q=0.000, zstd;q=0.0"}, ""},
		{"identity preferred", []string{"identity, gzip;q=0.5"}, ""},
		{"identity refused", []string{"identity;q=0, gzip"}, "gzip"},
		{"everything refused, plain is all there is", []string{"*;q=0"}, ""},
		{"identity refused and nothing known", []string{"deflate, identity;q=0"}, ""},
		{"nonsense", []string{"gzip;q=abc, ,;;,"}, ""},
		{"nonsense beside sense", []string{";q=1, br"}, "br"},
		{"long nonsense", []string{strings.Repeat(",", 10_000) + "gzip"}, "gzip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var headers []string
			for _, line := range c.accept {
				headers = append(headers, "Accept-Encoding: "+line)
			}
			w := do(app, "GET", "/", headers...)
			wantStatus(t, w, 200)
			wantHeader(t, w.Header(), "Vary", "Accept-Encoding")
			encoding := w.Header().Get("Content-Encoding")
			if encoding != c.want {
				t.Fatalf("the coding is %q, want %q", encoding, c.want)
			}
			if got := decode(t, encoding, w.Body.Bytes()); got != long {
				t.Errorf("the body is %.60q…", got)
			}
			if encoding != "" && w.Body.Len() > len(long)/4 {
				t.Errorf("%d bytes of %d are left", w.Body.Len(), len(long))
			}
		})
	}
}

func TestCompressLeavesAlone(t *testing.T) {
	answer := func(status int, headers ...string) func(r *ishaa.Request) (any, error) {
		return func(*ishaa.Request) (any, error) {
			res := ishaa.Text(long).WithStatus(status)
			for _, h := range headers {
				name, value, _ := strings.Cut(h, ": ")
				res.WithHeader(name, value)
			}
			return res, nil
		}
	}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		handler ishaa.Handler
		want    bool // compressed
		vary    bool
	}{
		{"text", answer(200), true, true},
		{"an error page", answer(500), true, true},
		{"JSON", answer(200, "Content-Type: application/json"), true, true},
		{"JSON of a kind", answer(200, "Content-Type: application/vnd.api+json; charset=utf-8"), true, true},
		{"SVG", answer(200, "Content-Type: image/svg+xml"), true, true},
		{"in capitals", answer(200, "Content-Type: TEXT/CSS"), true, true},
		{"script", answer(200, "Content-Type: text/javascript"), true, true},
		{"WebAssembly", answer(200, "Content-Type: application/wasm"), true, true},
		{"a problem", func(*ishaa.Request) (any, error) { return nil, ishaa.NotFound("%s", long) }, true, true},
		{"a string", func(*ishaa.Request) (any, error) { return long, nil }, true, true},
		{"a value", func(*ishaa.Request) (any, error) { return []string{long}, nil }, true, true},

		{"a picture", answer(200, "Content-Type: image/png"), false, false},
		{"an archive", answer(200, "Content-Type: application/zip"), false, false},
		{"bytes of no known kind", answer(200, "Content-Type: application/octet-stream"), false, false},
		{"no type", func(*ishaa.Request) (any, error) { return ishaa.Bytes("", []byte(long)), nil }, false, false},
		{"a type that is none", answer(200, "Content-Type: text"), false, false},
		{"small", text("small"), false, false},
		{"nothing", func(*ishaa.Request) (any, error) { return nil, nil }, false, false},
		{"encoded already", answer(200, "Content-Encoding: br"), false, false},
		{"a part", answer(206, "Content-Range: bytes 0-9/100"), false, false},
		{"a part by its header", answer(200, "Content-Range: bytes 0-9/100"), false, false},
		{"no-transform", answer(200, "Cache-Control: public, No-Transform, max-age=60"), false, false},
		{"not modified", answer(304), false, true},
		{"a file", func(*ishaa.Request) (any, error) { return ishaa.File(file), nil }, false, false},
		{"a net/http handler", func(*ishaa.Request) (any, error) {
			return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = io.WriteString(w, long)
			})), nil
		}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, _ := newApp(t)
			app.Use(middleware.Compress(middleware.CompressOptions{}))
			app.Get("/", c.handler)
			w := do(app, "GET", "/", "Accept-Encoding: gzip")
			encoding := w.Header().Get("Content-Encoding")
			if (encoding == "gzip") != c.want {
				t.Fatalf("the coding is %q: %v", encoding, w.Header())
			}
			if vary := strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Accept-Encoding"); vary != c.vary {
				t.Errorf("Vary is %q", w.Header().Values("Vary"))
			}
			if !c.want && w.Body.Len() > 100 && w.Body.String() != long {
				t.Errorf("the body is %.60q…", w.Body)
			}
			if c.want && !strings.Contains(decode(t, encoding, w.Body.Bytes()), "best of times") {
				t.Error("the body is another")
			}
		})
	}
	t.Run("an answer to Range", func(t *testing.T) {
		w := do(compressApp(t, middleware.CompressOptions{}), "GET", "/", "Accept-Encoding: gzip", "Range: bytes=0-9")
		wantHeader(t, w.Header(), "Content-Encoding")
		wantHeader(t, w.Header(), "Vary", "Accept-Encoding")
	})
	t.Run("an error of a hook further out", func(t *testing.T) {
		app, _ := newApp(t)
		app.After(func(*ishaa.Request, *ishaa.Response) error { return errors.New("broken") })
		app.Use(middleware.Compress(middleware.CompressOptions{}))
		app.Get("/", text(long))
		w := do(app, "GET", "/", "Accept-Encoding: gzip")
		wantStatus(t, w, 500)
		if encoding := w.Header().Get("Content-Encoding"); decode(t, encoding, w.Body.Bytes()) == "" {
			t.Error("no body")
		}
	})
}

func TestCompressHeaders(t *testing.T) {
	for given, want := range map[string]string{`"abc"`: `W/"abc"`, `W/"abc"`: `W/"abc"`, "": ""} {
		t.Run("ETag "+given, func(t *testing.T) {
			app, _ := newApp(t)
			app.Use(middleware.Compress(middleware.CompressOptions{}))
			app.Get("/", func(*ishaa.Request) (any, error) {
				res := ishaa.Text(long)
				if given != "" {
					res.WithHeader("ETag", given)
				}
				return res, nil
			})
			if got := do(app, "GET", "/", "Accept-Encoding: gzip").Header().Get("Etag"); got != want {
				t.Errorf("compressed: %q, want %q", got, want)
			}
			if got := do(app, "GET", "/").Header().Get("Etag"); got != given {
				t.Errorf("plain: %q, want %q", got, given)
			}
		})
	}
	t.Run("HEAD says what GET would, and the length is that of what is sent", func(t *testing.T) {
		server := serve(t, compressApp(t, middleware.CompressOptions{}))
		ask := func(method string) (*http.Response, []byte) {
			request, _ := http.NewRequest(method, server.URL, nil)
			request.Header.Set("Accept-Encoding", "gzip")
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return response, body
		}
		get, body := ask("GET")
		head, none := ask("HEAD")
		wantHeader(t, get.Header, "Content-Length", strconv.Itoa(len(body)))
		for _, name := range []string{"Content-Encoding", "Content-Length", "Vary", "Content-Type"} {
			wantHeader(t, head.Header, name, get.Header.Values(name)...)
		}
		if len(none) != 0 {
			t.Errorf("HEAD has a body of %d bytes", len(none))
		}
	})
	t.Run("Vary of the handler stays", func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.Compress(middleware.CompressOptions{}))
		app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Text(long).WithHeader("Vary", "Accept"), nil })
		wantHeader(t, do(app, "GET", "/", "Accept-Encoding: gzip").Header(), "Vary", "Accept", "Accept-Encoding")
	})
	t.Run("a smallest size of one's own", func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.Compress(middleware.CompressOptions{MinSize: 10}))
		app.Get("/nine", text("123456789"))
		app.Get("/ten", text("1234567890"))
		wantHeader(t, do(app, "GET", "/nine", "Accept-Encoding: gzip").Header(), "Content-Encoding")
		wantHeader(t, do(app, "GET", "/ten", "Accept-Encoding: gzip").Header(), "Content-Encoding", "gzip")
	})
	t.Run("types of one's own", func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.Compress(middleware.CompressOptions{Types: []string{"model/*", "+cbor", "Text/Plain"}}))
		for path, contentType := range map[string]string{"/model": "model/gltf", "/cbor": "application/x+cbor", "/text": "text/plain", "/html": "text/html"} {
			app.Get(path, func(*ishaa.Request) (any, error) { return ishaa.Bytes(contentType, []byte(long)), nil })
			want := []string{"gzip"}
			if path == "/html" {
				want = nil
			}
			defer func() {
				wantHeader(t, do(app, "GET", path, "Accept-Encoding: gzip").Header(), "Content-Encoding", want...)
			}()
		}
	})
}

// Bodies of any size and kind come through every coding, as one piece and as a
// stream, with encoders that were used before.
func TestCompressRoundTrips(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	bodies := map[string][]byte{"empty": {}, "one byte": {'x'}, "text": []byte(long), "large": bytes.Repeat([]byte(long), 300)}
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	bodies["noise"] = noise
	for _, encoding := range allEncodings {
		app, _ := newApp(t)
		app.Use(middleware.Compress(middleware.CompressOptions{Encodings: []middleware.Encoding{encoding}, MinSize: 1}))
		var current []byte
		app.Get("/bytes", func(*ishaa.Request) (any, error) { return ishaa.Bytes("text/plain", current), nil })
		app.Get("/stream", func(*ishaa.Request) (any, error) {
			res := ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
				for rest := current; len(rest) > 0; {
					n := min(len(rest), 1+len(current)/7)
					if _, err := w.Write(rest[:n]); err != nil {
						return err
					}
					rest = rest[n:]
					if err := w.Flush(); err != nil {
						return err
					}
				}
				return nil
			})
			return res, nil
		})
		for name, body := range bodies {
			for _, path := range []string{"/bytes", "/stream"} {
				t.Run(encoding.Name+" "+name+path, func(t *testing.T) {
					current = body
					for range 3 {
						w := do(app, "GET", path, "Accept-Encoding: "+encoding.Name)
						wantStatus(t, w, 200)
						if len(body) == 0 && path == "/bytes" {
							wantHeader(t, w.Header(), "Content-Encoding")
							return
						}
						wantHeader(t, w.Header(), "Content-Encoding", encoding.Name)
						if decode(t, encoding.Name, w.Body.Bytes()) != string(body) {
							t.Fatal("another body came out")
						}
					}
				})
			}
		}
	}
}

// What a stream has flushed is readable at once, in every coding.
func TestCompressFlushes(t *testing.T) {
	for _, encoding := range allEncodings {
		t.Run(encoding.Name, func(t *testing.T) {
			app, _ := newApp(t)
			app.Use(middleware.Compress(middleware.CompressOptions{Encodings: []middleware.Encoding{encoding}}))
			next := make(chan string)
			app.Get("/", func(*ishaa.Request) (any, error) {
				return ishaa.Events(func(yield func(string, error) bool) {
					for message := range next {
						if !yield(message, nil) {
							return
						}
					}
				}), nil
			})
			server := serve(t, app)
			request, _ := http.NewRequest("GET", server.URL, nil)
			request.Header.Set("Accept-Encoding", encoding.Name)
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			wantHeader(t, response.Header, "Content-Encoding", encoding.Name)
			var events io.Reader
			switch encoding.Name {
			case "gzip":
				next <- "first" // the head of the coding comes with the first bytes
				if events, err = gzip.NewReader(response.Body); err != nil {
					t.Fatal(err)
				}
			case "br":
				next <- "first"
				events = brotlilib.NewReader(response.Body)
			case "zstd":
				next <- "first"
				z, err := zstdlib.NewReader(response.Body, zstdlib.WithDecoderConcurrency(1))
				if err != nil {
					t.Fatal(err)
				}
				defer z.Close()
				events = z
			}
			for _, message := range []string{"first", "second", "third"} {
				want := "data: " + message + "\n\n"
				got := make([]byte, len(want))
				if _, err := io.ReadFull(events, got); err != nil || string(got) != want {
					t.Fatalf("read %q, %v; want %q", got, err, want)
				}
				if message != "third" {
					next <- map[string]string{"first": "second", "second": "third"}[message]
				}
			}
			close(next)
			if rest, err := io.ReadAll(events); err != nil || len(rest) != 0 {
				t.Errorf("the end is %q, %v", rest, err)
			}
		})
	}
}

// What the framework streams is compressed whatever its form, and each line can be
// read as soon as it is flushed.
func TestCompressStreams(t *testing.T) {
	items := func(next <-chan string) any {
		return iter.Seq[string](func(yield func(string) bool) {
			for item := range next {
				if !yield(item) {
					return
				}
			}
		})
	}
	export := func(next <-chan string) any {
		return ishaa.Stream("text/csv; charset=utf-8", func(w *ishaa.StreamWriter) error {
			for item := range next {
				if _, err := io.WriteString(w, item+"\r\n"); err != nil {
					return err
				}
				if err := w.Flush(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, c := range []struct {
		name, accept, line string
		answer             func(<-chan string) any
	}{
		{"NDJSON", "application/x-ndjson", "\"%s\"\n", items},
		{"CSV", "*/*", "%s\r\n", export},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, _ := newApp(t)
			app.Use(middleware.Compress(middleware.CompressOptions{}))
			next := make(chan string, 1)
			app.Get("/", func(*ishaa.Request) (any, error) { return c.answer(next), nil })
			server := serve(t, app)
			defer close(next)
			request, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
			request.Header.Set("Accept-Encoding", "gzip")
			request.Header.Set("Accept", c.accept)
			next <- "first"
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			wantHeader(t, response.Header, "Content-Encoding", "gzip")
			lines, err := gzip.NewReader(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range []string{"first", "second", "third"} {
				if item != "first" {
					next <- item
				}
				want := fmt.Sprintf(c.line, item)
				got := make([]byte, len(want))
				if _, err := io.ReadFull(lines, got); err != nil || string(got) != want {
					t.Fatalf("read %q, %v; want %q", got, err, want)
				}
			}
		})
	}
}

func TestCompressRefusesMistakes(t *testing.T) {
	wantMistake(t, "no name", func() { middleware.Compress(middleware.CompressOptions{Encodings: []middleware.Encoding{{}}}) })
	wantMistake(t, "no name", func() {
		middleware.Compress(middleware.CompressOptions{Encodings: []middleware.Encoding{{Name: "identity", New: middleware.Gzip(1).New}}})
	})
	for _, bad := range []string{"text", "/", "*/*", "text/html; charset=utf-8", "+", ""} {
		wantMistake(t, "not a media type", func() { middleware.Compress(middleware.CompressOptions{Types: []string{bad}}) })
	}
	wantMistake(t, "1 to 9", func() { middleware.Gzip(10) })
}

func FuzzCompressAcceptEncoding(f *testing.F) {
	for _, seed := range []string{"gzip", "br;q=0.5, *;q=0.1", "identity;q=0", ",,;;q=,", "zstd;q=1;x=\"a,b\""} {
		f.Add(seed)
	}
	app := compressApp(f, middleware.CompressOptions{Encodings: allEncodings})
	f.Fuzz(func(t *testing.T, accept string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Accept-Encoding"] = []string{accept}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if decode(t, w.Header().Get("Content-Encoding"), w.Body.Bytes()) != long {
			t.Fatalf("another body for %q", accept)
		}
	})
}

func ExampleCompress() {
	app := ishaa.New("shop")
	app.Use(middleware.Compress(middleware.CompressOptions{
		Encodings: []middleware.Encoding{zstd.Encoding(), brotli.Encoding(0), middleware.Gzip(0)},
	}))
	app.Get("/", func(*ishaa.Request) (any, error) { return strings.Repeat("<p>Hello</p>", 1000), nil })

	w := do(app, "GET", "/", "Accept-Encoding: gzip, br")
	fmt.Println(w.Header().Get("Content-Encoding"), w.Body.Len() < 100)
	// Output: br true
}
