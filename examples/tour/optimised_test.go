package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/sare"
)

// visited is a shop over a socket, with visitors of its charts.
type visited struct {
	t      testing.TB
	engine *sare.Engine
	url    string
	client *http.Client
}

func openShop(t *testing.T) *visited {
	app := ishaa.New("tour", ishaa.Config{LogTo: io.Discard})
	v := &visited{t: t, engine: furnish(app, shopDB(t), nil), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- app.Serve(ctx, listener) }()
	t.Cleanup(func() {
		v.client.CloseIdleConnections()
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return v
}

// chart is how often an album was sold, by the charts of Jazz.
func (v *visited) chart(album int64) (sold int64) {
	res, err := v.client.Get(v.url + "/charts.json?genre=Jazz")
	if err != nil {
		v.t.Error(err)
		return -1
	}
	defer res.Body.Close()
	var list []charted
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		v.t.Errorf("%s: %v", res.Status, err)
		return -1
	}
	for _, record := range list {
		if record.ID == album {
			return record.Sold
		}
	}
	return 0
}

// order buys a track of the album 48.
func (v *visited) order() {
	v.t.Helper()
	res, err := v.client.Post(v.url+"/api/v1/orders", "application/json", strings.NewReader(`{"items": [{"track": 598}]}`))
	if err != nil {
		v.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		v.t.Fatalf("an order is answered %s", res.Status)
	}
}

// visits has some visitors ask for a time and returns how many charts they got.
func (v *visited) visits(visitors int, d time.Duration) int64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	for begin := time.Now(); visitors > 0; visitors-- {
		wg.Go(func() {
			for time.Since(begin) < d && !v.t.Failed() {
				v.chart(48)
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return n.Load()
}

// taken waits until the engine remembers the charts.
func (v *visited) taken() {
	v.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; {
		v.visits(4, 500*time.Millisecond)
		x, err := v.engine.Explain("charts.json")
		if err != nil {
			v.t.Fatal(err)
		}
		if x.Memory.Phase == "kept" {
			return
		}
		if v.t.Failed() || time.Now().After(deadline) {
			v.t.Fatalf("the engine does not take the charts over:\n%s", x)
		}
	}
}

// The engine takes the charts over, and an order is in the next chart every time.
func TestChartsAreTakenOver(t *testing.T) {
	if !testenv.Long() {
		t.Skip("takes some minutes, which is how long the engine takes to be sure: ISHAA_TEST_LONG=1")
	}
	v := openShop(t)
	v.taken()
	for range 10 {
		before := v.chart(48)
		v.order()
		if after := v.chart(48); after != before+1 {
			t.Fatalf("after an order the chart shows %d, before %d", after, before)
		}
		v.visits(2, 50*time.Millisecond)
	}
	if x, err := v.engine.Explain("charts.json"); err != nil || x.Memory.Hits == 0 {
		t.Errorf("%v: nothing came from memory", err)
	}
}

// hurried asks for charts over a connection of its own, sixteen requests at a time that are written out beforehand, and
// looks at no more of an answer than its status and its length: on a machine where client and server share the processors,
// what a client does is time that the server does not have.
func (v *visited) hurried(visitor uint64, end time.Time) (n int64, err error) {
	const together = 16
	genres := []string{"Rock", "Latin", "Metal", "Jazz", "Blues", "Classical", "Reggae", "Drama", "Pop"}
	zipf := rand.NewZipf(rand.New(rand.NewPCG(visitor, 1)), 1.2, 1, uint64(len(genres)-1))
	host := strings.TrimPrefix(v.url, "http://")
	var requests []byte
	for range together {
		requests = fmt.Appendf(requests, "GET /charts.json?genre=%s HTTP/1.1\r\nHost: %s\r\n\r\n", genres[zipf.Uint64()], host)
	}
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	in := bufio.NewReaderSize(conn, 64<<10)
	for time.Now().Before(end) {
		if _, err := conn.Write(requests); err != nil {
			return n, err
		}
		for range together {
			if err := skipAnswer(in); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// skipAnswer reads an answer that must be 200 and must say how long it is.
func skipAnswer(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer begins with %q: %w", line, err)
	}
	length := 0
	for len(line) > len("\r\n") {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		if text, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(text))); err != nil {
				return err
			}
		}
	}
	if length < len("[{}]") {
		return fmt.Errorf("a chart of %d bytes", length)
	}
	_, err = in.Discard(length)
	return err
}

// rate is how many charts four hurried visitors get in a second.
func (v *visited) rate(d time.Duration) float64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for visitor := range uint64(4) {
		wg.Go(func() {
			got, err := v.hurried(visitor, begin.Add(d))
			if err != nil {
				v.t.Error(err)
			}
			n.Add(got)
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(begin).Seconds()
}

// The same shop with the engine off and on, in turns, over a socket: how many times as many charts a second, while orders are
// placed of which every next chart must know.
func TestChartsAreFaster(t *testing.T) {
	if !testenv.Long() {
		t.Skip("takes minutes, and needs the processors for itself: ISHAA_TEST_LONG=1")
	}
	off, on := openShop(t), openShop(t)
	off.visits(1, 100*time.Millisecond)
	off.engine.Disable()
	on.taken()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); on.rate(time.Second) {
		// In the first minutes the time that an answer counts doubles again and again.
		if x, err := on.engine.Explain("charts.json"); err != nil || x.Memory.TTL == 30*time.Second {
			break
		}
	}
	const rounds, bound = 20, 20
	logs, worst, stale := 0.0, math.Inf(1), 0
	for range rounds {
		for _, v := range []*visited{off, on} {
			before := v.chart(48)
			v.order()
			if v.chart(48) != before+1 {
				stale++
			}
		}
		without, with := off.rate(time.Second), on.rate(time.Second)
		logs += math.Log(with / without)
		worst = min(worst, with/without)
		t.Logf("%6.0f charts a second without the engine, %6.0f with it", without, with)
		time.Sleep(2 * time.Second) // the shop limits how often one may order
	}
	ratio := math.Exp(logs / rounds)
	t.Logf("%.1f times as many charts, %.1f times in the worst of %d rounds; %d orders were not in the next chart", ratio, worst, rounds, stale)
	if ratio < bound || stale > 0 {
		t.Errorf("with the engine there are %.1f times as many charts, want %d times; %d orders were not in the next one", ratio, bound, stale)
	}
	x, err := on.engine.Explain("charts.json")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", x)
	if x, err := off.engine.Explain("charts.json"); err != nil || x.Memory.Hits != 0 {
		t.Errorf("without the engine %d charts came from memory, %v", x.Memory.Hits, err)
	}
}

func TestChartsPage(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	client.Get("/charts?genre=Jazz").Status(200).HTML("<h1>Charts: Jazz</h1>", "The Essential Miles Davis")
	client.Get("/charts?genre=<b>").Status(200).HTML("<h1>Charts: Rock</h1>")
	client.Get("/sare/report", ishaatest.Header("Accept", "application/json")).Problem(401)
	if text := client.Get("/charts.json?genre=Jazz&size=1").Status(200).Text(); !strings.HasPrefix(text, `[{"id":`) {
		t.Errorf("%.100s", text)
	}
}
