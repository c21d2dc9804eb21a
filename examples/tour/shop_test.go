package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// ask sends a request to the shop in memory.
func ask(t *testing.T, shop http.Handler, method, target, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	rec := httptest.NewRecorder()
	shop.ServeHTTP(rec, req)
	return rec
}

func newShop(t *testing.T) http.Handler {
	t.Helper()
	app := newApp()
	app.SetLogger(slog.New(slog.DiscardHandler))
	return app
}

var link = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

// Every link of every page leads somewhere.
func TestLinks(t *testing.T) {
	shop := newShop(t)
	seen := map[string]bool{}
	queue := []string{"/", "/search?q=blue", "/albums/347"}
	for len(queue) > 0 {
		target := queue[0]
		queue = queue[1:]
		if seen[target] {
			continue
		}
		seen[target] = true
		rec := ask(t, shop, "GET", target, "", "")
		if rec.Code != 200 {
			t.Errorf("%s: %d", target, rec.Code)
		}
		if !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(rec.Body.String(), -1) {
			queue = append(queue, html.UnescapeString(m[1]))
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d addresses were found", len(seen))
	}
}

// Following "next" lists every album once.
func TestPaging(t *testing.T) {
	shop := newShop(t)
	listed := map[int]bool{}
	for target := "/api/v1/albums?size=100"; target != ""; {
		rec := ask(t, shop, "GET", target, "", "")
		var page albumPage
		if err := json.Unmarshal(rec.Body.Bytes(), &page); err != nil || page.Total != 347 {
			t.Fatalf("%s: %v: %s", target, err, rec.Body)
		}
		for _, a := range page.Albums {
			if listed[a.ID] {
				t.Errorf("album %d is listed twice", a.ID)
			}
			listed[a.ID] = true
		}
		target = page.Next
	}
	if len(listed) != 347 {
		t.Errorf("%d albums are listed, want 347", len(listed))
	}
}

func TestRefusals(t *testing.T) {
	shop := newShop(t)
	form, parts := "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
	for _, c := range []struct {
		name, method, target, contentType, body string
		status                                  int
		want                                    string
	}{
		{"page of nothing", "GET", "/api/v1/albums?page=0", "", "", 422, "page: expected a number from 1 to 1000"},
		{"page is no number", "GET", "/api/v1/albums?size=ten", "", "", 422, `got \"ten\"`},
		{"past the last page", "GET", "/api/v1/albums?page=1000&size=100", "", "", 200, `{"albums":[],"total":347}`},
		{"unknown genre", "GET", "/api/v1/albums?genre=Polka", "", "", 422, `"genres":["Alternative",`},
		{"unknown host", "GET", "http://polka.shop.example/", "", "", 404, "Not in stock"},
		{"id is no number", "GET", "/api/v1/albums/one", "", "", 404, `"status":404`},
		{"order without items", "POST", "/api/v1/orders", "application/json", `{"items": []}`, 422, "items: expected 1 to 50, got 0"},
		{"order of too many", "POST", "/api/v1/orders", "application/json", `{"items": [{"track": 1, "quantity": 101}]}`, 422, "items/0/quantity"},
		{"order of a wrong type", "POST", "/api/v1/orders", "application/json", `{"items": 1}`, 422, "/items: expected an array"},
		{"order as text", "POST", "/api/v1/orders", "text/plain", `{"items": []}`, 415, `"status":415`},
		{"order too long", "POST", "/api/v1/orders", "application/json", `"` + strings.Repeat("x", 17<<10) + `"`, 413, `"status":413`},
		{"unknown order", "GET", "/api/v1/orders/00000000-0000-4000-8000-000000000000", "", "", 404, "there is no order 00000000"},
		{"unknown favourite", "POST", "/favourite", form, "genre=Polka", 422, `there is no genre \"Polka\"`},
		{"cover that is no image", "POST", "/albums/1/cover", parts,
			"--b\r\nContent-Disposition: form-data; name=\"cover\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n<script>\r\n--b--\r\n", 422, "neither PNG nor JPEG"},
		{"no cover", "POST", "/albums/1/cover", parts, "--b--\r\n", 422, "the file is missing"},
		{"cover of no album", "POST", "/albums/999/cover", parts, "--b--\r\n", 404, "Not in stock"},
		{"radio of nothing", "GET", "/now-playing?count=0", "", "", 422, "count: expected"},
		{"file outside the folder", "GET", "/static/%2e%2e/home.html", "", "", 404, "Not in stock"},
		{"markup in a path", "GET", "/%3Cscript%3E", "", "", 404, "&lt;script&gt;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := ask(t, shop, c.method, c.target, c.contentType, c.body)
			if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) {
				t.Errorf("%d %s\nwant %d with %s", rec.Code, rec.Body, c.status, c.want)
			}
		})
	}
}

func TestOrderIsFoundAtItsLocation(t *testing.T) {
	shop := newShop(t)
	created := ask(t, shop, "POST", "/api/v1/orders", "application/json", `{"items": [{"track": 1, "quantity": 1}, {"track": 2820, "quantity": 1}]}`)
	if created.Code != 201 || !strings.Contains(created.Body.String(), `"total_cents":298`) {
		t.Fatalf("%d %s", created.Code, created.Body)
	}
	shown := ask(t, shop, "GET", created.Header().Get("Location"), "", "")
	if shown.Code != 200 || shown.Body.String() != created.Body.String() {
		t.Errorf("%d %s\nwant %s", shown.Code, shown.Body, created.Body)
	}
}

// Many visitors at once: what they share is locked, and a cover that was uploaded is the one that is shown.
func TestVisitorsAtOnce(t *testing.T) {
	shop := newShop(t)
	drawn := ask(t, shop, "GET", "/albums/2/cover", "", "")
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("cover", "../cover.png")
	if err != nil {
		t.Fatal(err)
	}
	file.Write(drawn.Body.Bytes())
	form.Close()
	var visitors sync.WaitGroup
	for range 8 {
		visitors.Go(func() {
			for id := 3; id < 10; id++ {
				target := fmt.Sprintf("/albums/%d/cover", id)
				if rec := ask(t, shop, "POST", target, form.FormDataContentType(), body.String()); rec.Code != 303 {
					t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
				}
				rec := ask(t, shop, "GET", target, "", "")
				if !bytes.Equal(rec.Body.Bytes(), drawn.Body.Bytes()) || rec.Header().Get("Content-Type") != "image/png" {
					t.Errorf("%s is not what was uploaded", target)
				}
				ask(t, shop, "POST", "/api/v1/orders", "application/json", `{"items": [{"track": 1, "quantity": 1}]}`)
			}
		})
	}
	visitors.Wait()
}

// A radio without an end does not keep the program from stopping.
func TestRadioStopsWithTheProgram(t *testing.T) {
	app := newApp()
	app.SetLogger(slog.New(slog.DiscardHandler))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- app.Serve(ctx, listener) }()

	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+listener.Addr().String()+"/now-playing", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil { // the radio plays
		t.Fatal(err)
	}
	stop()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Errorf("the stream was cut: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// The data in the folder is what its script makes of the database.
func TestDataIsAsExported(t *testing.T) {
	folder := t.TempDir()
	database := filepath.Join(testenv.Conformance(t), "data", "chinook.sqlite")
	cmd := exec.Command(testenv.Python(t), "data/export.py", database, folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"catalog.json.gz", "sales.csv.gz"} {
		exported, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		kept, err := data.ReadFile("data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(inflated(t, exported), inflated(t, kept)) {
			t.Errorf("data/%s differs from what data/export.py makes", name)
		}
	}
}

func inflated(t *testing.T, packed []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
