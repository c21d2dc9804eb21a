package tasks_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/tasks"
)

func TestRateAndOrder(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		var mu sync.Mutex
		var order []string
		var times []time.Time
		queue := tasks.New(db, tasks.Options{Queues: map[string]tasks.QueueOptions{
			"one":  {MaxWorkers: 1},
			"slow": {Rate: 20, Burst: 2},
		}})
		note := func(_ context.Context, name string) (struct{}, error) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			return struct{}{}, nil
		}
		late := tasks.Define(queue, "late", note, tasks.Queue("one"), tasks.Priority(4))
		early := tasks.Define(queue, "early", note, tasks.Queue("one"))
		slow := tasks.Define(queue, "slow", func(context.Context, int) (struct{}, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Now())
			return struct{}{}, nil
		}, tasks.Queue("slow"))
		ctx := within(t)
		for _, task := range []*tasks.Task[string, struct{}]{late, early, late, early} {
			if _, err := task.Delay(ctx, task.Name()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := slow.DelayMany(ctx, 1, 2, 3, 4, 5, 6); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		start(t, queue)
		eventually(t, "all ran", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(order) == 4 && len(times) == 6
		})
		if want := []string{"early", "early", "late", "late"}; !slices.Equal(order, want) {
			t.Errorf("the order is %q", order)
		}
		slices.SortFunc(times, time.Time.Compare)
		// The burst of two is there at the start, the other four come an interval of 50 ms apart
		// (in whole milliseconds), however late each may be.
		if took := times[5].Sub(began); took < 198*time.Millisecond {
			t.Errorf("six jobs at 20 in a second took %s", took)
		}
	})
}

func TestPause(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		queue := tasks.New(db, tasks.Options{})
		work := tasks.Define(queue, "work", func(context.Context, int) (int, error) { return 1, nil })
		start(t, queue)
		ctx := within(t)
		if err := queue.Pause(ctx, tasks.QueueDefault); err != nil {
			t.Fatal(err)
		}
		if err := queue.Resume(ctx, tasks.QueueDefault); err != nil {
			t.Fatal(err)
		}
		job, err := work.Delay(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := job.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestHooks(t *testing.T) {
	type key struct{}
	var spans []string
	queue := tasks.New(ormtest.New(t, ormtest.SQLite), tasks.Options{
		Inject: func(ctx context.Context) map[string]string {
			parent, _ := ctx.Value(key{}).(string)
			return map[string]string{"traceparent": parent}
		},
		Around: func(ctx context.Context, info tasks.Info, next func(context.Context) error) error {
			err := next(context.WithValue(ctx, key{}, info.Carrier["traceparent"]+"/child"))
			spans = append(spans, fmt.Sprint(info.Task, " ", info.Carrier["traceparent"], " ", err))
			return err
		},
	})
	work := tasks.Define(queue, "work", func(ctx context.Context, _ int) (string, error) { return ctx.Value(key{}).(string), nil })
	start(t, queue)
	ctx := context.WithValue(within(t), key{}, "trace-1")
	job, err := work.Delay(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := job.Wait(ctx); got != "trace-1/child" || err != nil || !slices.Equal(spans, []string{"work trace-1 <nil>"}) {
		t.Errorf("%q, %v, %q", got, err, spans)
	}
}

func TestBesideMySQL(t *testing.T) {
	db := ormtest.New(t, ormtest.MySQL)
	file := filepath.Join(t.TempDir(), "jobs.db")
	queue := tasks.New(db, tasks.Options{File: file})
	work := tasks.Define(queue, "work", func(ctx context.Context, finish bool) (int, error) {
		if finish {
			return tasks.Finish(ctx, func(*orm.Tx) (int, error) { return 2, nil })
		}
		return 1, nil
	}, tasks.MaxAttempts(1))
	start(t, queue)
	ctx := within(t)
	job, err := work.Delay(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := job.Wait(ctx); got != 1 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	err = db.Tx(ctx, func(tx *orm.Tx) error {
		_, err := work.In(tx).Delay(ctx, false)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "SQLite file of their own") {
		t.Errorf("In a transaction: %v", err)
	}
	job, err = work.Delay(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Wait(ctx); err == nil || !strings.Contains(err.Error(), "SQLite file of their own") {
		t.Errorf("Finish: %v", err)
	}
}

// fakeClock moves when it is told to.
type fakeClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting []waiting
}

type waiting struct {
	until time.Time
	c     chan time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := waiting{c.now.Add(d), make(chan time.Time, 1)}
	c.waiting = append(c.waiting, w)
	return w.c
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waiting = slices.DeleteFunc(c.waiting, func(w waiting) bool {
		if w.until.After(c.now) {
			return false
		}
		w.c <- c.now
		return true
	})
}

// TestTicksOfAPause stops the only node for two days: the nightly task runs for both nights when it is back.
func TestTicksOfAPause(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		clock := &fakeClock{now: time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)}
		var mu sync.Mutex
		var ran []string
		node := func() *tasks.TaskQueue {
			queue := tasks.New(db, tasks.Options{Clock: clock})
			queue.Periodic("nightly", tasks.Cron("0 3 * * *", "Europe/Berlin"), func(ctx context.Context) error {
				at, _ := tasks.Tick(ctx)
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, at.Format(time.DateTime))
				return nil
			})
			if err := queue.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			return queue
		}
		has := func(want ...string) func() bool {
			return func() bool {
				mu.Lock()
				defer mu.Unlock()
				slices.Sort(ran)
				return slices.Equal(ran, want)
			}
		}
		queue := node()
		eventually(t, "the clock is waited for", func() bool {
			clock.advance(time.Hour)
			mu.Lock()
			defer mu.Unlock()
			return len(ran) == 1
		})
		if err := queue.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		first := ran[0]
		if first != "2026-03-28 02:00:00" {
			t.Errorf("the first night is %s", first)
		}
		clock.mu.Lock()
		clock.now = time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC)
		clock.mu.Unlock()
		queue = node()
		eventually(t, "both nights", has(first, "2026-03-29 01:00:00", "2026-03-30 01:00:00"))
		if err := queue.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
