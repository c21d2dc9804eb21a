package testenv

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// outcome runs a check as a test of its own would and says how it ended.
type outcome struct {
	testing.TB
	skipped, fatal string
}

func (o *outcome) Helper() {}
func (o *outcome) Skip(args ...any) {
	o.skipped = args[0].(string)
	runtime.Goexit()
}
func (o *outcome) Fatalf(format string, args ...any) {
	o.fatal = format
	runtime.Goexit()
}

func ended(check func(testing.TB)) *outcome {
	o := &outcome{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(o)
	}()
	<-done
	return o
}

func TestRootIsTheMainModule(t *testing.T) {
	if _, err := os.Stat(filepath.Join(Root(), "internal", "testenv", "testenv.go")); err != nil {
		t.Errorf("the root is %s: %v", Root(), err)
	}
}

func TestServiceIsSkippedOrRequired(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	t.Setenv("ISHAA_TEST_REQUIRE", "")
	t.Setenv("ISHAA_TEST_REDIS", "redis://"+address)
	if got := Redis(t); got != "redis://"+address {
		t.Errorf("the URL is %s", got)
	}
	listener.Close()

	redis := func(t testing.TB) { Redis(t) }
	if o := ended(redis); !strings.Contains(o.skipped, address) || strings.Contains(o.skipped, "\n") {
		t.Errorf("without a server: %+v", o)
	}
	t.Setenv("ISHAA_TEST_REQUIRE", "browser, services")
	if o := ended(redis); o.fatal == "" || o.skipped != "" {
		t.Errorf("without a required server: %+v", o)
	}
	t.Setenv("ISHAA_TEST_REDIS", "127.0.0.1")
	if o := ended(redis); o.fatal == "" {
		t.Errorf("with nonsense for a URL: %+v", o)
	}
}

func TestProgramIsSkippedOrRequired(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("ISHAA_TEST_BROWSER", "")
	t.Setenv("ISHAA_TEST_REQUIRE", "")
	browser := func(t testing.TB) { Browser(t) }
	if o := ended(browser); !strings.Contains(o.skipped, "package chromium") {
		t.Errorf("without a browser: %+v", o)
	}
	t.Setenv("ISHAA_TEST_REQUIRE", "browser")
	if o := ended(browser); o.fatal == "" {
		t.Errorf("without a required browser: %+v", o)
	}
}

func TestLong(t *testing.T) {
	t.Setenv("ISHAA_TEST_LONG", "1")
	if !Long() {
		t.Error("ISHAA_TEST_LONG=1 is not long")
	}
	t.Setenv("ISHAA_TEST_LONG", "")
	if Long() {
		t.Error("an unset ISHAA_TEST_LONG is long")
	}
}
