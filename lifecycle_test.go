package ishaa_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// plugin notes what is asked of it.
type plugin struct {
	j     *journal
	name  string
	start error
}

func (p *plugin) Install(app *ishaa.App) error { p.j.note("install " + p.name); return nil }

func (p *plugin) Start(context.Context) error { p.j.note("start " + p.name); return p.start }

func (p *plugin) Stop(context.Context) error { p.j.note("stop " + p.name); return nil }

func TestStartAndStopOrder(t *testing.T) {
	app, j := newApp(t), &journal{}
	hook := func(step string) func(context.Context) error {
		return func(context.Context) error { j.note(step); return nil }
	}
	app.OnStop(hook("stop hook 1"))
	app.OnStart(hook("start hook 1"))
	app.Install(&plugin{j: j, name: "a"}, &plugin{j: j, name: "b"})
	app.OnStart(hook("start hook 2"))
	app.OnStop(hook("stop hook 2"))
	j.want(t, "install a", "install b")
	if app.Started() {
		t.Error("started before Start")
	}
	for range 2 { // a second call does nothing
		if err := app.Start(t.Context()); err != nil || !app.Started() {
			t.Fatalf("Start: %v, started %t", err, app.Started())
		}
	}
	j.want(t, "start hook 1", "start a", "start b", "start hook 2")
	for range 2 {
		if err := app.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	j.want(t, "stop hook 2", "stop b", "stop a", "stop hook 1")
}

// When something cannot start, what has started is stopped, and nothing is served.
func TestStartFails(t *testing.T) {
	app, log := loggedApp(t)
	j := &journal{}
	app.Get("/", text("unreachable"))
	app.Install(&plugin{j: j, name: "a"}, &plugin{j: j, name: "b", start: errors.New("no database")}, &plugin{j: j, name: "c"})
	app.OnStart(func(context.Context) error { j.note("never"); return nil })
	err := app.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "*ishaa_test.plugin: no database") {
		t.Errorf("Start: %v", err)
	}
	j.want(t, "install a", "install b", "install c", "start a", "start b", "stop a")
	if again := app.Start(t.Context()); again != err {
		t.Errorf("a second Start gives %v", again)
	}
	for range 2 {
		do(t, app, "GET", "/").want(t, 503)
	}
	if len(log.records(t, "the application could not start")) != 1 || !strings.Contains(log.text(), "no database") {
		t.Errorf("the log says %s", log.text())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Serve(t.Context(), listener); err == nil {
		t.Error("Serve serves what could not start")
	}
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is still open: %v", err)
	}
}

// Every stop hook runs, also after one that fails, and all errors come back.
func TestStopFails(t *testing.T) {
	app, j := newApp(t), &journal{}
	for i := range 3 {
		app.OnStop(func(context.Context) error {
			j.note(fmt.Sprint("stop ", i))
			return fmt.Errorf("stop %d failed", i)
		})
	}
	start(app)
	err := app.Stop(t.Context())
	j.want(t, "stop 2", "stop 1", "stop 0")
	for i := range 3 {
		if !strings.Contains(err.Error(), fmt.Sprintf("stop %d failed", i)) {
			t.Errorf("Stop: %v", err)
		}
	}
}

// The first request starts the application; those that come with it wait.
func TestFirstRequestStarts(t *testing.T) {
	app := newApp(t)
	starts := 0
	app.OnStart(func(context.Context) error { starts++; return nil })
	app.Get("/", text("served"))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if res := do(t, app, "GET", "/"); res.body != "served" {
				t.Errorf("%s", res)
			}
		})
	}
	group.Wait()
	if starts != 1 {
		t.Errorf("started %d times", starts)
	}
}

type failingPlugin struct{}

func (failingPlugin) Install(*ishaa.App) error { return errBroken }

func TestInstallFails(t *testing.T) {
	app := newApp(t)
	message := recovered(t, func() { app.Install(failingPlugin{}) })
	if !strings.Contains(message, "lifecycle_test.go:") || !strings.Contains(message, "failingPlugin") || !strings.Contains(message, errBroken.Error()) {
		t.Errorf("the panic says %s", message)
	}
}

// Two applications of one process share nothing.
func TestTwoApps(t *testing.T) {
	one, two := newApp(t), newApp(t)
	one.Converter("word", 0, func(string) bool { return true })
	two.Converter("word", 0, func(s string) bool { return s == "two" })
	one.Get("/<word:w>", text("one"), ishaa.Name("w"))
	two.Get("/<word:w>", text("two"), ishaa.Name("w"))
	one.Without(ishaa.DefaultSecurityHeaders)
	one.OnStatus(404, func(*ishaa.Request, error) (any, error) { return ishaa.Text("one's"), nil })
	do(t, one, "GET", "/x").wantBody(t, 200, "one").wantHeader(t, "X-Content-Type-Options")
	do(t, two, "GET", "/x").wantProblem(t, 404, "").wantHeader(t, "X-Content-Type-Options", "nosniff")
	do(t, two, "GET", "/two").wantBody(t, 200, "two")
}

// Any server will do: an App is an http.Handler.
func TestAppOnAnotherServer(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	app.Get("/", text("served"))
	other := httptest.NewServer(app)
	defer other.Close()
	answer, err := other.Client().Get(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	readAnswer(answer).wantBody(t, 200, "served")
}

func TestCommands(t *testing.T) {
	app := newApp(t)
	app.Get("/users/<int:id>", echo, ishaa.Name("user"))
	app.Any("/any", echo, ishaa.Host("a.example"))
	ran := ""
	app.Command(ishaa.Command{Name: "seed", Usage: "fill the database", Run: func(_ context.Context, a *ishaa.App, args []string, _ io.Writer) error {
		ran = fmt.Sprint(a == app, args)
		return nil
	}})
	if err := app.RunArgs(t.Context(), []string{"-debug", "seed", "-n", "3"}); err != nil || ran != "true [-n 3]" || !app.Config().Debug {
		t.Errorf("seed: %v, ran %q", err, ran)
	}
	if err := app.RunArgs(t.Context(), []string{"sed"}); err == nil || !strings.Contains(err.Error(), `did you mean "seed"?`) {
		t.Errorf("sed: %v", err)
	}
	var names []string
	for _, c := range app.Commands() {
		names = append(names, c.Name)
	}
	if want := []string{"check", "routes", "seed", "version"}; !slices.Equal(names, want) {
		t.Errorf("the commands are %q, want %q", names, want)
	}
	for command, want := range map[string][]string{
		"routes":  {"METHODS", "GET      /users/<int:id>", "user", "lifecycle_test.go:", "ANY      a.example/any"},
		"version": {"ishaa ", "go1."},
		"check":   {"test: 2 routes, ready to serve at 127.0.0.1:8000"},
	} {
		var out strings.Builder
		for _, c := range app.Commands() {
			if c.Name == command {
				if err := c.Run(t.Context(), app, nil, &out); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, part := range want {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%s does not print %q:\n%s", command, part, out.String())
			}
		}
	}
}

// What OnListen adds hears where the application is, with the port that the system
// chose; a start without a listener does not run it.
func TestOnListen(t *testing.T) {
	app := newApp(t)
	heard := make(chan string, 1)
	app.OnListen(func(url string) { heard <- url })
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case url := <-heard:
		t.Fatalf("a start alone is told of %s", url)
	default:
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- app.Serve(ctx, listener) }()
	if url := receive(t, "the address", heard); url != "http://"+listener.Addr().String() {
		t.Errorf("heard %q", url)
	}
	stop()
	if err := receive(t, "the end of Serve", served); err != nil {
		t.Error(err)
	}
}

// A function of OnSetup sees the whole table before any route is compiled: it gives routes with variants their
// selector, annotates, and refuses.
func TestOnSetup(t *testing.T) {
	noLeaks(t)
	note := ishaa.NewAnnotation[string]("note")
	app := newApp(t)
	app.OnSetup(func() error {
		for _, route := range app.Routes() {
			if err := route.Annotate(note, "seen"); err != nil {
				return err
			}
			app.SetSelector(route, ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 1 }))
		}
		return nil
	})
	text := func(text string) ishaa.Handler {
		return func(*ishaa.Request) (any, error) { return ishaa.Text(text), nil }
	}
	app.Get("/", text("one"), ishaa.Variant("v", "one"))
	app.Get("/", text("two"), ishaa.Variant("v", "two"))
	do(t, app, "GET", "/").wantBody(t, 200, "two")
	if got, _ := note.Of(app.Routes()[0]); got != "seen" {
		t.Errorf("the annotation is %q", got)
	}

	refusing := newApp(t)
	for _, reason := range []string{"this is wrong", "and this"} {
		refusing.OnSetup(func() error { return errors.New(reason) })
	}
	refusing.OnStart(func(context.Context) error { t.Error("a start hook ran"); return nil })
	if err := refusing.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "this is wrong\nand this") {
		t.Errorf("the error is %v", err)
	}
}
