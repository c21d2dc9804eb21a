package ishaatest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// brokenApp has a handler that fails.
func brokenApp(config ...ishaa.Config) *ishaa.App {
	app := ishaa.New("test", config...)
	app.Get("/broken", func(*ishaa.Request) (any, error) {
		return nil, errors.New("connection refused by the database")
	})
	app.Get("/fine", func(*ishaa.Request) (any, error) { return "fine", nil })
	return app
}

func TestLogs(t *testing.T) {
	app := brokenApp()
	log := ishaatest.Logs(t, app)
	client := ishaatest.New(t, app)
	client.Get("/fine").Status(200)
	log.WantNone(slog.LevelWarn)
	client.Get("/broken").Problem(500)
	record := log.Want(slog.LevelError, "request failed", "connection refused", "path=/broken")
	if record.Attr("route") != "/broken" || record.Attr("nothing") != "" {
		t.Errorf("attributes of %s", record)
	}
	if len(log.Records()) < 3 {
		t.Errorf("%d records", len(log.Records()))
	}
	log.Reset()
	log.WantNone(slog.LevelDebug - 100)
}

func TestLogsThatAreNotAsWanted(t *testing.T) {
	fails(t, func(t testing.TB) {
		app := brokenApp()
		log := ishaatest.Logs(t, app)
		ishaatest.New(t, app).Get("/broken")
		log.WantNone(slog.LevelError)
	}, "1 records of ERROR or above were logged:", "ERROR request failed", `error="connection refused by the database"`)
	fails(t, func(t testing.TB) {
		app := brokenApp(ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
		if err := app.Start(context.Background()); err != nil {
			t.Errorf("%v", err)
		}
		ishaatest.Logs(t, app)
	}, "call Logs before its first request")
	t.Setenv("ISHAA_TEST_SOCKET", "0")
	synctest.Test(t, func(t *testing.T) { // 5 seconds that take none
		fails(t, func(t testing.TB) {
			app := brokenApp()
			log := ishaatest.Logs(t, app)
			ishaatest.New(t, app).Get("/fine")
			log.Want(slog.LevelError, "request failed")
		}, `no ERROR record with ["request failed"] was logged`, "INFO request method=GET path=/fine")
	})
}

// The log is the test's own output, and shows its own requests.
func TestLogGoesToTheTest(t *testing.T) {
	app := brokenApp()
	outer := passes(t, func(t testing.TB) {
		client := ishaatest.New(t, app)
		client.Get("/fine")
		inner := record(t, func(t testing.TB) { client.For(t).Get("/broken") })
		if out := inner.output.String(); !strings.Contains(out, "ERROR request failed") || strings.Contains(out, "path=/fine") {
			t.Errorf("the inner test's output is\n%s", out)
		}
		client.Get("/fine?again")
	})
	if out := outer.output.String(); strings.Count(out, "path=/fine") != 2 || strings.Contains(out, "/broken") {
		t.Errorf("the outer test's output is\n%s", out)
	}
	app.Logger().Error("nobody listens any more")
}

// The logger that a program has set keeps its records.
func TestProgramsLogger(t *testing.T) {
	var out lockedBuffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	custom := slog.New(keptHandler{logger.Handler()})
	for _, test := range []struct {
		name  string
		app   func() *ishaa.App
		logs  bool
		more  []ishaatest.Option
		there bool // in the program's log
		shown bool // in the test's
	}{
		{"by Config", func() *ishaa.App { return brokenApp(ishaa.Config{Logger: logger}) }, false, nil, true, false},
		{"by Config, with Logs", func() *ishaa.App { return brokenApp(ishaa.Config{Logger: logger}) }, true, nil, true, false},
		{"by SetLogger, with a handler of its own", func() *ishaa.App { a := brokenApp(); a.SetLogger(custom); return a }, true, nil, true, false},
		{"by SetLogger, and KeepLogger", func() *ishaa.App { a := brokenApp(); a.SetLogger(logger); return a }, false, []ishaatest.Option{ishaatest.KeepLogger()}, true, false},
		{"none", func() *ishaa.App { return brokenApp() }, true, nil, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			out.Reset()
			r := passes(t, func(t testing.TB) {
				app := test.app()
				var log *ishaatest.LogBook
				if test.logs {
					log = ishaatest.Logs(t, app)
				}
				ishaatest.New(t, app, test.more...).Get("/broken")
				if log != nil {
					log.Want(slog.LevelError, "request failed")
				}
			})
			if got := strings.Contains(out.String(), "request failed"); got != test.there {
				t.Errorf("in the program's log: %v\n%s", got, out.String())
			}
			if got := strings.Contains(r.output.String(), "request failed"); got != test.shown {
				t.Errorf("in the test's output: %v\n%s", got, r.output.String())
			}
		})
	}
}

// keptHandler is a handler that is none of slog's own.
type keptHandler struct{ slog.Handler }

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// Records carry the attributes and groups of derived loggers.
func TestLogAttributes(t *testing.T) {
	var out lockedBuffer
	app := brokenApp(ishaa.Config{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	log := ishaatest.Logs(t, app)
	app.Logger().With("a", 1).WithGroup("g").With("b", "two words").Info("said",
		"c", 3*time.Second, slog.Group("h", "d", slog.GroupValue(slog.Bool("e", true))), slog.Group("", "f", ""), slog.Attr{})
	record := log.Want(slog.LevelInfo, "said")
	if got, want := record.String(), `INFO said a=1 g.b="two words" g.c=3s g.h.d.e=true g.f=""`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !strings.Contains(out.String(), `a=1 g.b="two words" g.c=3s g.h.d.e=true g.f=""`) {
		t.Errorf("the program's handler wrote %s", out.String())
	}
	if app.Logger().WithGroup("") == nil || app.Logger().Enabled(context.Background(), slog.LevelDebug) == false {
		t.Error("Logs takes every level")
	}
}
