package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// Cases in which work goes on while the network breaks and comes back.

// disturb breaks the network four times while work goes on, each time until the
// store has noticed.
func (c *check) disturb(network Network, noticed, works func() bool) {
	c.Helper()
	for i, breaks := range []func(Network){Network.Cut, Network.Stall, Network.Mute, Network.Cut} {
		breaks(network)
		c.until("the outage is noticed", noticed)
		if i%2 == 1 {
			network.Cut()
		}
		network.Restore()
		c.until("the store works again", works)
	}
}

// tally counts the outcomes of operations.
type tally struct {
	mu                    sync.Mutex
	done, perhaps, failed int
	wrong                 error
}

func (t *tally) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var unavailable *store.UnavailableError
	switch {
	case err == nil:
		t.done++
	case !errors.As(err, &unavailable):
		t.wrong = err
	case unavailable.Uncertain:
		t.perhaps++
	default:
		t.failed++
	}
}

// more reports, asked again and again, when so many more operations succeeded, or
// failed, since it was asked first; then it begins anew.
func (t *tally) more(succeeded bool, count int) func() bool {
	goal := -1
	return func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		now := t.perhaps + t.failed
		if succeeded {
			now = t.done
		}
		switch {
		case goal < 0:
			goal = now + count
		case now >= goal:
			goal = -1
			return true
		}
		return false
	}
}

// during runs workers while the network is disturbed, and gives what became of
// their operations.
func (c *check) during(workers int, network Network, work func(worker, n int) error) *tally {
	c.Helper()
	t := &tally{}
	stop := make(chan struct{})
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				t.note(work(worker, n))
			}
		})
	}
	defer running.Wait()
	defer close(stop)
	c.until("the work is under way", t.more(true, 3))
	c.disturb(network, t.more(false, workers), t.more(true, 3))
	return t
}

// counted checks that what happened agrees with what was said.
func (c *check) counted(t *tally, happened int) {
	c.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wrong != nil {
		c.Fatalf("an error that is not of the outage: %v", t.wrong)
	}
	if happened < t.done || happened > t.done+t.perhaps {
		c.Fatalf("it happened %d times, but %d were said to be done and %d to be uncertain", happened, t.done, t.perhaps)
	}
}

var flowCases = []testCase{
	{"counting goes on", func(c *check) {
		st, other, network := c.faulty()
		t := c.during(4, network, func(int, int) error {
			_, err := st.Increment(c.ctx, c.key("n"), 1, 0)
			return err
		})
		value, err := other.Get(c.ctx, c.key("n"))
		c.ok(err)
		n, err := strconv.Atoi(string(value))
		c.ok(err)
		c.counted(t, n)
	}},
	{"creating by swap goes on", func(c *check) {
		st, other, network := c.faulty()
		t := c.during(4, network, func(worker, n int) error {
			created, err := st.CompareAndSwap(c.ctx, c.key(fmt.Sprint(worker, "-", n)), nil, []byte("v"), 0)
			if err == nil && !created {
				return fmt.Errorf("worker %d did not create %d, which nobody else does", worker, n)
			}
			return err
		})
		n := 0
		for _, err := range other.Scan(c.ctx, c.space) {
			c.ok(err)
			n++
		}
		c.counted(t, n)
	}},
	{"publishing goes on, in order and once", func(c *check) {
		st, other, network := c.faulty()
		sub := c.subscribe(other, "t")
		t := c.during(1, network, func(_, n int) error { return st.Publish(c.ctx, c.key("t"), []byte(strconv.Itoa(n))) })
		c.publish(other, "t", "end")
		heard, last := 0, -1
		for m := range sub.Messages() {
			if string(m.Data) == "end" {
				break
			}
			n, err := strconv.Atoi(string(m.Data))
			if m.Gap != nil || err != nil || n <= last {
				c.Fatalf("heard %q (gap: %v) after %d", m.Data, m.Gap, last)
			}
			heard, last = heard+1, n
		}
		c.counted(t, heard)
	}},
	{"listening goes on, in order, once, and gaps are marked", func(c *check) {
		st, other, network := c.faulty()
		sub := c.subscribe(st, "t")
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				if err := other.Publish(c.ctx, c.key("t"), []byte(strconv.Itoa(n))); err != nil {
					c.Error(err)
					return
				}
			}
		}()
		heard := make(chan string, 1)
		go func() {
			last, marked, gaps := -1, false, 0
			problem := ""
			for m := range sub.Messages() {
				if m.Gap != nil {
					marked = true
					gaps++
					continue
				}
				n, _ := strconv.Atoi(string(m.Data))
				if n <= last || n != last+1 && !marked && last >= 0 {
					problem = fmt.Sprintf("heard %d after %d, gap marked: %v", n, last, marked)
				}
				last, marked = n, false
			}
			if problem == "" && gaps < 3 {
				problem = fmt.Sprintf("%d gaps are marked", gaps)
			}
			heard <- problem
		}()
		c.disturb(network, func() bool { return !sub.Live() }, sub.Live)
		close(stop)
		<-ended
		c.ok(sub.Close())
		if problem := <-heard; problem != "" {
			c.Fatal(problem)
		}
	}},
}
