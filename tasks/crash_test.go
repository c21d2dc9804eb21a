package tasks_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/tasks"
)

// The processes that these tests kill are the test binary itself, with a role in its environment.
const (
	roleVariable = "ISHAA_TASKS_ROLE"
	urlVariable  = "ISHAA_TASKS_URL"
)

// shortTimeout makes the jobs of a killed process wait no longer than a test likes to.
const shortTimeout = time.Second

// child works until it is killed, or for ten minutes at most.
func child(role string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, role+":", err)
		return 1
	}
	db, err := orm.Open(os.Getenv(urlVariable))
	if err != nil {
		return fail(err)
	}
	defer db.Close()
	queue := tasks.New(db, tasks.Options{MaxWorkers: 8, NodeTimeout: shortTimeout})
	switch role {
	case "book":
		defineBook(queue)
	case "poison":
		definePoison(queue)
	default:
		queue.Periodic("tick", tasks.Every(time.Second), func(ctx context.Context) error {
			at, _ := tasks.Tick(ctx)
			return book(ctx, fmt.Sprint(at.Unix()))
		})
	}
	if role == "poison" { // which may not live to say so afterwards
		fmt.Println("started")
	}
	if err := queue.Start(ctx); err != nil {
		return fail(err)
	}
	fmt.Println("started")
	<-ctx.Done()
	return 0
}

func defineBook(queue *tasks.TaskQueue) *tasks.Task[string, int64] {
	return tasks.Define(queue, "book", func(ctx context.Context, name string) (int64, error) {
		pause := time.NewTimer(rand.N(20 * time.Millisecond)) // work, in which the process may die
		defer pause.Stop()
		<-pause.C
		return 0, book(ctx, name)
	}, tasks.Backoff(time.Millisecond, 100*time.Millisecond), tasks.MaxAttempts(1000)) // processes die, and it is not the job's doing
}

// definePoison makes a task whose jobs kill their process, and one whose jobs are beside them.
func definePoison(queue *tasks.TaskQueue) (poison, beside *tasks.Task[string, int64]) {
	poison = tasks.Define(queue, "poison", func(context.Context, string) (int64, error) {
		time.Sleep(rand.N(20 * time.Millisecond)) // others have begun
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			p.Kill()
		}
		select {}
	}, tasks.MaxAttempts(6))
	beside = tasks.Define(queue, "book", func(ctx context.Context, name string) (int64, error) {
		time.Sleep(rand.N(20 * time.Millisecond))
		return 0, book(ctx, name)
	}, tasks.MaxAttempts(10))
	return poison, beside
}

// book writes one entry in the transaction that completes the job.
func book(ctx context.Context, name string) error {
	_, err := tasks.Finish(ctx, func(tx *orm.Tx) (int64, error) {
		e, err := orm.Of[entry](tx).Create(ctx, entry{Job: name})
		return e.ID, err
	})
	return err
}

// process starts a child and waits until it works.
func process(t *testing.T, role, url string) (kill func()) {
	t.Helper()
	kill, _ = mortal(t, role, url)
	return kill
}

// mortal is process for a child that may end by itself.
func mortal(t *testing.T, role, url string) (kill func(), ended <-chan struct{}) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, urlVariable+"="+url)
	cmd.Stderr = os.Stderr
	if !testing.Verbose() {
		cmd.Stderr = nil
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dead := make(chan struct{})
	go func() {
		defer close(dead)
		cmd.Wait() // with whatever: it is killed
	}()
	kill = func() {
		cmd.Process.Kill()
		<-dead
	}
	t.Cleanup(kill)
	if err != nil {
		t.Fatalf("the worker process said %q: %v", line, err)
	}
	return kill, dead
}

// TestKilledWorkers kills the only worker process again and again. Every job completes, and what it writes in its own
// transaction is there once.
func TestKilledWorkers(t *testing.T) {
	t.Parallel()
	kills, count := 5, 500
	if testenv.Long() {
		kills, count = 100, 10_000
	}
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
			task := defineBook(queue)
			ctx := t.Context()
			names := make([]string, count)
			for i := range names {
				names[i] = fmt.Sprint(i)
			}
			jobs, err := task.DelayMany(ctx, names...)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			for range kills {
				kill := process(t, "book", url)
				time.Sleep(20*time.Millisecond + rand.N(200*time.Millisecond)) // the moment of death is to be any
				kill()
			}
			before, err := all.Count(ctx)
			if err != nil {
				t.Fatal(err)
			}
			process(t, "book", url)
			defer func() {
				if t.Failed() { // say where the jobs stand
					states := map[string]int{}
					rows, err := db.SQL().Query("SELECT state, count(*) FROM river_job GROUP BY state")
					for err == nil && rows.Next() {
						var state string
						var n int
						err = rows.Scan(&state, &n)
						states[state] = n
					}
					t.Logf("the jobs: %v, %v", states, err)
				}
			}()
			advances(t, "jobs that are done", int64(count), func() int64 {
				n, err := all.Count(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if dead, err := queue.Dead(ctx, 1); err != nil || len(dead) > 0 {
					t.Fatalf("a job is a dead letter: %+v, %v", dead, err)
				}
				return n
			})
			var attempts int
			for _, job := range jobs {
				if _, err := job.Wait(ctx); err != nil {
					t.Fatal(err)
				}
				info, err := job.Info(ctx)
				if err != nil {
					t.Fatal(err)
				}
				attempts += info.Attempt
			}
			list, err := all.All(ctx)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]int{}
			for _, e := range list {
				seen[e.Job]++
			}
			if len(list) != count || len(seen) != count {
				t.Errorf("%d entries of %d jobs, not %d", len(list), len(seen), count)
			}
			t.Logf("%d kills, %d jobs, %d attempts, %d done before the last process, %s", kills, count, attempts, before, time.Since(begin).Round(time.Millisecond))
			if err := queue.Stop(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTicksOnTwoNodes runs a periodic task on two processes, one of which is killed half-way.
func TestTicksOnTwoNodes(t *testing.T) {
	t.Parallel()
	length := 6 * time.Second
	if testenv.Long() {
		length = time.Minute
	}
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
			first := process(t, "tick", url)
			process(t, "tick", url)
			begin := time.Now().Unix() + 1
			half := int(length/time.Second) / 2
			last := begin + int64(length/time.Second) - 1
			inTime := func() int64 {
				n, err := all.Filter("job__gte", fmt.Sprint(begin), "job__lte", fmt.Sprint(last)).Count(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			advances(t, "half of the ticks", int64(half), inTime)
			first()
			advances(t, "ticks", int64(length/time.Second), inTime)
			list, err := all.All(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ran := map[string]int{}
			for _, e := range list {
				if ran[e.Job]++; ran[e.Job] > 1 {
					t.Errorf("the tick %s ran %d times", e.Job, ran[e.Job])
				}
			}
			for at := begin; at <= last; at++ {
				if ran[fmt.Sprint(at)] != 1 {
					t.Errorf("the tick %d ran %d times", at, ran[fmt.Sprint(at)])
				}
			}
		})
	}
}
