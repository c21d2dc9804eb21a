package rmf_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/rmf"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/redis"
)

// nodeVariable makes the test binary a node: its value is the folder or the URL of the store that nodes share.
const nodeVariable = "ISHAA_TEST_RMF_NODE"

// nodeOptions has nodes decide quickly.
func nodeOptions(place string) (rmf.Options, error) {
	o := rmf.Options{
		Unit: rmf.ByRequest, Interval: 20 * time.Millisecond, AutoPromoteThreshold: 500, BakeTime: 100 * time.Millisecond, GuardTime: 300 * time.Millisecond,
		AutoPromoteLatencyRatio: 100, // machines under load
	}
	if !strings.Contains(place, "://") {
		o.Dir = place
		return o, nil
	}
	st, err := store.Open(place)
	o.Store = st
	return o, err
}

func nodeApp(name, place string) (*ishaa.App, *rmf.Realities, error) {
	o, err := nodeOptions(place)
	if err != nil {
		return nil, nil, err
	}
	app := ishaa.New(name, ishaa.Config{Secret: secret})
	app.SetLogger(slog.New(slog.DiscardHandler))
	if shared, ok := o.Store.(io.Closer); ok { // first, so that it is closed last
		app.OnStop(func(context.Context) error { return shared.Close() })
	}
	realities := rmf.Enable(app, o)
	app.Get("/x", say("v1"), rmf.Reality("stable"))
	app.Get("/x", say("v2"), rmf.Reality("candidate", rmf.Traffic(50), rmf.AutoPromote()))
	return app, realities, nil
}

// runNode serves requests of its own making until it is killed, or its parent is gone.
func runNode() int {
	app, _, err := nodeApp(os.Getenv(nodeVariable+"_APP"), os.Getenv(nodeVariable))
	if err == nil {
		err = app.Start(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	parent := make(chan struct{})
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		close(parent)
	}()
	fmt.Println("ready")
	for {
		select {
		case <-parent:
			if err := app.Stop(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			return 0
		default:
		}
		for range 50 {
			app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil))
		}
		time.Sleep(time.Millisecond)
	}
}

// Three processes share a store, and are killed and started again: the candidate is promoted once.
func TestThreeProcesses(t *testing.T) {
	places := map[string]func(t *testing.T) string{
		"folder": func(t *testing.T) string { return t.TempDir() },
		"redis":  func(t *testing.T) string { return testenv.Redis(t) },
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			for attempt := 0; ; attempt++ {
				// An equal candidate may be rolled back by mistake, in up to 5 % of experiments.
				if stage := threeProcesses(t, place(t)); stage == rmf.StageRetired {
					return
				} else if attempt == 3 {
					t.Fatalf("four equal candidates in a row end %s", stage)
				}
			}
		})
	}
}

func threeProcesses(t *testing.T, place string) rmf.Stage {
	appName := fmt.Sprintf("nodes-%d-%d", os.Getpid(), rand.Uint32())
	var nodes [3]*exec.Cmd
	start := func(i int) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), nodeVariable+"="+place, nodeVariable+"_APP="+appName)
		cmd.Stderr = os.Stderr
		if _, err := cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 16)); err != nil {
			t.Fatalf("node %d does not start: %v", i, err)
		}
		nodes[i] = cmd
	}
	kill := func(i int) {
		_ = nodes[i].Process.Kill()
		_ = nodes[i].Wait()
	}
	for i := range nodes {
		start(i)
	}
	defer func() {
		for i := range nodes {
			kill(i)
		}
	}()
	watcher, realities, err := nodeApp(appName, place)
	if err != nil {
		t.Fatal(err)
	}
	if err := watcher.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watcher.Stop(context.Background()) }()
	kills := 0
	var last rmf.Stage
	eventually(t, "the experiment ends", func() bool {
		i := rand.IntN(len(nodes))
		if kills < 12 {
			kill(i)
			start(i)
			kills++
		}
		last = stage(t, realities, "candidate")
		return last == rmf.StageRetired || last == rmf.StageRolledBack
	})
	var ledger bytes.Buffer
	eventually(t, "the ledger has the end", func() bool {
		ledger.Reset()
		if err := realities.WriteLedger(t.Context(), "/x", &ledger); err != nil {
			t.Fatal(err) // a decision that would be another one today
		}
		return strings.Contains(ledger.String(), `"to":"`+string(last)+`"`)
	})
	promotions := 0
	for line := range strings.Lines(ledger.String()) {
		var entry struct {
			Evidence struct{ Stage rmf.Stage }
			Outcome  struct{ To rmf.Stage }
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Evidence.Stage == rmf.StageCanary && entry.Outcome.To == rmf.StageGuard {
			promotions++
		}
	}
	e := experiment(t, realities)
	t.Logf("%s: %s after %d kills, %d node reports, %d promotions, %d requests to the candidate", place, last, kills, e.Nodes, promotions, realityOf(t, e, "candidate").Requests)
	if last == rmf.StageRetired && (promotions != 1 || e.Stable != "candidate") {
		t.Errorf("%d promotions, stable is %s:\n%s", promotions, e.Stable, ledger.String())
	}
	return last
}

// A node whose store is away keeps its epoch and serves; it still rolls back what fails, and tells the others when the
// store is back.
func TestCutOff(t *testing.T) {
	away := &absentStore{Store: store.NewMemory(store.MemoryOptions{})}
	defer away.Close()
	app, realities, clock := newApp(t, rmf.Options{Unit: rmf.ByRequest, Store: away})
	var fails bool
	app.Get("/x", say("v1"), rmf.Reality("stable"))
	app.Get("/x", func(*ishaa.Request) (any, error) {
		if fails {
			return nil, ishaa.StatusError(503, "it fails")
		}
		return ishaa.Text("v2"), nil
	}, rmf.Reality("candidate", rmf.Traffic(50)))
	app.SetLogger(slog.New(slog.DiscardHandler))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	get := func() int {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		return w.Code
	}
	for range 100 {
		get()
	}
	clock.BlockUntil(t, 1)
	away.gone.Store(true)
	clock.Advance(2 * time.Second)
	eventually(t, "the node notices", func() bool { return realities.Stats().CutOff })
	if stage(t, realities, "candidate") != rmf.StageCanary || get() != 200 {
		t.Error("a node that is cut off does not go on")
	}
	fails = true
	eventually(t, "it rolls back by itself", func() bool { get(); return stage(t, realities, "candidate") == rmf.StageRolledBack })
	for range 100 {
		if code := get(); code != 200 {
			t.Fatalf("after the rollback a request gets %d", code)
		}
	}
	away.gone.Store(false)
	clock.BlockUntil(t, 1)
	clock.Advance(2 * time.Second)
	eventually(t, "the others hear of it", func() bool {
		var ledger bytes.Buffer
		return realities.WriteLedger(t.Context(), "/x", &ledger) == nil && strings.Contains(ledger.String(), "rolled back")
	})
	if err := app.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}
