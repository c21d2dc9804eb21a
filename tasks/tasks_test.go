package tasks_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/tasks"
)

const patience = 2 * time.Minute // on a machine that is busy

// TestMain makes the test binary a worker process of its own where a test starts it as one.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(child(role))
	}
	goleak.VerifyTestMain(m)
}

// each runs a test on both engines that a queue can be on.
func each(t *testing.T, test func(t *testing.T, db *orm.DB)) {
	for _, engine := range []ormtest.Engine{ormtest.SQLite, ormtest.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel() // mostly, they wait
			test(t, ormtest.New(t, engine))
		})
	}
}

func start(t testing.TB, queue *tasks.TaskQueue) {
	t.Helper()
	if err := queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := queue.Stop(ctx); err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in %s: %s", patience, what)
		}
	}
}

// advances waits until a count has reached a number, for as long as it grows: how fast is the machine's affair.
func advances(t testing.TB, what string, until int64, count func() int64) {
	t.Helper()
	last, deadline := int64(-1), time.Now().Add(patience)
	for {
		n := count()
		if n >= until {
			return
		}
		if n > last {
			last, deadline = n, time.Now().Add(patience)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d of %d, and none for %s", what, n, until, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type email struct {
	To string `json:"to"`
}

func TestJobRuns(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		queue := tasks.New(db, tasks.Options{MaxWorkers: 4})
		send := tasks.Define(queue, "send_email", func(ctx context.Context, e email) (string, error) {
			info, _ := tasks.Current(ctx)
			return fmt.Sprintf("sent to %s by attempt %d", e.To, info.Attempt), nil
		})
		length := tasks.Define(queue, "length", func(_ context.Context, s []int) (int, error) { return len(s), nil })
		ctx := within(t)
		job, err := send.Delay(ctx, email{"alice"}) // before the start
		if err != nil {
			t.Fatal(err)
		}
		if status, err := job.Status(ctx); status != tasks.Pending || err != nil {
			t.Errorf("before the start: %s, %v", status, err)
		}
		if _, err := job.Result(ctx); !errors.Is(err, tasks.ErrNotDone) {
			t.Errorf("the result before the start: %v", err)
		}
		start(t, queue)
		if got, err := job.Wait(ctx); got != "sent to alice by attempt 1" || err != nil {
			t.Errorf("the result is %q, %v", got, err)
		}
		if status, err := queue.Status(ctx, job.ID); status != tasks.Completed || err != nil {
			t.Errorf("at the end: %s, %v", status, err)
		}
		numbers, err := length.Delay(ctx, []int{1, 2, 3}) // arguments that are no object
		if err != nil {
			t.Fatal(err)
		}
		if n, err := numbers.Wait(ctx); n != 3 || err != nil {
			t.Errorf("the length is %d, %v", n, err)
		}
		if _, err := queue.Status(ctx, 1<<40); !errors.Is(err, tasks.ErrNotFound) {
			t.Errorf("an id that is not there: %v", err)
		}
		later, err := send.After(time.Hour).Delay(ctx, email{"bob"})
		if err != nil {
			t.Fatal(err)
		}
		if info, err := later.Info(ctx); err != nil || time.Until(info.Scheduled) < 59*time.Minute || info.Task != "send_email" || string(info.Args) == "" {
			t.Errorf("later: %+v, %v", info, err)
		}
		soon, err := send.At(time.Now().Add(300*time.Millisecond)).Delay(ctx, email{"carol"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := soon.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestEndsOfAttempts(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		var tries sync.Map
		queue := tasks.New(db, tasks.Options{MaxWorkers: 8})
		try := tasks.Define(queue, "try", func(ctx context.Context, how string) (int, error) {
			count, _ := tries.LoadOrStore(how, new(atomic.Int64))
			n := int(count.(*atomic.Int64).Add(1))
			switch how {
			case "twice":
				if n < 2 {
					return 0, errors.New("not yet")
				}
			case "never":
				return 0, errors.New("no")
			case "panics":
				panic("at the disco")
			case "permanent":
				return 0, fmt.Errorf("wrapped: %w", tasks.Permanent(errors.New("bad address")))
			case "snoozes":
				if n < 3 {
					return 0, tasks.Snooze(10 * time.Millisecond)
				}
			case "slow":
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return n, nil
		}, tasks.MaxAttempts(3), tasks.Backoff(10*time.Millisecond, 20*time.Millisecond), tasks.Timeout(200*time.Millisecond))
		start(t, queue)
		ctx := within(t)
		cases := []struct {
			how      string
			status   tasks.Status
			attempts int // counted
			ran      int
			message  string
		}{
			{"at once", tasks.Completed, 1, 1, ""},
			{"twice", tasks.Completed, 2, 2, ""},
			{"never", tasks.Failed, 3, 3, "no"},
			{"panics", tasks.Failed, 3, 3, "at the disco"},
			{"permanent", tasks.Failed, 1, 1, "bad address"},
			{"snoozes", tasks.Completed, 1, 3, ""},
			{"slow", tasks.Failed, 3, 3, "deadline exceeded"},
		}
		var jobs []*tasks.Job[int]
		for _, c := range cases {
			job, err := try.Delay(ctx, c.how)
			if err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, job)
		}
		for i, c := range cases {
			job := jobs[i]
			got, err := job.Wait(ctx)
			var failure *tasks.Error
			if errors.As(err, &failure) != (c.status == tasks.Failed) || failure != nil && !strings.Contains(failure.Message, c.message) {
				t.Errorf("%s: %d, %v", c.how, got, err)
			}
			info, err := job.Info(ctx)
			count, _ := tries.Load(c.how)
			if ran := int(count.(*atomic.Int64).Load()); err != nil || info.Status != c.status || info.Attempt != c.attempts || ran != c.ran {
				t.Errorf("%s: ran %d times, %+v, %v", c.how, ran, info, err)
			}
			if c.how == "panics" && (len(info.Errors) != 3 || !strings.Contains(info.Errors[0].Stack, "tasks_test.go")) {
				t.Errorf("the stack of the panic: %+v", info.Errors)
			}
		}
		dead, err := queue.Dead(ctx, 10)
		if err != nil || len(dead) != 4 {
			t.Fatalf("%d dead letters, %v", len(dead), err)
		}
		index := slices.IndexFunc(dead, func(i tasks.Info) bool { return string(i.Args) == `"never"` })
		if index < 0 {
			t.Fatalf("the dead letters: %+v", dead)
		}
		if err := try.Job(dead[index].ID).Retry(ctx); err != nil {
			t.Fatal(err)
		}
		count, _ := tries.Load("never")
		eventually(t, "a dead letter that is retried runs once more", func() bool { return count.(*atomic.Int64).Load() == 4 })
	})
}

func TestCancel(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		running := make(chan struct{})
		queue := tasks.New(db, tasks.Options{})
		hang := tasks.Define(queue, "hang", func(ctx context.Context, _ struct{}) (int, error) {
			if err := tasks.Progress(ctx, 3, 10, "three of ten"); err != nil {
				return 0, err
			}
			close(running)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		ctx := within(t)
		waiting, err := hang.After(time.Hour).Delay(ctx, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		if err := waiting.Cancel(ctx); err != nil {
			t.Fatal(err)
		}
		if status, err := waiting.Status(ctx); status != tasks.Cancelled || err != nil {
			t.Errorf("a job that waited: %s, %v", status, err)
		}
		start(t, queue)
		job, err := hang.Delay(ctx, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		<-running
		if p, err := job.Progress(ctx); p != (tasks.Progressed{Done: 3, Total: 10, Message: "three of ten"}) || err != nil {
			t.Errorf("the progress: %+v, %v", p, err)
		}
		if err := job.Cancel(ctx); err != nil {
			t.Fatal(err)
		}
		_, err = job.Wait(ctx)
		var failure *tasks.Error
		if !errors.As(err, &failure) || failure.Status != tasks.Cancelled {
			t.Errorf("a job that ran: %v", err)
		}
	})
}

type entry struct {
	orm.Model
	Job string
}

func entries(t testing.TB, db *orm.DB) orm.Repository[entry] {
	t.Helper()
	all := orm.Of[entry](db)
	if err := all.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTransactions(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		all := entries(t, db)
		queue := tasks.New(db, tasks.Options{})
		var second *tasks.Task[string, int]
		book := tasks.Define(queue, "book", func(ctx context.Context, name string) (int, error) {
			if name == "late" { // what is done after the end counts for nothing
				if _, err := tasks.Finish(ctx, func(tx *orm.Tx) (int, error) { return 7, nil }); err != nil {
					return 0, err
				}
				return 0, errors.New("too late")
			}
			return tasks.Finish(ctx, func(tx *orm.Tx) (int, error) {
				e, err := orm.Of[entry](tx).Create(ctx, entry{Job: name})
				if err != nil {
					return 0, err
				}
				if info, _ := tasks.Current(ctx); info.Attempt == 1 {
					return 0, errors.New("the first attempt is rolled back")
				}
				return int(e.ID), nil
			})
		}, tasks.Backoff(time.Millisecond, time.Millisecond))
		second = tasks.Define(queue, "second", func(ctx context.Context, name string) (int, error) {
			_, err := all.Create(ctx, entry{Job: "after " + name})
			return 0, err
		})
		tasks.Then(book, second, func(name string, id int) (string, error) { return fmt.Sprint(name, id > 0), nil })
		start(t, queue)
		ctx := within(t)

		refused := errors.New("refused")
		if err := db.Tx(ctx, func(tx *orm.Tx) error {
			if _, err := book.In(tx).Delay(ctx, "rolled back"); err != nil {
				t.Error(err)
			}
			return refused
		}); !errors.Is(err, refused) {
			t.Error(err)
		}
		var job *tasks.Job[int]
		if err := db.Tx(ctx, func(tx *orm.Tx) (err error) {
			job, err = book.In(tx).Delay(ctx, "committed")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if id, err := job.Wait(ctx); id == 0 || err != nil {
			t.Errorf("the result is %d, %v", id, err)
		}
		late, err := book.Delay(ctx, "late")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := late.Wait(ctx); got != 7 || err != nil {
			t.Errorf("an error after the end: %d, %v", got, err)
		}
		var names []string
		eventually(t, "the chains ran", func() bool {
			list, err := all.OrderBy("id").All(ctx)
			if err != nil {
				t.Fatal(err)
			}
			names = names[:0]
			for _, e := range list {
				names = append(names, e.Job)
			}
			return len(names) >= 3
		})
		slices.Sort(names)
		if want := []string{"after committedtrue", "after latetrue", "committed"}; !slices.Equal(names, want) {
			t.Errorf("the entries are %q, not %q", names, want)
		}
	})
}

func TestUnique(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		queue := tasks.New(db, tasks.Options{})
		send := tasks.Define(queue, "send", func(context.Context, email) (int, error) { return 0, nil }, tasks.Unique(1000*time.Hour))
		ctx := within(t)
		first, err := send.Delay(ctx, email{"alice"})
		if err != nil || first.Duplicate {
			t.Fatal(first, err)
		}
		if again, err := send.Delay(ctx, email{"alice"}); err != nil || !again.Duplicate || again.ID != first.ID {
			t.Errorf("the same again: %+v, %v", again, err)
		}
		if other, err := send.Delay(ctx, email{"bob"}); err != nil || other.Duplicate {
			t.Errorf("another: %+v, %v", other, err)
		}
		if err := queue.Stop(ctx); err != nil {
			t.Error(err)
		}
		if _, err := send.Delay(ctx, email{"carol"}); !errors.Is(err, tasks.ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestShadowEnqueuesNothing(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	queue := tasks.New(db, tasks.Options{})
	send := tasks.Define(queue, "send", func(context.Context, email) (int, error) { return 0, nil })
	ctx := within(t)
	real, err := send.Delay(ctx, email{"alice"})
	if err != nil {
		t.Fatal(err)
	}
	var intents []effect.Intent
	shadow := effect.WithShadow(ctx, effect.RecorderFunc(func(i effect.Intent) { intents = append(intents, i) }))
	job, err := send.Delay(shadow, email{"bob"})
	if err != nil || job.ID != 0 {
		t.Errorf("%+v, %v", job, err)
	}
	if err := real.Cancel(shadow); err != nil {
		t.Error(err)
	}
	want := []effect.Intent{{Kind: "task", Target: "send", Detail: `{"to":"bob"}`}, {Kind: "task", Target: fmt.Sprint(real.ID), Detail: "cancel"}}
	if !slices.Equal(intents, want) {
		t.Errorf("reported: %+v", intents)
	}
	if status, err := real.Status(ctx); status != tasks.Pending || err != nil {
		t.Errorf("cancelled by a shadow: %s, %v", status, err)
	}
	if err := queue.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func TestMemory(t *testing.T) {
	queue := tasks.Memory()
	double := tasks.Define(queue, "double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	start(t, queue)
	ctx := within(t)
	jobs, err := double.DelayMany(ctx, 1, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, job := range jobs {
		if got, err := job.Wait(ctx); got != 2*(i+1) || err != nil {
			t.Errorf("job %d: %d, %v", i, got, err)
		}
	}
	db := ormtest.New(t, ormtest.SQLite)
	var job *tasks.Job[int]
	if err := db.Tx(ctx, func(tx *orm.Tx) (err error) {
		job, err = double.In(tx).Delay(ctx, 4)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got, err := job.Wait(ctx); got != 8 || err != nil {
		t.Errorf("after the commit: %d, %v", got, err)
	}
}
