//go:build linux

package reload_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/program"
	"github.com/ishaa-framework/ishaa/internal/reload"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long something may take on a machine with much else to do.
const patience = 3 * time.Minute

const source = `package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"

	"github.com/ishaa-framework/ishaa"
)

//go:embed templates
var files embed.FS

func main() {
	app := ishaa.New("tiny")
	beside := exec.Command("sleep", "100000") // what a program may start and forget
	if err := beside.Start(); err != nil {
		panic(err)
	}
	app.Get("/", func(r *ishaa.Request) (any, error) {
		page, err := files.ReadFile("templates/page.html")
		return fmt.Sprintf("<!doctype html><p>version VERSION %s %s</p>", page, os.Getenv("GREETING")), err
	})
	app.Get("/processes", func(r *ishaa.Request) (any, error) {
		return ishaa.Text(fmt.Sprint(os.Getpid(), " ", beside.Process.Pid)), nil
	})
	app.Get("/setting", func(r *ishaa.Request) (any, error) { return ishaa.Text(app.Config().DatabaseURL), nil })
	app.Get("/end", func(r *ishaa.Request) (any, error) { fmt.Fprintln(os.Stderr, "last <words>"); os.Exit(7); return nil, nil })
	app.Run()
}
`

// project is a tiny program that is being changed.
type project struct {
	t   *testing.T
	dir string
	url string
	out *output
	end func() error
}

// output is what the supervisor prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func newProject(t *testing.T) *project {
	t.Helper()
	p := &project{t: t, dir: t.TempDir(), out: &output{}}
	p.write("go.mod", fmt.Sprintf("module tiny\n\ngo 1.26.0\n\nrequire github.com/ishaa-framework/ishaa v0.0.0\n\nreplace github.com/ishaa-framework/ishaa => %q\n", testenv.Root()))
	sum, err := os.ReadFile(filepath.Join(testenv.Root(), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("go.sum", string(sum))
	p.write("templates/page.html", "first page")
	p.version("0")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	p.url = "http://" + addr
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- reload.Run(ctx, reload.Options{
			Program: program.Program{Root: p.dir, Package: p.dir}, Addr: addr, Out: p.out, Err: p.out, Ignore: []string{"data"},
		})
	}()
	p.end = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return fmt.Errorf("it does not end:\n%s", p.out)
		}
	})
	t.Cleanup(func() {
		if err := p.end(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	name = filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) version(v string) { p.write("main.go", strings.ReplaceAll(source, "VERSION", v)) }

func (p *project) get(path string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(p.t.Context(), "GET", p.url+path, nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Accept", "text/html")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// wait asks for a path until the answer holds a text.
func (p *project) wait(path string, status int, want string) string {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got, body, err := p.get(path)
		if err == nil && got == status && strings.Contains(body, want) {
			return body
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: no %d with %q in %s, but %d %v\n%s\nthe supervisor printed:\n%s", path, status, want, patience, got, err, body, p.out)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// gone waits until there is no such process; one that nobody has asked about counts as gone.
func gone(t *testing.T, pid string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the process %s is still there: %s", pid, stat)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// edits is how often the program is changed: each takes about a second on a machine with nothing else to do.
func edits() int {
	switch {
	case testenv.Long():
		return 200
	case raceEnabled:
		return 5
	case testing.Short():
		return 3
	}
	return 20
}

// While the program is changed again and again, and does not build at times, no client is refused, every change is seen,
// and nothing is left at the end.
func TestEdits(t *testing.T) {
	p := newProject(t)
	p.wait("/", 200, "version 0")

	load, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var asked, answered atomic.Int64
	fail := make(chan error, 1)
	clients.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond) // 50 a second, whatever becomes of them
		defer tick.Stop()
		keeping, fresh := &http.Transport{}, &http.Transport{DisableKeepAlives: true}
		defer keeping.CloseIdleConnections()
		for {
			select {
			case <-load.Done():
				return
			case <-tick.C:
			}
			n := asked.Add(1)
			clients.Go(func() {
				client := &http.Client{Transport: keeping, Timeout: patience}
				if n%2 == 0 {
					client.Transport = fresh
				}
				res, err := client.Get(p.url + "/")
				if err == nil {
					_, err = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
				if err == nil && res.StatusCode != 200 && res.StatusCode != 500 {
					err = fmt.Errorf("status %d", res.StatusCode)
				}
				if err != nil {
					select {
					case fail <- fmt.Errorf("request %d: %w", n, err):
					default:
					}
					return
				}
				answered.Add(1)
			})
		}
	})

	var seen []time.Duration
	processes := map[string]bool{}
	for i := range edits() {
		if i%5 == 3 {
			p.write("main.go", strings.Replace(source, "app.Run()", fmt.Sprintf("broken%d(\"<b>\")", i), 1))
			body := p.wait("/", 500, fmt.Sprintf("undefined: broken%d", i))
			if !strings.Contains(body, "main.go:") || !strings.Contains(body, "The program does not build") {
				t.Errorf("the page does not show what the compiler said:\n%s", body)
			}
		}
		version := strconv.Itoa(i + 1)
		began := time.Now()
		p.version(version)
		p.wait("/", 200, "version "+version+" ")
		seen = append(seen, time.Since(began))
		body := p.wait("/processes", 200, "")
		for _, pid := range strings.Fields(body) {
			processes[pid] = true
		}
	}
	stop()
	clients.Wait()
	select {
	case err := <-fail:
		t.Errorf("%v\nthe supervisor printed:\n%s", err, p.out)
	default:
	}
	slices.Sort(seen)
	t.Logf("%d edits under %d requests: seen after %v at the median, %v at most", len(seen), asked.Load(), seen[len(seen)/2], seen[len(seen)-1])
	if answered.Load() != asked.Load() || asked.Load() == 0 {
		t.Errorf("%d requests, %d answers", asked.Load(), answered.Load())
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	for pid := range processes {
		gone(t, pid)
	}
	listener, err := net.Listen("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatalf("the port is taken still: %v", err)
	}
	listener.Close()
}

// What is not Go counts too: a page that is embedded, settings, a file in a folder that is new. Data does not.
func TestOtherFiles(t *testing.T) {
	p := newProject(t)
	p.wait("/", 200, "first page")
	p.write("templates/page.html", "second page")
	p.wait("/", 200, "second page")
	p.write(".env", "ISHAA_DATABASE_URL=sqlite://other.db\n")
	p.wait("/setting", 200, "sqlite://other.db")
	p.write("words/words.go", "package words\n\nconst Hello = \"good day\"\n")
	p.write("main.go", strings.Replace(strings.Replace(source, `"github.com/ishaa-framework/ishaa"`, `"github.com/ishaa-framework/ishaa"`+"\n\t\"tiny/words\"", 1), "VERSION", `" + words.Hello + "`, 1))
	p.wait("/", 200, "good day")
	p.write("words/words.go", "package words\n\nconst Hello = \"good night\"\n")
	p.wait("/", 200, "good night")

	before := p.wait("/processes", 200, "")
	p.write("data/kept.json", "{}")
	p.write("app.db", "rows")
	p.write("main_test.go", "package main\n")
	p.write("templates/page.html", "second page") // the same again
	if err := os.Chtimes(filepath.Join(p.dir, "main.go"), time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	p.write("templates/page.html", "third page") // comes after all of those
	p.wait("/", 200, "third page")
	if built := strings.Count(p.out.String(), "built in"); built > 7 {
		t.Errorf("it was built %d times:\n%s", built, p.out)
	}
	if after := p.wait("/processes", 200, ""); after == before {
		t.Error("the change of the page was seen without another process")
	}
}

// A program that ends, or does not start, is answered for with what it said last.
func TestProgramEnds(t *testing.T) {
	p := newProject(t)
	p.wait("/", 200, "version 0")
	_, _, _ = p.get("/end") // breaks off
	body := p.wait("/", 500, "exit status 7")
	if !strings.Contains(body, "last &lt;words&gt;") {
		t.Errorf("what it said last is not there, or not escaped:\n%s", body)
	}
	p.write("main.go", strings.Replace(source, `app.Get("/end"`, `app.Get("/"`, 1))
	p.wait("/", 500, "conflicts with")
	p.version("1")
	p.wait("/", 200, "version 1")
}

// Pages get the script, which is served by the program and by the supervisor. Its events tell of the next build.
func TestBrowserReload(t *testing.T) {
	p := newProject(t)
	page := p.wait("/", 200, "version 0")
	if !strings.Contains(page, `<script src="/_ishaa/reload.js?build=1" defer></script>`) {
		t.Fatalf("the page has no script:\n%s", page)
	}
	p.wait("/_ishaa/reload.js?build=1", 200, "EventSource")
	if got := p.event(); got != "1" {
		t.Errorf("the first build calls itself %q", got)
	}
	p.write("main.go", "package main\n\nfunc main() { <script> }\n")
	page = p.wait("/", 500, "The program does not build")
	if strings.Contains(page, "<script> }") || !strings.Contains(page, "/_ishaa/reload.js?build=broken") {
		t.Errorf("the compiler's words are not escaped, or there is no script:\n%s", page)
	}
	if got := p.event(); !strings.HasPrefix(got, "broken") {
		t.Errorf("the notice calls itself %q", got)
	}
	p.version("1")
	p.wait("/", 200, "version 1")
}

// event is the first event of whoever answers.
func (p *project) event() string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", p.url+"/_ishaa/reload/events", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	var text string
	buffer := make([]byte, 256)
	for !strings.HasSuffix(text, "\n\n") {
		n, err := res.Body.Read(buffer)
		text += string(buffer[:n])
		if err != nil {
			p.t.Fatalf("%q: %v", text, err)
		}
	}
	_, data, _ := strings.Cut(strings.TrimSpace(text), "data: ")
	return data
}

func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = reload.Run(t.Context(), reload.Options{Program: program.Program{Root: t.TempDir()}, Addr: taken.Addr().String(), Out: io.Discard, Err: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "in use by another program") {
		t.Error(err)
	}
}
