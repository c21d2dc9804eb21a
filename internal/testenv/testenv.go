// Package testenv says what a test may count on: where the repository is, and whether conformance data, a browser,
// databases and brokers are at hand. It is for tests only.
//
//	func TestQueries(t *testing.T) {
//		db := open(testenv.Postgres(t)) // skips, with one line that says why, where there is no PostgreSQL
//		…
//	}
//
// What is absent skips a test. A machine that must not skip says so: ISHAA_TEST_REQUIRE is a comma-separated list of
// "conformance", "browser", "services" and "python", whose absence then fails the test.
package testenv

import (
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const module = "module github.com/ishaa-framework/ishaa"

// Root returns the absolute path of the repository: the nearest folder upwards whose go.mod declares the main module.
// It panics if a test runs outside of it.
func Root() string { return root() }

var root = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic("testenv: " + err.Error())
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			for line := range strings.Lines(string(mod)) {
				if strings.TrimSpace(line) == module {
					return dir
				}
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("testenv: no go.mod with \"" + module + "\" in this folder or above it: run tests inside the repository")
		}
		dir = parent
	}
})

// Conformance returns the folder of the conformance batteries, which lies beside the repository, not in it.
func Conformance(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(Root(), "..", "shared", "conformance")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		missing(t, "conformance", "no conformance data in ../shared/conformance beside the repository")
	}
	return dir
}

// Browser returns the path of a Chromium that can be driven without a display.
func Browser(t testing.TB) string {
	t.Helper()
	return program(t, "browser", "no Chromium: install Debian's package chromium",
		os.Getenv("ISHAA_TEST_BROWSER"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
}

// Python returns the path of python3, which the conformance batteries run on.
func Python(t testing.TB) string {
	t.Helper()
	return program(t, "python", "no python3: install Debian's package python3", "python3")
}

// PythonWith returns the path of a python3 that has a module, which some conformance data is generated with: the one
// in PATH, or the system's, which Debian's packages belong to.
func PythonWith(t testing.TB, module string) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import "+module).Run() == nil {
			return path
		}
	}
	missing(t, "python", "no python3 with "+module+": install Debian's package python3-"+module)
	return ""
}

// NodeWith returns the path of a Node.js and the environment in which it finds a module: one that is installed for all
// (Debian's packages node-… are), or below ISHAA_TEST_NODE_MODULES.
func NodeWith(t testing.TB, module string) (path string, env []string) {
	t.Helper()
	path, err := exec.LookPath("node")
	if err == nil {
		places := filepath.SplitList(os.Getenv("NODE_PATH"))
		places = append(places, os.Getenv("ISHAA_TEST_NODE_MODULES"), "/usr/share/nodejs", "/usr/lib/node_modules")
		env = append(os.Environ(), "NODE_PATH="+strings.Join(places, string(filepath.ListSeparator)))
		cmd := exec.Command(path, "-e", "require(process.argv[1])", module)
		cmd.Env = env
		if cmd.Run() == nil {
			return path, env
		}
	}
	missing(t, "node", "no Node.js with "+module+": install Debian's package nodejs and the npm package, and say where in ISHAA_TEST_NODE_MODULES")
	return "", nil
}

// Long reports whether tests that take minutes are wanted: ISHAA_TEST_LONG=1.
func Long() bool { return os.Getenv("ISHAA_TEST_LONG") == "1" }

// Postgres returns the URL of a PostgreSQL database that tests may fill: ISHAA_TEST_POSTGRES, or "test" on loopback.
func Postgres(t testing.TB) string {
	t.Helper()
	return service(t, "ISHAA_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/test", "5432")
}

// MySQL returns the URL of a MySQL or MariaDB database that tests may fill: ISHAA_TEST_MYSQL, or "test" on loopback.
func MySQL(t testing.TB) string {
	t.Helper()
	return service(t, "ISHAA_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test", "3306")
}

// Redis returns the URL of a Redis server that tests may fill: ISHAA_TEST_REDIS, or one on loopback.
func Redis(t testing.TB) string {
	t.Helper()
	return service(t, "ISHAA_TEST_REDIS", "redis://127.0.0.1:6379", "6379")
}

// NATS returns the URL of a NATS server that tests may fill: ISHAA_TEST_NATS, or one on loopback.
func NATS(t testing.TB) string {
	t.Helper()
	return service(t, "ISHAA_TEST_NATS", "nats://127.0.0.1:4222", "4222")
}

// dialTimeout is short because a service on this machine answers at once or not at all.
const dialTimeout = 500 * time.Millisecond

func service(t testing.TB, variable, fallback, port string) string {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		address = fallback
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		t.Fatalf("%s is not a URL with a host: write it like %s", variable, fallback)
	}
	if p := u.Port(); p != "" {
		port = p
	}
	target := net.JoinHostPort(u.Hostname(), port)
	conn, err := net.DialTimeout("tcp", target, dialTimeout)
	if err != nil {
		missing(t, "services", "nothing answers at "+target+": start it or set "+variable)
	} else {
		conn.Close()
	}
	return address
}

func program(t testing.TB, class, absent string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, class, absent)
	return ""
}

// missing skips the test, or fails it where the class is required.
func missing(t testing.TB, class, reason string) {
	t.Helper()
	for name := range strings.SplitSeq(os.Getenv("ISHAA_TEST_REQUIRE"), ",") {
		if strings.TrimSpace(name) == class {
			t.Fatalf("%s (ISHAA_TEST_REQUIRE says that this machine has it)", reason)
		}
	}
	t.Skip(reason)
}
