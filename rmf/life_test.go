package rmf_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/rmf"
	"github.com/ishaa-framework/ishaa/store"
)

// absentStore is a store that can be away.
type absentStore struct {
	store.Store
	gone atomic.Bool
}

var errAway = errors.New("the store is away")

func (s *absentStore) Get(ctx context.Context, key string) ([]byte, error) {
	if s.gone.Load() {
		return nil, errAway
	}
	return s.Store.Get(ctx, key)
}

func (s *absentStore) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if s.gone.Load() {
		return errAway
	}
	return s.Store.Set(ctx, key, value, ttl)
}

func (s *absentStore) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	if s.gone.Load() {
		return false, errAway
	}
	return s.Store.CompareAndSwap(ctx, key, old, value, ttl)
}

func (s *absentStore) Scan(ctx context.Context, prefix string) iter.Seq2[string, error] {
	if s.gone.Load() {
		return func(yield func(string, error) bool) { yield("", errAway) }
	}
	return s.Store.Scan(ctx, prefix)
}

// Over a socket under load: a candidate is promoted, goes wrong in the guard, and is rolled back; every request is
// executed once and answered once. The evidence takes some 30,000 requests to promote it; so where time is short a person
// does, after the first thousands.
func TestLifeUnderLoad(t *testing.T) {
	for attempt := 0; ; attempt++ {
		// An equal candidate may be rolled back by mistake before it is promoted, in up to 5 % of experiments.
		if lifeUnderLoad(t) {
			return
		}
		if attempt == 3 {
			t.Fatal("four equal candidates in a row were not promoted")
		}
	}
}

func lifeUnderLoad(t *testing.T) (promoted bool) {
	app := ishaa.New("life", ishaa.Config{Secret: secret})
	app.SetLogger(slog.New(slog.DiscardHandler))
	realities := rmf.Enable(app, rmf.Options{
		Unit: rmf.ByRequest, Interval: 10 * time.Millisecond, AutoPromoteThreshold: 500, BakeTime: time.Millisecond, GuardTime: time.Hour,
		AutoPromoteLatencyRatio: 100, ParallelSim: true, SimSampleRate: .01, ShowReality: true,
	})
	var fails atomic.Bool
	var executed sync.Map // of ids → *atomic.Int64
	handler := func(reality string) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			id, err := r.Text()
			if err != nil {
				return nil, err
			}
			n, _ := executed.LoadOrStore(id, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
			if reality == "candidate" && fails.Load() {
				return nil, ishaa.StatusError(500, "%s", "late failure")
			}
			return ishaa.Text(id), nil
		}
	}
	app.Post("/x", handler("stable"), rmf.Reality("stable"))
	app.Post("/x", handler("candidate"), rmf.Reality("candidate", rmf.Traffic(50), rmf.AutoPromote()))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { served <- app.Serve(ctx, listener) }()
	var sent, answered, failed atomic.Int64
	done := make(chan struct{})
	var clients sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	client := &http.Client{Transport: transport}
	for c := range 6 {
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				id := fmt.Sprintf("%d-%d", c, i)
				sent.Add(1)
				res, err := client.Post("http://"+listener.Addr().String()+"/x", "text/plain", strings.NewReader(id))
				if err != nil {
					t.Errorf("request %s is lost: %v", id, err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				switch {
				case err != nil || res.StatusCode != 200 && res.StatusCode != 500:
					t.Errorf("request %s: %d, %v", id, res.StatusCode, err)
				case res.StatusCode == 200 && string(body) != id:
					t.Errorf("request %s gets the answer of %s", id, body)
				case res.StatusCode == 500:
					failed.Add(1)
				}
				answered.Add(1)
			}
		})
	}
	end := func() {
		close(done)
		clients.Wait()
		transport.CloseIdleConnections()
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
	eventually(t, "the server answers", func() bool { return len(realities.Stats().Experiments) == 1 })
	if !testenv.Long() {
		eventually(t, "there are requests to count", func() bool { return answered.Load() > 3000 })
		err := realities.Promote(ctx, "/x", "candidate", "it looks good")
		if err != nil && stage(t, realities, "candidate") == rmf.StageCanary {
			t.Error(err)
		}
	}
	var is rmf.Stage
	eventually(t, "the candidate is promoted", func() bool {
		is = stage(t, realities, "candidate")
		return is == rmf.StageGuard || is == rmf.StageRolledBack
	})
	if is != rmf.StageGuard {
		end()
		return false
	}
	before := sent.Load()
	fails.Store(true)
	eventually(t, "the candidate is rolled back", func() bool { return stage(t, realities, "candidate") == rmf.StageRolledBack })
	wrong := failed.Load()
	for n := sent.Load(); sent.Load() < n+2000; {
		time.Sleep(time.Millisecond)
	}
	end()
	e := experiment(t, realities)
	doubled := 0
	count := int64(0)
	executed.Range(func(_, n any) bool {
		count++
		if n.(*atomic.Int64).Load() != 1 {
			doubled++
		}
		return true
	})
	t.Logf("%d requests, promoted after %d, %d failed before and %d after the rollback was seen; stable is %s; lost %d, doubled %d",
		sent.Load(), before, wrong, failed.Load()-wrong, e.Stable, sent.Load()-count, doubled)
	if count != sent.Load() || answered.Load() != sent.Load() || doubled > 0 || e.Stable != "stable" {
		t.Errorf("%d sent, %d executed, %d answered, %d doubled; stable is %s", sent.Load(), count, answered.Load(), doubled, e.Stable)
	}
	if late := failed.Load() - wrong; late > 50 {
		t.Errorf("%d requests failed after the rollback", late)
	}
	return true
}

// A restart in each stage goes on in it, with what was counted, in files and in a store.
func TestRestartInEachStage(t *testing.T) {
	shared := store.NewMemory(store.MemoryOptions{})
	defer shared.Close()
	for _, place := range []string{"files", "store"} {
		for want, reach := range map[rmf.Stage]func(ctx context.Context, m *rmf.Realities) error{
			rmf.StageDraft:  func(context.Context, *rmf.Realities) error { return nil },
			rmf.StageCanary: func(context.Context, *rmf.Realities) error { return nil },
			rmf.StageGuard: func(ctx context.Context, m *rmf.Realities) error {
				return m.Promote(ctx, "/x", "candidate", "looks good")
			},
			rmf.StagePaused: func(ctx context.Context, m *rmf.Realities) error { return m.Pause(ctx, "/x", "", "") },
			rmf.StageRolledBack: func(ctx context.Context, m *rmf.Realities) error {
				return errors.Join(m.Promote(ctx, "/x", "candidate", ""), m.Rollback(ctx, "/x", "", "no good"))
			},
		} {
			t.Run(place+"/"+string(want), func(t *testing.T) {
				o := rmf.Options{Unit: rmf.ByRequest, Dir: t.TempDir(), Interval: 20 * time.Millisecond}
				if place == "store" {
					o.Dir, o.Store = "", shared
				}
				start := func() (*ishaatest.Client, *rmf.Realities, *ishaa.App) {
					app := ishaa.New(t.Name(), ishaa.Config{Secret: secret})
					m := rmf.Enable(app, o)
					candidate := []rmf.Option{rmf.Traffic(50)}
					if want == rmf.StageDraft {
						candidate = append(candidate, rmf.Ramp())
					}
					app.Get("/x", say("v1"), rmf.Reality("stable"))
					app.Get("/x", say("v2"), rmf.Reality("candidate", candidate...))
					client := ishaatest.New(t, app)
					client.Get("/x").Status(200)
					return client, m, app
				}
				client, m, app := start()
				if err := reach(t.Context(), m); err != nil {
					t.Fatal(err)
				}
				for range 100 {
					client.Get("/x").Status(200)
				}
				before := experiment(t, m)
				if err := app.Stop(context.Background()); err != nil {
					t.Fatal(err)
				}
				client, m, _ = start()
				eventually(t, "the counters of before are read", func() bool { return experiment(t, m).Nodes > 1 })
				after := experiment(t, m)
				b, a := realityOf(t, before, "candidate"), realityOf(t, after, "candidate")
				if a.Trial.Stage != want || before.Epoch != after.Epoch || before.Salt != after.Salt || before.Stable != after.Stable || a.Share != b.Share || a.Trial.Reason != b.Trial.Reason {
					t.Errorf("before %+v %+v\nafter %+v %+v", before, b.Trial, after, a.Trial)
				}
				if total := realityOf(t, after, "stable").Requests + a.Requests; total != 102 {
					t.Errorf("%d requests are counted, want 102", total)
				}
				if a.Trial.Requests < b.Trial.Requests || want == rmf.StageCanary && a.Trial.Requests < 100 {
					t.Errorf("the evidence is %d requests, it was %d", a.Trial.Requests, b.Trial.Requests)
				}
				share := map[rmf.Stage]string{rmf.StageRolledBack: "v1", rmf.StagePaused: "v1", rmf.StageDraft: "v1"}[want]
				for range 20 {
					if got := client.Get("/x").Text(); share != "" && got != share {
						t.Errorf("%s serves %q", want, got)
					}
				}
			})
		}
	}
}
