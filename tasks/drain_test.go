package tasks_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/tasks"
)

// TestDrain stops a queue while jobs run: one that ends by itself, one that ends with its context, and one that does not.
func TestDrain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *orm.DB) {
		started, end, release := make(chan string, 3), make(chan struct{}), make(chan struct{})
		define := func(queue *tasks.TaskQueue) *tasks.Task[string, string] {
			return tasks.Define(queue, "work", func(ctx context.Context, how string) (string, error) {
				started <- how
				switch how {
				case "ends":
					<-end
				case "obeys":
					<-ctx.Done()
					return "", ctx.Err()
				case "ignores":
					<-release
				}
				return how, nil
			})
		}
		queue := tasks.New(db, tasks.Options{Drain: time.Second})
		work := define(queue)
		app := ishaa.New("drain")
		app.Install(queue)
		ctx := within(t)
		if err := app.Start(ctx); err != nil {
			t.Fatal(err)
		}
		jobs := map[string]*tasks.Job[string]{}
		for _, how := range []string{"ends", "obeys", "ignores"} {
			job, err := work.Delay(ctx, how)
			if err != nil {
				t.Fatal(err)
			}
			jobs[how] = job
		}
		for range 3 {
			<-started
		}
		stopped := make(chan error)
		stopping, cancel := context.WithTimeout(ctx, 16*time.Second)
		defer cancel()
		go func() { stopped <- app.Stop(stopping) }()
		close(end) // one of the two that wait goes on
		err := <-stopped
		if err != nil && !strings.Contains(err.Error(), "handed back") {
			t.Errorf("stopping: %v", err)
		}
		close(release) // and the goroutine that was left behind ends

		second := tasks.New(db, tasks.Options{EnqueueOnly: true})
		counts := map[tasks.Status]int{}
		for how, job := range jobs {
			info, err := second.Info(ctx, job.ID)
			if err != nil {
				t.Fatal(err)
			}
			counts[info.Status]++
			if info.Status == tasks.Pending && info.Attempt != 0 {
				t.Errorf("%s was handed back with its attempt counted: %+v", how, info)
			}
		}
		if counts[tasks.Running] != 0 || counts[tasks.Pending] < 1 || counts[tasks.Completed] < 1 {
			t.Errorf("after the stop: %v", counts)
		}
		if err := second.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestIgnoredContext has a job that does not end with its context. It holds up neither the others, once its time is over,
// nor the end of the queue, which hands it back: it runs again elsewhere.
func TestIgnoredContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *orm.DB) {
		begun, release := make(chan struct{}, 9), make(chan struct{})
		define := func(options tasks.Options, deaf func()) (*tasks.TaskQueue, *tasks.Task[string, string]) {
			queue := tasks.New(db, options)
			return queue, tasks.Define(queue, "work", func(_ context.Context, name string) (string, error) {
				if name == "deaf" {
					begun <- struct{}{}
					deaf()
				}
				return name, nil
			}, tasks.Timeout(100*time.Millisecond))
		}
		queue, work := define(tasks.Options{MaxWorkers: 1, Drain: 100 * time.Millisecond}, func() { <-release })
		ctx := within(t)
		if err := queue.Start(ctx); err != nil {
			t.Fatal(err)
		}
		stuck, err := work.Delay(ctx, "deaf")
		if err != nil {
			t.Fatal(err)
		}
		<-begun
		other, err := work.Delay(ctx, "other")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Wait(ctx); err != nil { // there is only one worker
			t.Errorf("behind the job that is stuck: %v", err)
		}

		stopping, cancel := context.WithTimeout(ctx, 4*time.Second)
		defer cancel()
		err = queue.Stop(stopping) // while the job runs
		close(release)
		if err == nil || !strings.Contains(err.Error(), "handed back to be run again: 1") {
			t.Errorf("stopping: %v", err)
		}
		again, task := define(tasks.Options{}, func() {})
		info, err := again.Info(ctx, stuck.ID)
		if err != nil || info.Status != tasks.Pending || info.Attempt != 0 {
			t.Errorf("after the stop: %+v, %v", info, err)
		}
		start(t, again)
		if got, err := task.Job(stuck.ID).Wait(ctx); got != "deaf" || err != nil {
			t.Errorf("elsewhere: %q, %v", got, err)
		}
	})
}
