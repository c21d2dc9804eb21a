package cpu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// Options say how an experiment is run. All numbers must be positive, and rounds at least two.
type Options struct {
	Work        peers.Work
	Peers       []string // the first is the baseline; a name may be there twice, as a control
	Rounds      int      // 20 or more for a ratio that is to be trusted
	Requests    int      // for each peer in each round
	Connections int
	Pipeline    int    // requests on their way at once on a connection
	Seed        uint64 // of the order within rounds
}

// candidate is a peer with its process, its connections and its samples.
type candidate struct {
	name    string
	server  *Server
	load    *Load
	samples []Sample
}

// Measure runs an experiment: the servers on the first core, and this process on the last. On a machine with one core
// nothing is pinned, and the report says so. It ends early, with an error, when the context is done.
func Measure(ctx context.Context, o Options) (*Report, error) {
	if len(o.Peers) == 0 || o.Rounds < 2 || o.Requests < 1 {
		return nil, fmt.Errorf("an experiment needs a peer, two rounds and a request, and has %d, %d and %d", len(o.Peers), o.Rounds, o.Requests)
	}
	cores, err := Cores()
	if err != nil {
		return nil, err
	}
	serverCore := Unpinned
	if len(cores) > 1 {
		serverCore = cores[0]
		if err := PinSelf(cores[len(cores)-1]); err != nil {
			return nil, err
		}
	}
	var candidates []*candidate
	defer func() {
		for _, c := range candidates {
			c.close()
		}
	}()
	for _, name := range o.Peers {
		c := &candidate{name: name}
		candidates = append(candidates, c)
		if err := c.open(o, serverCore); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	order := slices.Clone(candidates)
	random := rand.New(rand.NewPCG(o.Seed, 0))
	for range o.Rounds {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, c := range order {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("stopped after %d of %d rounds: %w", len(order[0].samples), o.Rounds, err)
			}
			if err := c.sample(o.Requests); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return newReport(o, candidates, serverCore != Unpinned)
}

// open starts the server, connects to it, and lets it serve until its caches and its heap have their usual size.
func (c *candidate) open(o Options, core int) (err error) {
	if c.server, err = Start(c.name, o.Work, core); err != nil {
		return err
	}
	if c.load, err = Dial(c.server.Addr, Request(o.Work), o.Connections, o.Pipeline); err != nil {
		return err
	}
	return c.load.Run(max(o.Requests/4, 10*o.Connections))
}

func (c *candidate) close() {
	if c.load != nil {
		c.load.Close()
	}
	if c.server != nil {
		c.server.Stop()
	}
}

func (c *candidate) sample(requests int) error {
	before, err := c.server.Usage()
	if err != nil {
		return err
	}
	started := time.Now()
	if err := c.load.Run(requests); err != nil {
		return err
	}
	took := time.Since(started)
	after, err := c.server.Usage()
	if err != nil {
		return err
	}
	n := float64(requests)
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / n }
	c.samples = append(c.samples, Sample{
		User:   micros(after.User - before.User),
		System: micros(after.System - before.System),
		Rate:   n / took.Seconds(),
		P50:    float64(c.load.Wait(0.5).Nanoseconds()) / 1e3,
		P99:    float64(c.load.Wait(0.99).Nanoseconds()) / 1e3,
		Allocs: float64(after.Allocs-before.Allocs) / n,
		Bytes:  float64(after.Bytes-before.Bytes) / n,
	})
	return nil
}
