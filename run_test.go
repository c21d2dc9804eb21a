package ishaa_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// run starts RunArgs with the flags given and an address of its own, unless they
// name one, and returns where the application listens.
func run(t *testing.T, app *ishaa.App, log *logBook, args ...string) (url string, stop func() error) {
	t.Helper()
	if !strings.Contains(strings.Join(args, " "), "-addr") {
		args = append([]string{"-addr", "127.0.0.1:0"}, args...)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.RunArgs(ctx, args) }()
	stopped := false
	stop = func() error {
		stopped = true
		cancel()
		return receive(t, "the end of RunArgs", ended)
	}
	t.Cleanup(func() {
		if !stopped {
			if err := stop(); err != nil {
				t.Errorf("RunArgs: %v", err)
			}
		}
	})
	eventually(t, "the application listens", func() bool {
		if len(ended) > 0 {
			t.Fatalf("RunArgs ended: %v", <-ended)
		}
		return len(log.records(t, "listening")) > 0
	})
	return log.records(t, "listening")[0]["url"].(string), stop
}

func TestRunArgsServesUntilTheContextEnds(t *testing.T) {
	noLeaks(t)
	app, log := loggedApp(t)
	app.Get("/", text("here"))
	var life []string
	app.OnStart(func(context.Context) error { life = append(life, "start"); return nil })
	app.OnStop(func(context.Context) error { life = append(life, "stop"); return nil })
	url, stop := run(t, app, log)
	answer, err := http.Get(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	readAnswer(answer).wantBody(t, 200, "here")
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Errorf("RunArgs: %v", err)
	}
	same(t, "hooks", life, []string{"start", "stop"})
	for _, msg := range []string{"listening", "draining", "stopped"} {
		if len(log.records(t, msg)) != 1 {
			t.Errorf("the log has %v for %q", log.records(t, msg), msg)
		}
	}
	if _, err := http.Get(url + "/"); err == nil {
		t.Error("the application answers after its end")
	}
}

func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	app := newApp(t)
	started := false
	app.OnStart(func(context.Context) error { started = true; return nil })
	addr := taken.Addr().String()
	err = app.RunArgs(t.Context(), []string{"-addr", addr})
	if want := addr + " is in use by another program; stop it, or choose another address with -addr or ISHAA_ADDR"; err == nil || err.Error() != want {
		t.Errorf("RunArgs: %v, want %s", err, want)
	}
	if started {
		t.Error("the application started though it cannot be reached")
	}
}

func TestUnixSocket(t *testing.T) {
	noLeaks(t)
	path := filepath.Join(t.TempDir(), "app.sock")
	ask := func() (string, error) {
		transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}}
		answer, err := (&http.Client{Transport: transport, Timeout: patience}).Get("http://app/")
		if err != nil {
			return "", err
		}
		return readAnswer(answer).want(t, 200).body, nil
	}
	serveThere := func(name string) func() error {
		app, log := loggedApp(t)
		app.Get("/", text(name))
		url, stop := run(t, app, log, "-addr", "unix:"+path)
		same(t, "url", url, "http+unix:"+path)
		return stop
	}

	stop := serveThere("first")
	if body, err := ask(); body != "first" {
		t.Fatalf("%q, %v", body, err)
	}
	if err := newApp(t).RunArgs(t.Context(), []string{"-addr", "unix:" + path}); err == nil || !strings.Contains(err.Error(), "in use by another program") {
		t.Errorf("a second server: %v", err)
	}
	if body, _ := ask(); body != "first" {
		t.Error("the second server has taken the socket of the first away")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}

	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	stop = serveThere("second")
	if body, err := ask(); body != "second" {
		t.Errorf("over a socket file that a killed process left: %q, %v", body, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(path, []byte("notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newApp(t).RunArgs(t.Context(), []string{"-addr", "unix:" + path}); err == nil {
		t.Error("a file that is no socket was replaced")
	}
	if data, _ := os.ReadFile(path); string(data) != "notes" {
		t.Error("a file that is no socket was removed")
	}
}

// certificate writes a certificate for 127.0.0.1 and its key, and returns a
// client's view of it.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return certFile, keyFile, roots
}

func TestTLSByFiles(t *testing.T) {
	noLeaks(t)
	certFile, keyFile, roots := certificate(t)
	app, log := loggedApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) { return ishaa.Text(r.Scheme()), nil })
	url, _ := run(t, app, log, "-tls-cert", certFile, "-tls-key", keyFile)
	if !strings.HasPrefix(url, "https://127.0.0.1:") {
		t.Errorf("url %q", url)
	}
	get := func(protocol2 bool, highest uint16) (*http.Response, error) {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: highest},
			ForceAttemptHTTP2: protocol2,
		}
		t.Cleanup(transport.CloseIdleConnections)
		return (&http.Client{Transport: transport, Timeout: patience}).Get(url + "/")
	}
	for _, c := range []struct {
		name     string
		protocol int
		highest  uint16
		refused  bool
	}{
		{"TLS 1.3, HTTP/2", 2, tls.VersionTLS13, false},
		{"TLS 1.3, HTTP/1.1", 1, tls.VersionTLS13, false},
		{"TLS 1.2, HTTP/2", 2, tls.VersionTLS12, false},
		{"TLS 1.1", 1, tls.VersionTLS11, true},
		{"TLS 1.0", 1, tls.VersionTLS10, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := get(c.protocol == 2, c.highest)
			if c.refused {
				if err == nil {
					answer.Body.Close()
					t.Error("was accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			res := readAnswer(answer).wantBody(t, 200, "https")
			if answer.ProtoMajor != c.protocol || answer.TLS.Version != c.highest {
				t.Errorf("%s over %s", answer.Proto, tls.VersionName(answer.TLS.Version))
			}
			if res.header.Get("Strict-Transport-Security") == "" {
				t.Error("no Strict-Transport-Security")
			}
		})
	}
}

func TestWrongTLSFilesStopTheProgram(t *testing.T) {
	certFile, keyFile, _ := certificate(t)
	otherCert, _, _ := certificate(t)
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no such file", []string{"-tls-cert", "missing.pem", "-tls-key", keyFile}, "tls-cert missing.pem, tls-key "},
		{"another key", []string{"-tls-cert", otherCert, "-tls-key", keyFile}, "private key does not match public key"},
		{"no key", []string{"-tls-cert", certFile}, "tls-cert and tls-key: give both or neither"},
	} {
		for _, command := range [][]string{{"-addr", "127.0.0.1:0"}, {"check"}} {
			t.Run(c.name+" "+command[0], func(t *testing.T) {
				app := newApp(t)
				app.OnStart(func(context.Context) error { t.Error("started"); return nil })
				err := app.RunArgs(t.Context(), append(c.args, command...))
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("RunArgs: %v, want %q", err, c.says)
				}
			})
		}
	}
}

func TestStartHookThatFailsKeepsTheProgramFromServing(t *testing.T) {
	app := newApp(t)
	var stopped []string
	app.OnStop(func(context.Context) error { stopped = append(stopped, "before"); return nil })
	app.OnStart(func(context.Context) error { return errors.New("no database") })
	app.OnStop(func(context.Context) error { stopped = append(stopped, "after"); return nil })
	err := app.RunArgs(t.Context(), []string{"-addr", "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "run_test.go:") || !strings.Contains(err.Error(), "no database") {
		t.Errorf("RunArgs: %v", err)
	}
	same(t, "stopped", stopped, []string{"before"})
}

func TestStartThatPanicsIsNotRepeated(t *testing.T) {
	app := newApp(t)
	app.Get("/", text("here"))
	app.OnStart(func(context.Context) error { panic("no") })
	recovered(t, func() { do(t, app, "GET", "/") })
	do(t, app, "GET", "/").want(t, 503)
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("Start: %v", err)
	}
}

func TestFlagsAndUsage(t *testing.T) {
	app := newApp(t)
	app.Command(ishaa.Command{Name: "seed", Usage: "fill the shop", Run: nothing})
	printed, err := runPrinting(t, app, "-h")
	if !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
	for _, line := range []string{
		"test serves, or runs a command:",
		"  check    check that the application would start",
		"  seed     fill the shop",
		"  -addr                 address to listen on: host:port or unix:/path (127.0.0.1:8000)",
		"  -debug                error pages with code, for clients on this machine",
		"  -drain-timeout        time for requests under way at shutdown (20s)",
		"  -trusted-proxies      addresses and networks whose word is taken, separated by commas",
	} {
		if !strings.Contains(printed, line+"\n") {
			t.Errorf("the usage lacks the line %q:\n%s", line, printed)
		}
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-nosuch"}, "flag provided but not defined: -nosuch; -h lists the flags"},
		{[]string{"-addr"}, "flag needs an argument: -addr; -h lists the flags"},
		{[]string{"-debug=perhaps"}, `-debug: "perhaps": give true or false`},
		{[]string{"-body-limit", "many"}, `-body-limit: "many": give a number of bytes, such as 1048576`},
		{[]string{"-read-timeout", "5"}, `-read-timeout: "5": give a duration such as 30s or 2m`},
	} {
		if printed, err := runPrinting(t, newApp(t), c.args...); err == nil || err.Error() != c.says || printed != "" {
			t.Errorf("%q: %v, printed %q; want %s", c.args, err, printed, c.says)
		}
	}
}

// nothing is a command's function.
func nothing(context.Context, *ishaa.App, []string, io.Writer) error { return nil }

// runPrinting runs the application with arguments that do not have it serve, and
// gives what it wrote to standard output.
func runPrinting(t *testing.T, app *ishaa.App, args ...string) (string, error) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	printed := make(chan string, 1)
	go func() {
		var buf bytes.Buffer
		_, _ = buf.ReadFrom(read)
		printed <- buf.String()
	}()
	stdout := os.Stdout
	os.Stdout = write
	defer func() { os.Stdout = stdout }()
	err = app.RunArgs(t.Context(), args)
	os.Stdout = stdout
	write.Close()
	defer read.Close()
	return receive(t, "what was printed", printed), err
}

// An application may be stopped by whoever serves it; then it drains as well.
func TestStopBeginsDraining(t *testing.T) {
	app := newApp(t)
	app.Get("/", text("here"))
	do(t, app, "GET", "/").want(t, 200)
	select {
	case <-app.Draining():
		t.Fatal("draining before Stop")
	default:
	}
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	receive(t, "Draining to be closed", app.Draining())
}

func TestListenerThatFailsEndsTheProgram(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	stopped := false
	app.OnStop(func(context.Context) error { stopped = true; return fmt.Errorf("stopping") })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	err = app.Serve(t.Context(), listener)
	if !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "stopping") || !stopped {
		t.Errorf("Serve: %v, stopped %t", err, stopped)
	}
}

// Event streams end by themselves when the application drains, whatever they are
// sent over.
func TestEventStreamsEndWhenDraining(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprint("HTTP/", version), func(t *testing.T) {
			noLeaks(t)
			app, log := loggedApp(t)
			app.Get("/", func(r *ishaa.Request) (any, error) {
				ctx := r.Context()
				return ishaa.Events(func(yield func(string, error) bool) {
					if yield("first", nil) {
						<-ctx.Done()
					}
				}), nil
			})
			url, stop := run(t, app, log, "-tls-cert", certFile, "-tls-key", keyFile)
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: version == 2}
			defer transport.CloseIdleConnections()
			answer, err := (&http.Client{Transport: transport, Timeout: patience}).Get(url + "/")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			first := make([]byte, len("data: first\n\n"))
			if _, err := io.ReadFull(answer.Body, first); err != nil || answer.ProtoMajor != version {
				t.Fatalf("%q over %s, %v", first, answer.Proto, err)
			}
			ended := make(chan error, 1)
			go func() { ended <- stop() }()
			if rest, err := io.ReadAll(answer.Body); err != nil || len(rest) > 0 {
				t.Errorf("the rest of the stream is %q, %v", rest, err)
			}
			if err := receive(t, "the end of the server", ended); err != nil {
				t.Error(err)
			}
			if failures := log.records(t, "request failed"); len(failures) > 0 {
				t.Errorf("the log has %v", failures)
			}
		})
	}
}

// Who started the program learns when it answers, by the protocol of systemd.
func TestNotify(t *testing.T) {
	noLeaks(t)
	place := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: place, Net: "unixgram"})
	if err != nil {
		t.Skipf("no unix datagrams: %v", err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", place)
	app, log := loggedApp(t)
	_, stop := run(t, app, log)
	if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 64)
	n, err := socket.Read(buffer)
	if err != nil || string(buffer[:n]) != "READY=1" {
		t.Errorf("%q, %v", buffer[:n], err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
