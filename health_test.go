package ishaa_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
)

type checks = map[string]func(context.Context) error

func TestHealth(t *testing.T) {
	ok := func(context.Context) error { return nil }
	broken := func(context.Context) error { return errors.New("password hunter2 refused") }
	panics := func(context.Context) error { panic("hunter2") }
	waits := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		name   string
		checks checks
		failed string // the names that the client learns, "" when ready
		log    string
	}{
		{"nothing to check", nil, "", ""},
		{"all is well", checks{"database": ok, "store": ok}, "", ""},
		{"one fails", checks{"database": broken, "store": ok}, "database", "password hunter2 refused"},
		{"one panics", checks{"database": panics, "store": ok}, "database", "panic: hunter2"},
		{"one does not come back", checks{"database": waits, "store": ok}, "database", "in time"},
		{"all fail", checks{"database": broken, "store": waits, "disk": panics}, "database disk store", "panic: hunter2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app, log := loggedApp(t)
				app.Install(ishaa.Health(c.checks))
				start := time.Now()
				do(t, app, "GET", "/-/live").wantBody(t, 200, "live\n").wantHeader(t, "Cache-Control", "no-store")
				if time.Since(start) > 0 {
					t.Error("liveness waits for the checks")
				}
				res := do(t, app, "GET", "/-/ready").wantHeader(t, "Cache-Control", "no-store")
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("readiness took %s", took)
				}
				if c.failed == "" {
					res.wantBody(t, 200, "ready\n")
					return
				}
				res.wantProblem(t, 503, "not ready")
				var problem struct{ Checks map[string]string }
				if err := json.Unmarshal([]byte(res.body), &problem); err != nil {
					t.Fatal(err)
				}
				names := strings.Fields(c.failed)
				for _, name := range names {
					if problem.Checks[name] != "failed" {
						t.Errorf("the client learns %v, want %s among them", problem.Checks, name)
					}
				}
				if len(problem.Checks) != len(names) || strings.Contains(res.body, "hunter2") {
					t.Errorf("the client learns %s", res.body)
				}
				if records := log.records(t, "not ready"); len(records) != len(names) || !strings.Contains(log.text(), c.log) {
					t.Errorf("the log has %v", records)
				}
			})
		})
	}
}

// Who asks learns that the application goes down before it stops answering.
func TestHealthWhileDraining(t *testing.T) {
	app := newApp(t)
	asked := 0
	app.Install(ishaa.Health(checks{"database": func(context.Context) error { asked++; return nil }}))
	do(t, app, "GET", "/-/ready").want(t, 200)
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, app, "GET", "/-/ready").wantProblem(t, 503, "shutting down")
	do(t, app, "GET", "/-/live").want(t, 200)
	if asked != 1 {
		t.Errorf("the database was asked %d times", asked)
	}
}

func TestHealthRefusesNilChecks(t *testing.T) {
	app := newApp(t)
	message := recovered(t, func() { app.Install(ishaa.Health(checks{"database": nil})) })
	if !strings.Contains(message, "health_test.go:") || !strings.Contains(message, `the check "database" is nil`) {
		t.Errorf("the panic says %s", message)
	}
	do(t, newApp(t), "GET", "/-/live").want(t, 404) // not there unless asked for
}
