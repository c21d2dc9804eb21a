//go:build unix

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
)

const (
	formType = "application/x-www-form-urlencoded"
	partType = "multipart/form-data; boundary=b"
)

func TestContract(t *testing.T) {
	base := start(t).URL("http")
	for _, c := range []struct {
		name, method, target string
		contentType, body    string
		status               int
		want                 string // stands in the answer
	}{
		{"page", "GET", "/", "", "", 200, "<h1>Conformance</h1>"},
		{"any other path", "GET", "/nothing", "", "", 404, `"status":404`},
		{"any other path under _x", "GET", "/_x/nothing", "", "", 404, `"status":404`},
		{"json", "POST", "/_x/json", "application/json", `{"b": [1.0e2, "é"], "a": null}`, 200, `{"b":[1.0e2,"é"],"a":null}`},
		{"json not strict", "POST", "/_x/json", "application/json", `{"a": 1} x`, 400, `"status":400`},
		{"json with a name twice", "POST", "/_x/json", "application/json", `{"a": 1, "a": 2}`, 200, `{"a":1,"a":2}`},
		{"header that would be two", "GET", "/_x/hdr?v=a%0D%0AX-Evil:%201", "", "", 500, `"status":500`},
		{"panic", "GET", "/_x/boom", "", "", 500, `"status":500`},
		{"form", "POST", "/_x/form", formType, "a=1&b=x%20y&a=2", 200, `{"a":["1","2"],"b":["x y"]}`},
		{"upload", "POST", "/_x/upload", partType, "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nBlue\r\n" +
			"--b\r\nContent-Disposition: form-data; name=\"cover\"; filename=\"../../a.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b--\r\n", 200,
			`[{"name":"title","size":4,"b64":"Qmx1ZQ=="},{"name":"cover","filename":"a.png","ct":"image/png","size":3,"b64":"UE5H"}]`},
		{"upload of no form", "POST", "/_x/upload", "text/plain", "x", 415, `"status":415`},
		{"client", "GET", "/_x/ip", "", "", 200, "127.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequest(c.method, base+c.target, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if c.contentType != "" {
				req.Header.Set("Content-Type", c.contentType)
			}
			res := do(t, client(), req)
			if res.StatusCode != c.status || !strings.Contains(res.body, c.want) {
				t.Errorf("%d %s\nwant %d with %s", res.StatusCode, res.body, c.status, c.want)
			}
		})
	}
}

func TestRedirectAndHeader(t *testing.T) {
	base := start(t).URL("http")
	for _, c := range []struct{ target, header, want string }{
		{"/_x/go?next=/cart%3Fa=1", "Location", "/cart?a=1"},
		{"/_x/go?next=//evil.example/", "Location", "/"},
		{"/_x/go", "Location", "/"},
		{"/_x/hdr?v=quiet", "X-V", "quiet"},
	} {
		req, err := http.NewRequest("GET", base+c.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := do(t, client(), req).Header.Get(c.header); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.target, c.header, got, c.want)
		}
	}
}

func TestEchoOfARequest(t *testing.T) {
	address := start(t).Address("http")
	req, err := http.NewRequest("REPORT", "http://"+address+"/_x/echo?q=a%20b&q", io.NopCloser(strings.NewReader("body")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Two", "2")
	req.Trailer = http.Header{"X-Sum": {"42"}}
	res := do(t, client(), req)
	var got seen
	if err := json.Unmarshal([]byte(res.body), &got); err != nil {
		t.Fatalf("%v in %s", err, res.body)
	}
	if got.Headers.Get("X-Two") != "2" {
		t.Errorf("the headers are %v", got.Headers)
	}
	got.Headers = nil
	want := seen{
		Method: "REPORT", Target: "/_x/echo?q=a%20b&q", Path: "/_x/echo", Query: "q=a%20b&q", Host: address,
		Body: base64.StdEncoding.EncodeToString([]byte("body")), Trailers: http.Header{"X-Sum": {"42"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEchoMode(t *testing.T) {
	base := start(t, "-echo").URL("http")
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"POST", "/", 200, "octets \x00\xff"},
		{"GET", "/", 200, "octets \x00\xff"},
		{"PROPFIND", "/a/b%20c", 200, "octets \x00\xff"},
		{"POST", "/_x/nothing", 404, ""},
		{"POST", "/a/../b", 404, ""},
	} {
		req, err := http.NewRequest(c.method, base+c.path, strings.NewReader("octets \x00\xff"))
		if err != nil {
			t.Fatal(err)
		}
		res := do(t, client(), req)
		if res.StatusCode != c.status || c.want != "" && res.body != c.want {
			t.Errorf("%s %s: %d %q", c.method, c.path, res.StatusCode, res.body)
		}
	}
}

func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	app := start(t, "-tls", "127.0.0.1:0", "-cert", cert, "-key", key)
	c := &http.Client{Timeout: launch.Patience, Transport: &http.Transport{
		DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool},
	}}
	req, err := http.NewRequest("GET", app.URL("https")+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	res := do(t, c, req)
	if res.StatusCode != 200 || res.ProtoMajor != 2 || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %d %v", res.Proto, res.StatusCode, res.Header)
	}
	plain, err := http.NewRequest("GET", app.URL("http")+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res := do(t, client(), plain); res.StatusCode != 200 || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("without TLS: %d %v", res.StatusCode, res.Header)
	}
}

// certificate writes a certificate for 127.0.0.1 and its key, and returns the pool that trusts it.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER), pool
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // of the error; "" is none
	}{
		{[]string{"-addr", "127.0.0.1:1", "-dir", "d", "-echo", "-jwt-secret", "s", "-db", "sqlite://x"}, ""},
		{[]string{"-tls", "127.0.0.1:1"}, "-tls needs -cert and -key"},
		{[]string{"routes"}, `unexpected argument "routes"`},
	} {
		_, err := parseOptions(c.args)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.args, err, c.want)
		}
	}
}

// One address that cannot be had ends the other too.
func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cert, key, _ := certificate(t)
	ctx, cancel := context.WithTimeout(t.Context(), launch.Patience)
	defer cancel()
	err = serve(ctx, options{addr: "127.0.0.1:0", tlsAddr: taken.Addr().String(), cert: cert, key: key})
	if err == nil || !strings.Contains(err.Error(), "is in use") || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Errorf("serving on a taken address: %v", err)
	}
}
