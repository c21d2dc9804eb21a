package tasks_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/tasks"
)

// TestPoison runs a job that always panics on the only worker, among others: it ends as a dead letter, and they run.
func TestPoison(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		queue := tasks.New(db, tasks.Options{MaxWorkers: 1})
		work := tasks.Define(queue, "work", func(_ context.Context, name string) (string, error) {
			if name == "poison" {
				var nobody *email
				return nobody.To, nil
			}
			return name, nil
		}, tasks.MaxAttempts(4), tasks.Backoff(time.Millisecond, 10*time.Millisecond))
		ctx := within(t)
		poison, err := work.Delay(ctx, "poison") // the first in the order
		if err != nil {
			t.Fatal(err)
		}
		others, err := work.DelayMany(ctx, "a", "b", "c", "d", "e", "f")
		if err != nil {
			t.Fatal(err)
		}
		start(t, queue)
		for _, job := range others {
			if _, err := job.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		if _, err := poison.Wait(ctx); err == nil {
			t.Error("it did not fail")
		}
		dead, err := queue.Dead(ctx, 10)
		if err != nil || len(dead) != 1 || dead[0].ID != poison.ID || dead[0].Attempt != 4 || len(dead[0].Errors) != 4 || dead[0].Errors[3].Stack == "" {
			t.Errorf("the dead letters: %+v, %v", dead, err)
		}
		if job, err := work.Delay(ctx, "afterwards"); err != nil {
			t.Error(err)
		} else if _, err := job.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestPoisonThatKills runs a job that kills its process whenever it runs, again and again with the jobs beside it. It ends as
// a dead letter, and none of the others does.
func TestPoisonThatKills(t *testing.T) {
	t.Parallel()
	for _, engine := range []ormtest.Engine{ormtest.SQLite, ormtest.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			url := ormtest.URL(t, engine)
			db, err := orm.Open(url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			all := entries(t, db)
			queue := tasks.New(db, tasks.Options{EnqueueOnly: true})
			poison, book := definePoison(queue)
			ctx := t.Context()
			jobs, err := poison.DelayMany(ctx, "poison")
			if err != nil {
				t.Fatal(err)
			}
			names := make([]string, 40)
			for i := range names {
				names[i] = fmt.Sprint(i)
			}
			others, err := book.DelayMany(ctx, names...)
			if err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, others...)
			status := func(job *tasks.Job[int64]) tasks.Status {
				s, err := job.Status(ctx)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			// Somebody starts the program whenever it has ended.
			_, ended := mortal(t, "poison", url)
			for deadline := time.Now().Add(5 * patience); ; time.Sleep(50 * time.Millisecond) {
				done := true
				for _, job := range jobs {
					done = done && status(job).Done()
				}
				if done {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the jobs are not done")
				}
				select {
				case <-ended:
					_, ended = mortal(t, "poison", url)
				default:
				}
			}
			if got := status(jobs[0]); got != tasks.Failed {
				t.Errorf("the poison is %s", got)
			}
			if n, err := all.Count(ctx); n != 40 || err != nil {
				dead, _ := queue.Dead(ctx, 50)
				t.Errorf("%d of 40 other jobs ran, %v; %d are dead letters", n, err, len(dead))
			}
			if err := queue.Stop(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRateHoldsNobodyUp has a queue whose next turn is hours away: the jobs that wait for it are pending, without an
// attempt, a worker or a hold on the end of the queue, and keep their order.
func TestRateHoldsNobodyUp(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		var first sync.Once
		taken := make(chan struct{})
		options := tasks.Options{Drain: time.Hour, Queues: map[string]tasks.QueueOptions{"rare": {Rate: 0.0001}}}
		queue := tasks.New(db, options)
		rare := tasks.Define(queue, "rare", func(context.Context, int) (int, error) {
			first.Do(func() { close(taken) })
			return 0, nil
		}, tasks.Queue("rare"))
		work := tasks.Define(queue, "work", func(context.Context, int) (int, error) { return 1, nil })
		ctx := within(t)
		if err := queue.Start(ctx); err != nil {
			t.Fatal(err)
		}
		jobs, err := rare.DelayMany(ctx, make([]int, 30)...)
		if err != nil {
			t.Fatal(err)
		}
		<-taken
		others, err := work.DelayMany(ctx, make([]int, 30)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range others {
			if _, err := job.Wait(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := jobs[0].Wait(ctx); err != nil {
			t.Error(err)
		}
		for _, job := range jobs[1:] {
			if info, err := job.Info(ctx); err != nil || info.Status != tasks.Pending || info.Attempt != 0 {
				t.Fatalf("a job that waits for its turn: %+v, %v", info, err)
			}
		}
		if err := queue.Stop(ctx); err != nil { // long before Drain has passed, or ctx would have ended
			t.Error(err)
		}
	})
}

// TestRateKeepsPriorities has a job that comes late and is urgent run before those that wait for their turns.
func TestRateKeepsPriorities(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		var mu sync.Mutex
		var order []string
		var begun atomic.Int64
		// The first takes the only worker until the urgent one is there.
		enqueued := make(chan struct{})
		queue := tasks.New(db, tasks.Options{Queues: map[string]tasks.QueueOptions{"slow": {Rate: 20, MaxWorkers: 1}}})
		note := func(_ context.Context, name string) (int, error) {
			if name == "a" {
				begun.Add(1)
				<-enqueued
				begun.Add(-1)
			}
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			begun.Add(1)
			return 0, nil
		}
		late := tasks.Define(queue, "late", note, tasks.Queue("slow"), tasks.Priority(3))
		urgent := tasks.Define(queue, "urgent", note, tasks.Queue("slow"))
		ctx := within(t)
		if _, err := late.DelayMany(ctx, "a", "b", "c"); err != nil {
			t.Fatal(err)
		}
		start(t, queue)
		eventually(t, "one has begun", func() bool { return begun.Load() >= 1 })
		_, err := urgent.Delay(ctx, "urgent")
		close(enqueued)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "all have run", func() bool { return begun.Load() == 4 })
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"a", "urgent", "b", "c"}; !slices.Equal(order, want) {
			t.Errorf("the order is %q, not %q", order, want)
		}
	})
}
