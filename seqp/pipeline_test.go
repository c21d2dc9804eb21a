package seqp_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/seqp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type receipt struct {
	ID int `json:"id"`
}

type receiptWithTotal struct {
	ID    int    `json:"id"`
	Total string `json:"total"`
}

// shop is an application whose clock the test moves. With fail set, payments fail.
func shop(fail *bool, typed func(*ishaa.App), options seqp.Options) (*ishaa.App, *seqp.Pipeline, *ishaatest.Clock) {
	app := ishaa.New("shop")
	clock := ishaatest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	app.SetClock(clock)
	pipeline := seqp.Enable(app, options)
	app.Get("/", func(*ishaa.Request) (any, error) { return "hello", nil })
	app.Post("/payment", func(*ishaa.Request) (any, error) {
		if *fail {
			return nil, fmt.Errorf("the bank is closed")
		}
		return map[string]bool{"ok": true}, nil
	}, seqp.Critical("financial_core", "card payment"))
	if typed != nil {
		typed(app)
	}
	return app, pipeline, clock
}

func TestPipelineWatchesAnApplication(t *testing.T) {
	fail := false
	app, pipeline, clock := shop(&fail, nil, seqp.Options{State: t.TempDir() + "/drift.json"})
	client := ishaatest.New(t, app)
	window := func() {
		for range 50 {
			status := 200
			if fail {
				status = 500
			}
			client.Post("/payment").Status(status)
		}
		clock.BlockUntil(t, 1)
		clock.Advance(time.Minute)
		clock.BlockUntil(t, 1) // the window is closed, the next one is waited for
	}
	ready := seqp.Readiness{CurrentLatency: 45 * time.Millisecond, BaselineLatency: 40 * time.Millisecond, CurrentErrorRate: .01}
	window()
	window()
	if got := pipeline.CheckDeploymentReadiness(ready); !got.Allowed {
		t.Errorf("before anything happened: %+v", got)
	}
	client.Get("/nothing").Status(404)
	report := pipeline.Report()
	if first := report.Routes[0]; first.Route != "POST /payment" || first.Level != "financial_core" || first.Purpose != "card payment" ||
		first.Requests != 100 || first.Errors != 0 || first.P95 == 0 || first.Coverage != .95 {
		t.Errorf("the most critical route is reported as %+v", first)
	}
	if len(report.Trends) != 0 || len(report.Actions) != 0 {
		t.Errorf("%+v", report)
	}

	fail = true
	window()
	window()
	got := pipeline.CheckDeploymentReadiness(ready)
	if got.Allowed || !strings.Contains(got.Reason, "frozen") || !strings.Contains(got.Reason, "POST /payment") {
		t.Errorf("after two windows of failed payments: %+v", got)
	}
	pipeline.Drift.Unfreeze()
	strict := seqp.Readiness{CurrentLatency: 45 * time.Millisecond, BaselineLatency: 40 * time.Millisecond}
	if got := pipeline.CheckDeploymentReadiness(strict); got.Recommendation != seqp.BlockLatencyRegression {
		t.Errorf("half of the tolerance is 10 %%, and 12.5 %% gives %+v", got)
	}
	var out bytes.Buffer
	if err := pipeline.Report().Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"POST /payment  financial_core  200", "errors", "enable_strict_rollback"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestAnswersOfAnotherShape(t *testing.T) {
	state := t.TempDir() + "/drift.json"
	run := func(typed func(*ishaa.App)) []seqp.Trend {
		ok := false
		app, pipeline, _ := shop(&ok, typed, seqp.Options{State: state})
		if err := app.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		trends := pipeline.Drift.Trends()
		if err := app.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		return trends
	}
	old := func(app *ishaa.App) {
		ishaa.Get(app, "/receipts/<int:id>", func(context.Context, *struct{}) (receipt, error) { return receipt{}, nil }, seqp.Critical("data_critical"))
	}
	if trends := run(old); len(trends) != 0 {
		t.Errorf("the first start: %+v", trends)
	}
	if trends := run(old); len(trends) != 0 {
		t.Errorf("the same again: %+v", trends)
	}
	trends := run(func(app *ishaa.App) {
		ishaa.Get(app, "/receipts/<int:id>", func(context.Context, *struct{}) (receiptWithTotal, error) { return receiptWithTotal{}, nil })
	})
	if len(trends) != 1 || trends[0].Metric != seqp.SchemaMetric || trends[0].Route != "GET /receipts/<int:id>" || !strings.Contains(trends[0].Text, " at /") {
		t.Errorf("a member more: %+v", trends)
	}
}

func TestAStateThatIsDamagedStopsTheStart(t *testing.T) {
	for text, want := range map[string]string{
		"{":               "is damaged",
		`{"version": 99}`: "has version 99",
	} {
		state := t.TempDir() + "/drift.json"
		if err := os.WriteFile(state, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ok := false
		app, _, _ := shop(&ok, nil, seqp.Options{State: state})
		err := app.Start(context.Background())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMistakesStopTheProgram(t *testing.T) {
	for name, c := range map[string]struct {
		do   func()
		want string
	}{
		"a level that there is not": {func() {
			ishaa.New("x").Get("/", func(*ishaa.Request) (any, error) { return nil, nil }, seqp.Critical("very"))
		}, "there is no level \"very\""},
		"a platform that there is not": {func() { seqp.Enable(ishaa.New("x"), seqp.Options{PipelinePlatform: "abacus"}) }, "abacus"},
		"a rate in per cent":           {func() { seqp.Enable(ishaa.New("x"), seqp.Options{ErrorRateThreshold: 2}) }, "is a share"},
		"a negative window":            {func() { seqp.Enable(ishaa.New("x"), seqp.Options{Window: -1}) }, "Window"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.want) {
					t.Errorf("%s: %s", name, got)
				}
			}()
			c.do()
		}()
	}
}

func BenchmarkObserve(b *testing.B) {
	app := ishaa.New("bench")
	pipeline := seqp.Enable(app, seqp.Options{})
	route := app.Get("/", func(*ishaa.Request) (any, error) { return nil, nil })
	b.ReportAllocs()
	for b.Loop() {
		pipeline.Observe(route, ishaa.Outcome{Status: 200, Duration: time.Millisecond})
	}
}
