package files_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/files"
)

var (
	png  = "\x89PNG\r\n\x1a\n" + strings.Repeat("p", 100)
	gif  = "GIF89a" + strings.Repeat("g", 100)
	pdf  = "%PDF-1.7\n"
	page = "<!DOCTYPE html><script>alert(1)</script>"
	svg  = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
	zip  = "PK\x03\x04" + strings.Repeat("z", 100)
)

func open(t testing.TB, folder string, change ...func(*files.Options)) *files.Storage {
	options := files.Options{Types: []string{"*/*"}}
	for _, c := range change {
		c(&options)
	}
	s, err := files.Open(folder, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func save(t testing.TB, s *files.Storage, name, content string) files.File {
	t.Helper()
	f, err := s.Save(t.Context(), name, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tree lists all files below a folder, with their sizes.
func tree(t testing.TB, folder string) (list []string) {
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rest, err := filepath.Rel(folder, path)
		list = append(list, filepath.ToSlash(rest))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSaveOpenDelete(t *testing.T) {
	folder := t.TempDir()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, folder, func(o *files.Options) { o.Now = func() time.Time { return now } })
	f := save(t, s, "photo.png", png)
	want := files.File{ID: f.ID, Name: "photo.png", Type: "image/png", Size: int64(len(png)), SHA256: f.SHA256, Created: now}
	if f != want || len(f.ID) != 26 || len(f.SHA256) != 64 {
		t.Errorf("%+v", f)
	}
	if info, err := s.Info(t.Context(), f.ID); err != nil || info != f {
		t.Errorf("%+v %v", info, err)
	}
	content, _, err := s.Open(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(content); string(data) != png || err != nil {
		t.Errorf("%q %v", data, err)
	}
	content.Close()
	other := save(t, s, "photo.png", png)
	if other.ID == f.ID {
		t.Error("two files, one id")
	}
	var listed []string
	for f, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, f.ID)
	}
	if len(listed) != 2 || listed[0] > listed[1] {
		t.Errorf("%q", listed)
	}
	for range s.List(t.Context()) {
		break
	}
	if count, bytes := s.Usage(); count != 2 || bytes != 2*int64(len(png)) {
		t.Errorf("%d files of %d bytes", count, bytes)
	}
	if err := s.Delete(t.Context(), f.ID); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Delete": s.Delete(t.Context(), f.ID),
		"Info":   func() error { _, err := s.Info(t.Context(), f.ID); return err }(),
		"Open":   func() error { _, _, err := s.Open(t.Context(), f.ID); return err }(),
	} {
		if !errors.Is(err, files.ErrNotFound) {
			t.Errorf("%s after Delete: %v", what, err)
		}
	}
	if err := s.Delete(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, folder); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if count, bytes := s.Usage(); count != 0 || bytes != 0 {
		t.Errorf("%d files of %d bytes", count, bytes)
	}
}

// Whatever a client calls its file, nothing outside of the folder is touched, no file
// on disk has that name, and what comes back is harmless.
func TestNamesOfClients(t *testing.T) {
	outside := t.TempDir()
	folder := filepath.Join(outside, "uploads")
	s := open(t, folder)
	for name, want := range map[string]string{
		"../../x": "x", "..": "", "a/../../b": "b", "": "", ".": "", "/": "", "/etc/passwd": "passwd", `..\..\x`: "x", `C:\x.txt`: "x.txt", "C:x": "C_x",
		"a\x00.png": "a_.png", "\x00": "_", "con.txt": "_con.txt", "NUL": "_NUL", "x.txt:stream": "x.txt_stream", "a\r\nb": "a__b", "\u202egnp.exe": "_gnp.exe",
		".htaccess": ".htaccess", "x.png. ": "x.png", "%2e%2e%2fx": "%2e%2e%2fx", "..%5cx": "..%5cx", "\xff\xfe": "__", "shell.php": "shell.php", strings.Repeat("a", 300) + ".txt": strings.Repeat("a", 251) + ".txt",
		"....//....//x": "x", "～/x": "x", "part/../../x": "x", "x.json": "x.json",
	} {
		f := save(t, s, name, "content")
		if f.Name != want {
			t.Errorf("%q is kept as %q, want %q", name, f.Name, want)
		}
		h := get(s.Handler(f.ID)).Header().Get("Content-Disposition")
		if strings.ContainsAny(h, "\r\n\x00") || !strings.HasPrefix(h, "attachment; filename=") {
			t.Errorf("%q: %q", name, h)
		}
	}
	for _, path := range tree(t, outside) {
		parts := strings.Split(path, "/")
		base := strings.TrimSuffix(parts[len(parts)-1], ".json")
		if len(parts) != 3 || parts[0] != "uploads" || len(base) != 26 || parts[1] != base[:2] {
			t.Errorf("there is %s", path)
		}
	}
}

// Only ids that were given out lead to a file.
func TestIDsOfClients(t *testing.T) {
	outside := t.TempDir()
	os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600)
	s := open(t, filepath.Join(outside, "uploads"))
	f := save(t, s, "x", "content")
	for _, id := range []string{
		"", ".", "..", "../secret", "/etc/passwd", f.ID + ".json", f.ID[:25], f.ID + "a", strings.ToUpper(f.ID), f.ID[:2] + "/" + f.ID, f.ID + "\x00",
		strings.Repeat(".", 26), strings.Repeat("/", 26), "../" + strings.Repeat("a", 23), strings.Repeat("a", 26), `..\` + strings.Repeat("a", 23), "%2e%2e%2fsecret", strings.Repeat("1", 26),
	} {
		if _, err := s.Info(t.Context(), id); !errors.Is(err, files.ErrNotFound) {
			t.Errorf("Info(%q): %v", id, err)
		}
		if _, _, err := s.Open(t.Context(), id); !errors.Is(err, files.ErrNotFound) {
			t.Errorf("Open(%q): %v", id, err)
		}
		if err := s.Delete(t.Context(), id); !errors.Is(err, files.ErrNotFound) {
			t.Errorf("Delete(%q): %v", id, err)
		}
		if w := get(s.Handler(id)); w.Code != 404 {
			t.Errorf("GET %q: %d", id, w.Code)
		}
	}
	// A link in the folder does not lead out of it.
	target := filepath.Join(outside, "uploads", f.ID[:2], f.ID)
	os.Remove(target)
	if err := os.Symlink(filepath.Join(outside, "secret"), target); err != nil {
		t.Skip("links cannot be made here")
	}
	if content, _, err := s.Open(t.Context(), f.ID); err == nil {
		content.Close()
		t.Error("a link out of the folder is followed")
	}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		name, content string
		allowed       string
		want          string // "" is refused
	}{
		{"a.png", png, "image/png", "image/png"},
		{"a.png", png, "image/*", "image/png"},
		{"a.exe", png, "image/png", "image/png"},
		{"a.png", page, "image/png", ""},
		{"a.png", page, "image/*", ""},
		{"a.png", svg, "image/png", ""},
		{"a.png", "MZ\x90\x00", "image/*", ""},
		{"a.png", "", "image/png", ""},
		{"a.png", gif, "image/png", ""},
		{"a.gif", gif, "image/png,image/gif", "image/gif"},
		{"a.pdf", pdf, "application/pdf", "application/pdf"},
		{"a.html", page, "text/plain", ""},
		{"a.txt", page, "text/plain", ""},
		{"a.txt", "  \n\t" + page, "text/plain", ""},
		{"a.txt", "plain", "text/plain", "text/plain"},
		{"a.csv", "a,b\n1,2", "text/csv", "text/csv"},
		{"a.csv", page, "text/csv", ""},
		{"a.json", `{"a":1}`, "application/json", "application/json"},
		{"a.svg", svg, "image/svg+xml", "image/svg+xml"},
		{"a.svg", svg, "image/png,image/jpeg", ""},
		{"a.svg", `<?xml version="1.0"?>` + svg, "image/svg+xml", "image/svg+xml"},
		{"a.docx", zip, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"a.zip", zip, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ""},
		{"a.html", page, "*/*", "text/html"},
		{"a.bin", "\x00\x01\x02\x03", "*/*", "application/octet-stream"},
	} {
		folder := t.TempDir()
		s := open(t, folder, func(o *files.Options) { o.Types = strings.Split(c.allowed, ",") })
		f, err := s.Save(t.Context(), c.name, strings.NewReader(c.content))
		if c.want == "" {
			if !errors.Is(err, files.ErrType) || len(tree(t, folder)) > 0 {
				t.Errorf("%s %q is taken as %s: %v", c.name, c.content, f.Type, err)
			}
		} else if err != nil || f.Type != c.want {
			t.Errorf("%s %q: %s, %v", c.name, c.content, f.Type, err)
		}
	}
	for _, types := range [][]string{nil, {""}, {"png"}, {"*/png"}, {"image/"}, {"image/png; q=1"}, {"a b/c"}} {
		if _, err := files.Open(t.TempDir(), files.Options{Types: types}); err == nil {
			t.Errorf("Types %q are taken", types)
		}
	}
}

func TestLimits(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, func(o *files.Options) { o.MaxSize, o.Quota, o.MaxFiles = 1000, 2500, 4 })
	put := func(size int) error {
		_, err := s.Save(t.Context(), "x", strings.NewReader(strings.Repeat("x", size)))
		return err
	}
	for i, c := range []struct {
		size int
		want error
	}{{1001, files.ErrTooLarge}, {100_000, files.ErrTooLarge}, {1000, nil}, {1000, nil}, {501, files.ErrQuota}, {500, nil}, {1, files.ErrQuota}, {0, nil}, {0, files.ErrQuota}} {
		if err := put(c.size); !errors.Is(err, c.want) {
			t.Errorf("%d: %d bytes: %v, want %v", i, c.size, err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := s.Save(t.Context(), "x", iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	for f, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), f.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Save(t.Context(), "x", io.MultiReader(strings.NewReader(strings.Repeat("x", 600)), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a reader that fails in the middle: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Save(ctx, "x", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	if count, bytes := s.Usage(); count != 0 || bytes != 0 || len(tree(t, folder)) > 0 {
		t.Errorf("%d files of %d bytes are left: %q", count, bytes, tree(t, folder))
	}
	status := func(err error) int {
		var mapped interface{ HTTPStatus() int }
		if !errors.As(err, &mapped) {
			return 0
		}
		return mapped.HTTPStatus()
	}
	if status(fmt.Errorf("x: %w", files.ErrTooLarge)) != 413 || status(files.ErrType) != 415 || status(files.ErrQuota) != 507 || status(files.ErrNotFound) != 404 {
		t.Error("an error's status")
	}
}

func TestManyAtOnce(t *testing.T) {
	s := open(t, t.TempDir(), func(o *files.Options) { o.MaxFiles = 50 })
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			f, err := s.Save(context.Background(), "x", strings.NewReader(strings.Repeat("x", i)))
			if errors.Is(err, files.ErrQuota) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			if w := get(s.Handler(f.ID)); w.Body.Len() != i {
				t.Errorf("%d bytes, want %d", w.Body.Len(), i)
			}
			if i%2 == 0 {
				if err := s.Delete(context.Background(), f.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	count, bytes := s.Usage()
	var listed, size int64
	for f, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		listed, size = listed+1, size+f.Size
	}
	if count != listed || bytes != size || count > 50 {
		t.Errorf("%d files of %d bytes, but %d of %d are counted", listed, size, count, bytes)
	}
}

// What a crash leaves: parts, content without a note, a note without content.
func TestCrashes(t *testing.T) {
	folder := t.TempDir()
	now := time.Now()
	first, err := files.Open(folder, files.Options{Types: []string{"*/*"}})
	if err != nil {
		t.Fatal(err)
	}
	whole := save(t, first, "whole", "12345")
	noNote := save(t, first, "x", "x")
	noContent := save(t, first, "x", "x")
	first.Close()
	in := func(name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
	os.Remove(in(noNote.ID[:2] + "/" + noNote.ID + ".json"))
	os.Remove(in(noContent.ID[:2] + "/" + noContent.ID))
	os.WriteFile(in("part/"+strings.Repeat("a", 26)), []byte("half"), 0o600)
	os.WriteFile(in("README"), []byte("mine"), 0o600)

	young := open(t, folder, func(o *files.Options) { o.Now = func() time.Time { return now } })
	if n := len(tree(t, folder)); n != 6 {
		t.Errorf("what another process may be writing is removed: %q", tree(t, folder))
	}
	young.Close()
	s := open(t, folder, func(o *files.Options) { o.Now = func() time.Time { return now.Add(2 * time.Hour) } })
	want := []string{"README", whole.ID[:2] + "/" + whole.ID, whole.ID[:2] + "/" + whole.ID + ".json"}
	slices.Sort(want) // an id may begin with a digit
	if got := tree(t, folder); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("there is %q, want %q", got, want)
	}
	if count, bytes := s.Usage(); count != 1 || bytes != 5 {
		t.Errorf("%d files of %d bytes", count, bytes)
	}
	os.WriteFile(in(whole.ID[:2]+"/"+whole.ID+".json"), []byte("{"), 0o600)
	if _, err := s.Info(t.Context(), whole.ID); err == nil || errors.Is(err, files.ErrNotFound) {
		t.Errorf("a broken note: %v", err)
	}
}

func get(h http.Handler, headers ...string) *httptest.ResponseRecorder {
	return ask(h, "GET", headers...)
}

func ask(h http.Handler, method string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestServing(t *testing.T) {
	s := open(t, t.TempDir())
	for _, c := range []struct {
		name, content           string
		contentType             string
		attachment, disposition string // of Handler, of Inline
	}{
		{"a.png", png, "image/png", `attachment; filename="a.png"`, `inline; filename="a.png"`},
		{"a.txt", "text", "text/plain; charset=utf-8", `attachment; filename="a.txt"`, `inline; filename="a.txt"`},
		{"a.html", page, "text/html; charset=utf-8", `attachment; filename="a.html"`, `attachment; filename="a.html"`},
		{"a.svg", svg, "image/svg+xml", `attachment; filename="a.svg"`, `attachment; filename="a.svg"`},
		{"a.pdf", pdf, "application/pdf", `attachment; filename="a.pdf"`, `attachment; filename="a.pdf"`},
		{"a.png", page, "text/html; charset=utf-8", `attachment; filename="a.png"`, `attachment; filename="a.png"`},
		{`setup.bat";x=.txt`, "text", "text/plain; charset=utf-8", `attachment; filename="setup.bat__x=.txt"; filename*=UTF-8''setup.bat%22%3Bx%3D.txt`, `inline; filename="setup.bat__x=.txt"; filename*=UTF-8''setup.bat%22%3Bx%3D.txt`},
		{"Größe.txt", "text", "text/plain; charset=utf-8", `attachment; filename="Gr__e.txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt`, `inline; filename="Gr__e.txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt`},
		{"", "text", "text/plain; charset=utf-8", `attachment; filename="download"`, `inline; filename="download"`},
	} {
		f := save(t, s, c.name, c.content)
		for want, w := range map[string]*httptest.ResponseRecorder{"a " + c.attachment: get(s.Handler(f.ID)), "i " + c.disposition: get(s.Inline(f.ID))} {
			h := w.Header()
			if w.Code != 200 || w.Body.String() != c.content || h.Get("Content-Type") != c.contentType || h.Get("Content-Disposition") != want[2:] {
				t.Errorf("%q: %d %v %q, want %s", c.name, w.Code, h, w.Body, want)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasSuffix(h.Get("Content-Security-Policy"), "; sandbox") || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
				t.Errorf("%q: %v", c.name, h)
			}
		}
	}
	f := save(t, s, "a.txt", "0123456789")
	h := s.Handler(f.ID)
	etag := get(h).Header().Get("Etag")
	for _, c := range []struct {
		method, header string
		status         int
		body           string
	}{
		{"GET", "Range: bytes=2-4", 206, "234"}, {"GET", "Range: bytes=-3", 206, "789"}, {"GET", "Range: bytes=20-", 416, ""},
		{"GET", "Range: lines=1", 416, ""}, {"HEAD", "X: y", 200, ""}, {"GET", "If-None-Match: " + etag, 304, ""}, {"GET", `If-None-Match: "x"`, 200, "0123456789"},
		{"GET", `If-Match: "x"`, 412, ""},
	} {
		if w := ask(h, c.method, c.header); w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q", c.method, c.header, w.Code, w.Body)
		}
	}
}

func TestShadowKeepsNothing(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, func(o *files.Options) { o.Types, o.MaxSize = []string{"text/plain"}, 100 })
	kept := save(t, s, "kept.txt", "kept")
	before := tree(t, folder)
	var seen []string
	shadow := effect.WithShadow(t.Context(), effect.RecorderFunc(func(i effect.Intent) { seen = append(seen, i.Kind+" "+i.Target+" "+i.Detail) }))
	for range 2 {
		f, err := s.Save(shadow, "../a.txt", bytes.NewReader([]byte("hello")))
		if err != nil || f.Size != 5 || f.SHA256 == "" {
			t.Errorf("%+v %v", f, err)
		}
	}
	if _, err := s.Save(shadow, "a", strings.NewReader(page)); !errors.Is(err, files.ErrType) {
		t.Error(err)
	}
	if _, err := s.Save(shadow, "a", strings.NewReader(strings.Repeat("x", 101))); !errors.Is(err, files.ErrTooLarge) {
		t.Error(err)
	}
	if err := s.Delete(shadow, kept.ID); err != nil {
		t.Error(err)
	}
	if err := s.Delete(shadow, strings.Repeat("a", 26)); !errors.Is(err, files.ErrNotFound) {
		t.Error(err)
	}
	if fmt.Sprint(tree(t, folder)) != fmt.Sprint(before) {
		t.Errorf("there is %q", tree(t, folder))
	}
	if len(seen) != 3 || seen[0] != seen[1] || seen[0] != "file a.txt save text/plain, 5 bytes 2cf24dba5fb0a30e" || seen[2] != "file "+kept.ID+" delete" {
		t.Errorf("%q", seen)
	}
	if count, size := s.Usage(); count != 1 || size != 4 {
		t.Errorf("%d files of %d bytes", count, size)
	}
}
