package zstd_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	lib "github.com/klauspost/compress/zstd"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/middleware/zstd"
)

func Example() {
	app := ishaa.New("shop")
	app.Use(middleware.Compress(middleware.CompressOptions{
		Encodings: []middleware.Encoding{zstd.Encoding(), middleware.Gzip(0)},
	}))
	app.Get("/", func(*ishaa.Request) (any, error) { return strings.Repeat("<p>Hello</p>", 1000), nil })

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip, br, zstd")
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Println(w.Header().Get("Content-Encoding"), w.Body.Len() < 100)
	// Output: zstd true
}

// Many bodies at once, with encoders that are passed around, each come out whole
// and within the window that clients have to allow (RFC 9659).
func TestEncodersAreReused(t *testing.T) {
	encoding := zstd.Encoding()
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
				z, err := lib.NewReader(nil, lib.WithDecoderMaxWindow(1<<20))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := z.DecodeAll(out.Bytes(), nil)
				z.Close()
				if err != nil || string(got) != want {
					t.Errorf("%d bytes came out, want %d: %v", len(got), len(want), err)
				}
			}
		})
	}
	wg.Wait()
}
