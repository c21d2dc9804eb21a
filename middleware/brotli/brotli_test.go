package brotli_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	lib "github.com/andybalholm/brotli"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/middleware/brotli"
)

func Example() {
	app := ishaa.New("shop")
	app.Use(middleware.Compress(middleware.CompressOptions{
		Encodings: []middleware.Encoding{brotli.Encoding(0), middleware.Gzip(0)},
	}))
	app.Get("/", func(*ishaa.Request) (any, error) { return strings.Repeat("<p>Hello</p>", 1000), nil })

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Println(w.Header().Get("Content-Encoding"), w.Body.Len() < 100)
	// Output: br true
}

// Many bodies at once, with encoders that are passed around, each come out whole.
func TestEncodersAreReused(t *testing.T) {
	encoding := brotli.Encoding(1)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				want := strings.Repeat(fmt.Sprint(i, n, " "), 1+n*3000)
				var out bytes.Buffer
				e := encoding.New(&out)
				_, _ = e.Write([]byte(want))
				if err := e.Close(); err != nil {
					t.Error(err)
				}
				if err := e.Close(); err != nil {
					t.Error("closing again:", err)
				}
				got, err := io.ReadAll(lib.NewReader(&out))
				if err != nil || string(got) != want {
					t.Errorf("%d bytes came out, want %d: %v", len(got), len(want), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestLevels(t *testing.T) {
	for _, level := range []int{-1, 12} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "1 to 11") {
					t.Errorf("level %d: %s", level, text)
				}
			}()
			brotli.Encoding(level)
		}()
	}
}
