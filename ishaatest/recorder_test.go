package ishaatest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// This file is what the tests of the tester share: recorder, a testing.TB that
// keeps what it is told, so that a check can be seen to fail, and everywhere,
// which runs a test over each kind of connection.

const patience = 10 * time.Second

// recorder stands in for the test of a program.
type recorder struct {
	testing.TB // the test behind it, for what is not recorded
	mu         sync.Mutex
	failures   []string
	logs       []string
	cleanups   []func()
	output     bytes.Buffer
}

func (r *recorder) Helper()      {}
func (r *recorder) Name() string { return "TestRecorded" }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func (r *recorder) Cleanup(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, fn)
}

func (r *recorder) Output() io.Writer { return (*recorderOutput)(r) }

type recorderOutput recorder

func (o *recorderOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.output.Write(p)
}

// end runs the cleanups, last first.
func (r *recorder) end() {
	for {
		r.mu.Lock()
		n := len(r.cleanups)
		if n == 0 {
			r.mu.Unlock()
			return
		}
		fn := r.cleanups[n-1]
		r.cleanups = r.cleanups[:n-1]
		r.mu.Unlock()
		fn()
	}
}

// record runs fn as the test of a program, to its end.
func record(t testing.TB, fn func(t testing.TB)) *recorder {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.end()
		fn(r)
	}()
	<-done
	return r
}

// fails checks that fn fails its test, once, with a message that has all parts.
func fails(t *testing.T, fn func(t testing.TB), parts ...string) {
	t.Helper()
	r := record(t, fn)
	if len(r.failures) != 1 {
		t.Fatalf("the test failed %d times, want once: %q", len(r.failures), r.failures)
	}
	for _, part := range parts {
		if !strings.Contains(r.failures[0], part) {
			t.Errorf("the failure lacks %q:\n%s", part, r.failures[0])
		}
	}
}

// passes checks that fn does not fail its test.
func passes(t *testing.T, fn func(t testing.TB)) *recorder {
	t.Helper()
	r := record(t, fn)
	if len(r.failures) > 0 {
		t.Fatalf("the test failed: %q", r.failures)
	}
	return r
}

// everywhere runs a test in process and over a socket, each with and without TLS.
func everywhere(t *testing.T, test func(t *testing.T, how ...ishaatest.Option)) {
	for _, mode := range []struct {
		name    string
		options []ishaatest.Option
	}{
		{"in process", nil},
		{"over a socket", []ishaatest.Option{ishaatest.OverSocket()}},
		{"in process, TLS", []ishaatest.Option{ishaatest.TLS()}},
		{"over a socket, TLS", []ishaatest.Option{ishaatest.OverSocket(), ishaatest.TLS()}},
	} {
		t.Run(mode.name, func(t *testing.T) {
			ishaatest.NoLeaks(t)
			test(t, mode.options...)
		})
	}
}

// with puts options together.
func with(how []ishaatest.Option, more ...ishaatest.Option) []ishaatest.Option {
	return append(append([]ishaatest.Option{}, how...), more...)
}

// receive takes a value from a channel.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatalf("after %s, still waiting for: %s", patience, what)
		panic("unreachable")
	}
}

// echoed is what the echo handler saw.
type echoed struct {
	Method  string              `json:"method"`
	Target  string              `json:"target"`
	Host    string              `json:"host"`
	Header  map[string][]string `json:"header"`
	Body    string              `json:"body"`
	Length  int64               `json:"length"`
	TLS     bool                `json:"tls"`
	Cookies map[string]string   `json:"cookies"`
}

// echo answers with what the request was.
var echo = http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
	body, err := io.ReadAll(raw.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	seen := echoed{
		Method: raw.Method, Target: raw.RequestURI, Host: raw.Host, Header: raw.Header,
		Body: string(body), Length: raw.ContentLength, TLS: raw.TLS != nil, Cookies: map[string]string{},
	}
	for _, cookie := range raw.Cookies() {
		seen.Cookies[cookie.Name] = cookie.Value
	}
	writeJSON(w, seen)
})

// newApp returns an application that has the echo handler at /echo/.
func newApp() *ishaa.App {
	app := ishaa.New("test")
	app.Mount("/echo/", echo)
	return app
}

// selfSigned makes a certificate for localhost.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func pkcs8(t *testing.T, pair tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
