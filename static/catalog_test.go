package static

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// restless is a file system whose files change so many times: between any two looks
// at one.
type restless struct {
	fstest.MapFS
	changes int
}

func (r *restless) Open(name string) (fs.File, error) {
	if r.changes > 0 {
		r.changes--
		for _, file := range r.MapFS {
			file.ModTime = file.ModTime.Add(time.Second)
			file.Data = append([]byte("*"), file.Data...)
		}
	}
	return r.MapFS.Open(name)
}

func quiet(t *testing.T, files *Files, config ishaa.Config) *ishaa.App {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	app := ishaa.New("test", config)
	app.Install(files)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return app
}

func TestFileThatIsBeingWritten(t *testing.T) {
	for _, c := range []struct {
		changes, status int
	}{{0, 200}, {1, 200}, {3, 200}, {1000, 503}} {
		disk := &restless{MapFS: fstest.MapFS{"a.txt": {Data: []byte("a"), ModTime: time.Unix(1e9, 0)}}}
		app := quiet(t, FS(disk, "/"), ishaa.Config{})
		disk.changes = c.changes
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, httptest.NewRequest("GET", "/a.txt", nil))
		if rec.Code != c.status {
			t.Errorf("%d changes: %d %s", c.changes, rec.Code, rec.Body)
		}
		if rec.Code == 200 && rec.Body.String() != string(disk.MapFS["a.txt"].Data) {
			t.Errorf("%d changes: %s", c.changes, rec.Body)
		}
		if rec.Code == 503 && (rec.Header().Get("Retry-After") == "" || rec.Header().Get("Etag") != "") {
			t.Errorf("%v", rec.Header())
		}
	}
}

// blind is a file system whose files cannot seek.
type blind struct{ fs.FS }

func (b blind) Open(name string) (fs.File, error) {
	file, err := b.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || info.IsDir() {
		return file, err
	}
	return struct{ fs.File }{file}, nil
}

func (b blind) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(b.FS, name) }

func TestTooLargeForMemory(t *testing.T) {
	site := fstest.MapFS{"small": {Data: []byte("s"), ModTime: time.Unix(1e9, 0)}, "large": {Data: make([]byte, maxHashed+1), ModTime: time.Unix(1e9, 0)}}
	app := quiet(t, FS(blind{site}, "/"), ishaa.Config{})
	for name, want := range map[string]int{"small": 200, "large": 500} {
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, httptest.NewRequest("GET", "/"+name, nil))
		if rec.Code != want || strings.Contains(rec.Body.String(), "seek") {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
}

// What is remembered is bounded, and what is gone is forgotten.
func TestMemoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	put := func(name string) {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
	}
	put("known")
	files := Dir(dir, "/")
	app := quiet(t, files, ishaa.Config{})
	defer files.Stop(t.Context())
	ask := func(name string) int {
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, httptest.NewRequest("GET", "/"+name, nil))
		return rec.Code
	}
	c := files.catalog.Load()
	for i := range 100 {
		ask(fmt.Sprintf("none%d", i))
	}
	if got := c.count.Load(); got != 1 {
		t.Errorf("%d are remembered, want 1", got)
	}
	c.count.Store(maxKnown)
	put("new")
	if status := ask("new"); status != 200 {
		t.Errorf("a file that there is no room for: %d", status)
	}
	if _, known := c.known.Load("new"); known || c.count.Load() != maxKnown {
		t.Error("it is remembered all the same")
	}
	c.count.Store(1)
	if err := os.Remove(filepath.Join(dir, "known")); err != nil {
		t.Fatal(err)
	}
	if status := ask("known"); status != 404 || c.count.Load() != 0 {
		t.Errorf("%d, %d are remembered", status, c.count.Load())
	}
}

// torn is a file system with a folder that cannot be read.
type torn struct{ fstest.MapFS }

func (f torn) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "torn" || f.MapFS["top"] != nil {
		return nil, errors.New("the folder is damaged")
	}
	return f.MapFS.ReadDir(name)
}

func TestScan(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	site := torn{fstest.MapFS{"a.css": {}, "torn/b.css": {}, ".git/config": {}, ".well-known/x": {}, "con": {}, "css/c.css": {}}}
	c := newCatalog(site, "")
	if err := c.scan(t.Context(), logger); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a.css": true, "css/c.css": true, ".well-known/x": true, "torn/b.css": false, ".git/config": false, "con": false} {
		if _, known := c.known.Load(name); known != want {
			t.Errorf("%s is known: %v", name, known)
		}
	}
	if !strings.Contains(log.String(), "damaged") {
		t.Errorf("the log is silent: %s", log.String())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newCatalog(site, "").scan(ended, logger); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context has ended: %v", err)
	}
	site.MapFS["top"] = &fstest.MapFile{}
	if err := newCatalog(site, "").scan(t.Context(), logger); err == nil {
		t.Error("a folder that cannot be read at all is no error")
	}
}

// Requests, addresses and a file that changes, all at once: every answer is whole and
// has the ETag of what is in it.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	contents := []string{strings.Repeat("one", 1000), strings.Repeat("two", 1000)}
	etags := map[string]string{}
	put := func(i int) {
		next := filepath.Join(dir, "next")
		if err := os.WriteFile(next, []byte(contents[i%2]), 0o600); err != nil {
			t.Error(err)
		}
		at := time.Unix(1e9+int64(i), 0)
		if err := errors.Join(os.Chtimes(next, at, at), os.Rename(next, file)); err != nil {
			t.Error(err)
		}
	}
	put(0)
	files := Dir(dir, "/")
	app := quiet(t, files, ishaa.Config{})
	defer files.Stop(t.Context())
	for i, text := range contents {
		put(i)
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, httptest.NewRequest("GET", "/a.txt", nil))
		etags[text] = rec.Header().Get("Etag")
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				for _, target := range []string{"/a.txt", files.URL("a.txt")} {
					rec := httptest.NewRecorder()
					app.ServeHTTP(rec, httptest.NewRequest("GET", target, nil))
					if rec.Code == 200 && etags[rec.Body.String()] != rec.Header().Get("Etag") {
						t.Errorf("%s: %.10s… has the ETag %s", target, rec.Body, rec.Header().Get("Etag"))
					}
				}
			}
		})
	}
	for i := range 100 {
		put(i + 2)
	}
	group.Wait()
}
