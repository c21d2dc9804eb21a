package static_test

import (
	"archive/zip"
	"bytes"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
)

func TestPrecompressed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"app.js": "plain text", "app.js.br": "BROTLI", "app.js.zst": "ZSTANDARD", "app.js.gz": "GZ",
		"only.css": "plain", "only.css.gz": "GZIPPED", "none.txt": "none", "stale.txt": "new", "stale.txt.br": "OLD",
		"orphan.txt.br": "ORPHAN",
	})
	touch(t, filepath.Join(dir, "stale.txt"), long.Add(time.Hour))
	var log bytes.Buffer
	app := serve(t, static.Dir(dir, "/static"), ishaa.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, c := range []struct {
		name, path, accept string
		coding, body       string
		vary               bool
	}{
		{"nothing said", "app.js", "", "", "plain text", true},
		{"all of them", "app.js", "gzip, deflate, br, zstd", "br", "BROTLI", true},
		{"any", "app.js", "*", "br", "BROTLI", true},
		{"two", "app.js", "gzip, zstd", "zstd", "ZSTANDARD", true},
		{"one", "app.js", "gzip", "gzip", "GZ", true},
		{"weights", "app.js", "br;q=0.1, gzip;q=0.9", "gzip", "GZ", true},
		{"all but one", "app.js", "*, br;q=0", "zstd", "ZSTANDARD", true},
		{"one that is not there", "only.css", "br", "", "plain", true},
		{"the one that is there", "only.css", "br, gzip", "gzip", "GZIPPED", true},
		{"unknown coding", "app.js", "lzma", "", "plain text", true},
		{"identity preferred", "app.js", "identity, gzip;q=0.5", "", "plain text", true},
		{"identity refused", "none.txt", "identity;q=0", "", "none", false},
		{"nothing beside it", "none.txt", "br", "", "none", false},
		{"older than its original", "stale.txt", "br", "", "new", false},
		{"by its own name", "app.js.gz", "", "", "GZ", false},
		{"by its own name, accepted", "app.js.gz", "gzip", "", "GZ", false},
		{"hashed", "app." + hashOf("plain text")[:16] + ".js", "br", "br", "BROTLI", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var headers []string
			if c.accept != "" {
				headers = []string{"Accept-Encoding: " + c.accept}
			}
			for _, method := range []string{"GET", "HEAD"} {
				rec := do(app, method, "/static/"+c.path, headers...)
				header := rec.Header()
				if rec.Code != 200 || method == "GET" && rec.Body.String() != c.body || header.Get("Content-Encoding") != c.coding {
					t.Fatalf("%s: %d %q %v", method, rec.Code, rec.Body, header)
				}
				if got := strings.Contains(header.Get("Vary"), "Accept-Encoding"); got != c.vary {
					t.Errorf("%s: Vary %q", method, header["Vary"])
				}
				if header.Get("Etag") != etagOf(c.body) || header.Get("Content-Length") != strconv.Itoa(len(c.body)) {
					t.Errorf("%s: Etag %s, Content-Length %s", method, header.Get("Etag"), header.Get("Content-Length"))
				}
				if strings.HasSuffix(c.path, ".js") && header.Get("Content-Type") != "text/javascript; charset=utf-8" {
					t.Errorf("%s: Content-Type %s", method, header.Get("Content-Type"))
				}
			}
			rec := get(app, "/static/"+c.path, append(headers, "If-None-Match: "+etagOf(c.body))...)
			if rec.Code != 304 || strings.Contains(rec.Header().Get("Vary"), "Accept-Encoding") != c.vary || rec.Header().Get("Content-Encoding") != "" {
				t.Errorf("the second time: %d %v", rec.Code, rec.Header())
			}
		})
	}
	if rec := get(app, "/static/orphan.txt", "Accept-Encoding: br"); rec.Code != 404 {
		t.Errorf("a compressed file without its original: %d", rec.Code)
	}
	if rec := get(app, "/static/app.js", "Accept-Encoding: br", "If-None-Match: "+etagOf("plain text")); rec.Code != 200 {
		t.Errorf("the ETag of another coding: %d", rec.Code)
	}
	rec := get(app, "/static/app.js", "Accept-Encoding: br", "Range: bytes=1-2")
	if rec.Code != 206 || rec.Body.String() != "RO" || rec.Header().Get("Content-Length") != "2" || rec.Header().Get("Content-Encoding") != "br" {
		t.Errorf("a range: %d %s %v", rec.Code, rec.Body, rec.Header())
	}
	if !strings.Contains(log.String(), "stale.txt.br") {
		t.Errorf("the log does not name the old one: %s", log.String())
	}
}

// Over a socket a length that is not the body's would show.
func TestPrecompressedOnTheWire(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"app.js": "plain text", "app.js.br": "BROTLI"})
	address := listen(t, serve(t, static.Dir(dir, "/static")))
	for _, c := range []struct {
		header string
		status int
		body   string
	}{
		{"X: y", 200, "BROTLI"},
		{"Range: bytes=0-1", 206, "BR"},
		{"Range: bytes=9-", 416, "invalid range: failed to overlap\n"},
		{"If-Match: " + etagOf("BROTLI"), 200, "BROTLI"},
		{"If-Match: " + etagOf("plain text"), 412, ""},
		{"If-Match: x, " + etagOf("BROTLI"), 412, ""}, // malformed: what follows may not be read
		{"If-None-Match: " + etagOf("BROTLI"), 304, ""},
	} {
		status, header, body := raw(t, address, "GET /static/app.js HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\nConnection: close\r\n"+c.header+"\r\n\r\n")
		if status != c.status || c.body != "" && body != c.body {
			t.Errorf("%s: %d %q %v", c.header, status, body, header)
		}
		if (status >= 400) == (header.Get("Content-Encoding") != "") && status != 304 {
			t.Errorf("%s: %d with %v", c.header, status, header)
		}
	}
}

// A compressed file that comes later is taken up at once in development.
func TestVariantThatComesLater(t *testing.T) {
	dir := assets(t)
	app := serve(t, static.Dir(dir, "/static"), ishaa.Config{Debug: true})
	get(app, "/static/app.css")
	write(t, dir, map[string]string{"app.css.br": "BR"})
	if rec := get(app, "/static/app.css", "Accept-Encoding: br"); rec.Body.String() != "BR" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// The files of an archive cannot seek; ranges work all the same.
func TestArchive(t *testing.T) {
	var buf bytes.Buffer
	archive := zip.NewWriter(&buf)
	for name, text := range map[string]string{"app.css": "body{}", ".env": "secret"} {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: long})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := static.FS(reader, "/static")
	app := serve(t, files)
	if rec := get(app, files.URL("app.css"), "Range: bytes=0-3"); rec.Code != 206 || rec.Body.String() != "body" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	for _, path := range []string{"/static/.env", "/static/../app.css", "/static/app.css/", "/static/none.css"} {
		if rec := get(app, path); rec.Code != 404 {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}
