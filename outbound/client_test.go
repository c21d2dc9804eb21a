package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/outbound"
)

// Redirects go no further than requests, and carry nothing along.
func TestRedirects(t *testing.T) {
	var port string
	var mu sync.Mutex
	var seen []string // what arrived at /end
	client, port := serverFor(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			mu.Lock()
			seen = append(seen, fmt.Sprint(r.Header["Authorization"], r.Header["Cookie"], r.Header["X-Api-Key"], r.Header["Referer"], r.Header["Accept"]))
			mu.Unlock()
			return
		}
		status := http.StatusFound
		if r.URL.Query().Get("keep") != "" {
			status = http.StatusTemporaryRedirect
		}
		http.Redirect(w, r, r.URL.Query().Get("to"), status)
	})
	here, there := "http://api.example:"+port, "http://other.example:"+port
	everything, nothing := "[Bearer x] [a=1] [secret]", "[] [] []"
	for _, c := range []struct {
		name, to string
		want     string // of what arrives; "" for nothing
	}{
		{"within the origin", here + "/end", everything},
		{"relative", "/end", everything},
		{"to another origin", there + "/end", nothing},
		{"to a name below", "http://sub.api.example:" + port + "/end", nothing},
		{"to another origin and back", there + "/?to=" + here + "/end", nothing},
		{"to loopback", "http://localhost:" + port + "/end", ""},
		{"to an address", "http://[::1]:" + port + "/end", ""},
		{"to metadata", "http://169.254.169.254/end", ""},
		{"to a decimal address", "http://2130706433:" + port + "/end", ""},
		{"to another port", "http://api.example:1/end", ""},
		{"to a file", "file:///etc/passwd", ""},
		{"without a scheme", "//evil.example/end", ""},
		{"with a backslash", "/\\evil.example/end", ""},
		{"with a user", "http://a:b@other.example:" + port + "/end", ""},
		{"for ever", "/?to=/%3Fto=/%253Fto=/%25253Fto=/%2525253Fto=/%252525253Fto=/%25252525253Fto=/end", ""},
	} {
		seen = nil
		req, err := http.NewRequest("GET", here+"/?to="+strings.NewReplacer("?", "%3F", "&", "%26", "%", "%25").Replace(c.to), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer x"}, "Cookie": {"a=1"}, "X-Api-Key": {"secret"}, "Accept": {"text/plain"}}
		res, err := client.Do(req)
		if err == nil {
			res.Body.Close()
		}
		got := strings.Join(seen, "; ")
		if c.want == "" {
			if got != "" || err == nil && res.StatusCode == 200 {
				t.Errorf("%s: %v, arrived %s", c.name, err, got)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(got, c.want) || !strings.HasSuffix(got, "[text/plain]") {
			t.Errorf("%s: %v, arrived %s, want %s", c.name, err, got, c.want)
		}
		if c.want == nothing && strings.Contains(got, "to=") {
			t.Errorf("%s: the address that it came from went along: %s", c.name, got)
		}
	}
	// A body stays within its origin.
	for to, allowed := range map[string]bool{here + "/end": true, there + "/end": false} {
		res, err := client.Post(here+"/?keep=1&to="+to, "text/plain", strings.NewReader("password"))
		if (err == nil) != allowed {
			t.Errorf("a body to %s: %v", to, err)
		}
		if err == nil {
			res.Body.Close()
		}
	}
	never, port := serverFor(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) },
		func(o *outbound.Options) { o.MaxRedirects = -1 })
	if res, err := never.Get("http://api.example:" + port + "/"); err != nil || res.StatusCode != 302 {
		t.Errorf("without redirects: %v %v", res, err)
	} else {
		res.Body.Close()
	}
}

func TestSizeLimits(t *testing.T) {
	client, port := serverFor(t, func(w http.ResponseWriter, r *http.Request) {
		body := bytes.Repeat([]byte("x"), 1000)
		switch r.URL.Path {
		case "/exact":
			w.Write(body)
		case "/announced":
			w.Write(append(body, 'x'))
		case "/unannounced":
			w.Write(body)
			w.(http.Flusher).Flush()
			w.Write(body)
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(bytes.Repeat(body, 1000))
			z.Close()
		case "/header":
			for i := range 100 {
				w.Header().Set(fmt.Sprint("X-", i), string(body))
			}
		}
	}, func(o *outbound.Options) { o.MaxBytes = 1000 })
	for path, size := range map[string]int{"/exact": 1000, "/announced": -1, "/unannounced": 1000, "/bomb": 1000, "/header": -1} {
		res, err := client.Get("http://api.example:" + port + path)
		if size < 0 {
			if err == nil {
				res.Body.Close()
				t.Errorf("%s: no error", path)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		data, err := io.ReadAll(res.Body)
		res.Body.Close()
		if len(data) != size || (path == "/exact") != (err == nil) || err != nil && !errors.Is(err, outbound.ErrTooLarge) {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	client, port := serverFor(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-release
	}, func(o *outbound.Options) { o.Timeout = 50 * time.Millisecond })
	defer close(release)
	res, err := client.Get("http://api.example:" + port + "/")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("a body that never ends is waited for")
	}
}

// tick advances the clock whenever somebody waits, and notes for how long.
func tick(t *testing.T, clock *ishaatest.Clock) (waits func() time.Duration) {
	begun := clock.Now()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				clock.Advance(100 * time.Millisecond)
			}
		}
	})
	t.Cleanup(func() { close(done); wg.Wait() })
	return func() time.Duration { return clock.Now().Sub(begun) }
}

func TestRetries(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		method   string
		header   string // of the request
		body     io.Reader
		status   int
		after    string // Retry-After
		fails    int    // so many attempts
		attempts int
		final    int
		least    time.Duration
	}{
		{name: "good at once", method: "GET", attempts: 1, final: 200},
		{name: "good the third time", method: "GET", status: 503, fails: 2, attempts: 3, final: 200},
		{name: "never good", method: "GET", status: 503, fails: 9, attempts: 3, final: 503},
		{name: "too many requests", method: "GET", status: 429, fails: 1, attempts: 2, final: 200},
		{name: "a gateway", method: "HEAD", status: 502, fails: 1, attempts: 2, final: 200},
		{name: "no use in asking again", method: "GET", status: 500, fails: 1, attempts: 1, final: 500},
		{name: "not found", method: "GET", status: 404, fails: 1, attempts: 1, final: 404},
		{name: "POST", method: "POST", status: 503, fails: 1, attempts: 1, final: 503, body: strings.NewReader("x")},
		{name: "PATCH", method: "PATCH", status: 503, fails: 1, attempts: 1, final: 503, body: strings.NewReader("x")},
		{name: "POST with a key", method: "POST", header: "Idempotency-Key", status: 503, fails: 1, attempts: 2, final: 200, body: strings.NewReader("x")},
		{name: "PUT", method: "PUT", status: 503, fails: 1, attempts: 2, final: 200, body: strings.NewReader("x")},
		{name: "PUT of what cannot be read again", method: "PUT", status: 503, fails: 1, attempts: 1, final: 503, body: io.MultiReader(strings.NewReader("x"))},
		{name: "DELETE", method: "DELETE", status: 503, fails: 1, attempts: 2, final: 200},
		{name: "Retry-After", method: "GET", status: 503, after: "2", fails: 1, attempts: 2, final: 200, least: 2 * time.Second},
		{name: "Retry-After as a date", method: "GET", status: 503, after: now.Add(3 * time.Second).Format(http.TimeFormat), fails: 1, attempts: 2, final: 200},
		{name: "Retry-After too long", method: "GET", status: 503, after: "3600", fails: 1, attempts: 1, final: 503},
		{name: "Retry-After that is none", method: "GET", status: 503, after: "soon", fails: 1, attempts: 2, final: 200},
		{name: "the connection is cut", method: "GET", status: -1, fails: 2, attempts: 3, final: 200},
		{name: "the connection is cut, POST", method: "POST", status: -1, fails: 2, attempts: 1, final: -1, body: strings.NewReader("x")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var attempts atomic.Int64
			clock := ishaatest.NewClock(now)
			client, port := serverFor(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if c.body != nil && string(body) != "x" {
					t.Errorf("the body is %q", body)
				}
				if attempts.Add(1) > int64(c.fails) {
					return
				}
				if c.status < 0 {
					panic(http.ErrAbortHandler)
				}
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.status)
			}, func(o *outbound.Options) { o.Clock = clock; o.MaxWait = 5 * time.Second })
			waited := tick(t, clock)
			req, err := http.NewRequest(c.method, "http://api.example:"+port+"/", c.body)
			if err != nil {
				t.Fatal(err)
			}
			if c.header != "" {
				req.Header.Set(c.header, "1")
			}
			res, err := client.Do(req)
			final := -1
			if err == nil {
				res.Body.Close()
				final = res.StatusCode
			}
			if final != c.final || attempts.Load() != int64(c.attempts) || waited() < c.least {
				t.Errorf("%d after %d attempts and %v (%v), want %d after %d", final, attempts.Load(), waited(), err, c.final, c.attempts)
			}
		})
	}
}

func TestTrace(t *testing.T) {
	type spanKey struct{}
	var events []string
	var failed atomic.Bool
	client, port := serverFor(t, func(w http.ResponseWriter, r *http.Request) {
		if failed.CompareAndSwap(false, true) {
			w.WriteHeader(503)
		}
		if r.Header.Get("Traceparent") == "" {
			t.Error("the header did not arrive")
		}
	}, func(o *outbound.Options) {
		o.Trace = func(ctx context.Context, attempt int, req *http.Request) (context.Context, func(*http.Response, error)) {
			req.Header.Set("Traceparent", fmt.Sprint(attempt))
			return context.WithValue(ctx, spanKey{}, attempt), func(res *http.Response, err error) {
				events = append(events, fmt.Sprint(attempt, " ", res.StatusCode, " ", err))
			}
		}
	})
	req, _ := http.NewRequest("GET", "http://api.example:"+port+"/", nil)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got := strings.Join(events, ", "); got != "1 503 <nil>, 2 200 <nil>" || req.Header.Get("Traceparent") != "" {
		t.Errorf("%s; the request has %v", got, req.Header)
	}
}

func TestShadowSendsNothingThatChanges(t *testing.T) {
	var arrived []string
	client, port := serverFor(t, func(_ http.ResponseWriter, r *http.Request) { arrived = append(arrived, r.Method) })
	var seen []effect.Intent
	shadow := effect.WithShadow(t.Context(), effect.RecorderFunc(func(i effect.Intent) { seen = append(seen, i) }))
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"} {
		req, err := http.NewRequestWithContext(shadow, method, "http://api.example:"+port+"/orders?token=secret", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if changes := method != "GET" && method != "HEAD"; changes != (res.StatusCode == 202) {
			t.Errorf("%s is %d", method, res.StatusCode)
		}
	}
	if fmt.Sprint(arrived) != "[GET HEAD]" || len(seen) != 4 {
		t.Errorf("arrived %v, reported %v", arrived, seen)
	}
	if seen[0].Kind != "http" || seen[0].Target != "http://api.example:"+port+"/orders" || !strings.HasPrefix(seen[0].Detail, "POST 4 bytes ") || strings.Contains(fmt.Sprint(seen), "secret") {
		t.Errorf("%+v", seen[0])
	}
	req, _ := http.NewRequestWithContext(shadow, "POST", "http://evil.example/", nil)
	if _, err := client.Do(req); err == nil {
		t.Error("a shadow does not see that a host is refused")
	}
}
