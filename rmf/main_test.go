package rmf_test

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/rmf"
)

func TestMain(m *testing.M) {
	if os.Getenv(nodeVariable) != "" {
		os.Exit(runNode())
	}
	code := m.Run()
	err := goleak.Find()
	for deadline := time.Now().Add(30 * time.Second); err != nil && time.Now().Before(deadline); err = goleak.Find() {
		// Connections that were closed end when their goroutines get to run.
	}
	if err != nil && code == 0 {
		os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

var noon = time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC) // a Wednesday

const secret = "0123456789abcdef0123456789abcdef"

// newApp returns an application on a clock of the test's.
func newApp(t testing.TB, options rmf.Options, config ...ishaa.Config) (*ishaa.App, *rmf.Realities, *ishaatest.Clock) {
	t.Helper()
	cfg := ishaa.Config{Secret: secret}
	if len(config) > 0 {
		cfg = config[0]
	}
	app := ishaa.New("shop", cfg)
	clock := ishaatest.NewClock(noon)
	app.SetClock(clock)
	if options.TimeZone == nil {
		options.TimeZone = time.UTC
	}
	return app, rmf.Enable(app, options), clock
}

// say is a handler that answers with a text.
func say(text string) ishaa.Handler {
	return func(*ishaa.Request) (any, error) { return ishaa.Text(text), nil }
}

// eventually polls until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(4 * time.Minute); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// experiment returns the only experiment's stats, or that of a name.
func experiment(t testing.TB, m *rmf.Realities, name ...string) rmf.ExperimentStats {
	t.Helper()
	for _, e := range m.Stats().Experiments {
		if len(name) == 0 || e.Name == name[0] {
			return e
		}
	}
	t.Fatalf("there is no experiment %v", name)
	return rmf.ExperimentStats{}
}

func realityOf(t testing.TB, e rmf.ExperimentStats, name string) rmf.RealityStats {
	t.Helper()
	for _, r := range e.Realities {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("%s has no reality %q", e.Name, name)
	return rmf.RealityStats{}
}

func stage(t testing.TB, m *rmf.Realities, reality string) rmf.Stage {
	t.Helper()
	return realityOf(t, experiment(t, m), reality).Trial.Stage
}
