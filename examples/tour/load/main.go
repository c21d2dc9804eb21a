// Command load is visitors of the tour's charts: it asks for them by genre, the popular ones most, places an order now and
// then, and looks whether the next chart knows of it. It says every second what the visitors see.
//
//	go run ./examples/tour                       # in one shell
//	go run ./examples/tour/load                  # in another, for a minute
//	go run ./examples/tour/load -for 10m -visitors 16
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"
)

// genres are asked for by Zipf's law, the first most.
var genres = []string{"Rock", "Latin", "Metal", "Alternative & Punk", "Jazz", "TV Shows", "Blues", "Classical", "R&B/Soul", "Reggae", "Drama", "Pop"}

func main() {
	shop := flag.String("url", "http://127.0.0.1:8000", "where the tour is")
	visitors := flag.Int("visitors", 8, "how many ask at once")
	lasts := flag.Duration("for", time.Minute, "how long they stay")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *lasts)
	defer cancel()
	l := &load{shop: *shop, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: *visitors + 2}}}
	if err := l.run(ctx, *visitors, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// load is all visitors together.
type load struct {
	shop   string
	client *http.Client

	mu     sync.Mutex
	took   []time.Duration // this second
	failed int
	orders int
	stale  int // charts that did not know of an order that was placed
}

// run lets visitors come until the context ends. A chart that is out of date is an error.
func (l *load) run(ctx context.Context, visitors int, out io.Writer) error {
	if _, err := l.chart(ctx, genres[0]); err != nil {
		return fmt.Errorf("the tour does not answer: start it by \"go run ./examples/tour\": %w", err)
	}
	var wg sync.WaitGroup
	for visitor := range visitors {
		wg.Go(func() { l.visit(ctx, uint64(visitor)) })
	}
	wg.Go(func() { l.order(ctx) })
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-every.C:
			l.say(out)
		}
	}
	wg.Wait()
	if l.stale > 0 {
		return fmt.Errorf("%d of %d orders were not in the next chart", l.stale, l.orders)
	}
	if l.failed > 0 {
		return fmt.Errorf("%d requests failed", l.failed)
	}
	return nil
}

// visit asks for one chart after another.
func (l *load) visit(ctx context.Context, visitor uint64) {
	r := rand.New(rand.NewPCG(visitor, 1))
	zipf := rand.NewZipf(r, 1.2, 1, uint64(len(genres)-1))
	for ctx.Err() == nil {
		begin := time.Now()
		_, err := l.chart(ctx, genres[zipf.Uint64()])
		l.mu.Lock()
		switch {
		case err == nil:
			l.took = append(l.took, time.Since(begin))
		case ctx.Err() == nil:
			l.failed++
		}
		l.mu.Unlock()
	}
}

// chart gives how often the records of a genre were sold, by their numbers.
func (l *load) chart(ctx context.Context, genre string) (map[int64]int64, error) {
	data, err := l.ask(ctx, "GET", "/charts.json?genre="+url.QueryEscape(genre), nil)
	if err != nil {
		return nil, err
	}
	var list []struct{ ID, Sold int64 }
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	sold := map[int64]int64{}
	for _, record := range list {
		sold[record.ID] = record.Sold
	}
	return sold, nil
}

// ordered is a track of "The Essential Miles Davis", which is in the charts of Jazz.
const orderedTrack, orderedAlbum = 598, 48

// order buys a track every few seconds, no more often than the shop allows, and looks at the chart again. Nobody else
// buys, so the chart has to show exactly one more.
func (l *load) order(ctx context.Context) {
	body := fmt.Appendf(nil, `{"items": [{"track": %d}]}`, orderedTrack)
	every := time.NewTicker(4 * time.Second)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		before, err := l.chart(ctx, "Jazz")
		if err != nil {
			continue
		}
		if _, err := l.ask(ctx, "POST", "/api/v1/orders", body); err != nil {
			continue
		}
		after, err := l.chart(ctx, "Jazz")
		if err != nil {
			continue
		}
		l.mu.Lock()
		l.orders++
		if after[orderedAlbum] <= before[orderedAlbum] {
			l.stale++
		}
		l.mu.Unlock()
	}
}

func (l *load) ask(ctx context.Context, method, target string, body []byte) (data []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, l.shop+target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := l.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	data, err = io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s is answered %s", method, target, res.Status)
	}
	return data, err
}

// say prints the second that has passed.
func (l *load) say(out io.Writer) {
	l.mu.Lock()
	took, orders, stale := l.took, l.orders, l.stale
	l.took = nil
	l.mu.Unlock()
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	fmt.Fprintf(out, "%6d charts a second, median %8v, 99 %% within %8v; %d orders, %d not in the next chart\n", len(took),
		took[len(took)/2].Round(time.Microsecond), took[len(took)*99/100].Round(time.Microsecond), orders, stale)
}
