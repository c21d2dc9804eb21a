package cpu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// The test binary is also the server process that it measures.
func TestMain(m *testing.M) {
	ServeIfAsked()
	os.Exit(m.Run())
}

func TestMeasure(t *testing.T) {
	for _, w := range peers.Works() {
		var names []string
		for _, p := range peers.All() {
			if p.Does(w) {
				names = append(names, p.Name)
			}
		}
		for _, pipeline := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/pipeline=%d", w, pipeline), func(t *testing.T) {
				r, err := Measure(t.Context(), Options{
					Work: w, Peers: names, Rounds: 2, Requests: 101, Connections: 7, Pipeline: pipeline,
				})
				if err != nil {
					t.Fatal(err)
				}
				if cores, err := Cores(); err != nil || r.Pinned != (len(cores) > 1) {
					t.Errorf("pinned: %v on %d cores (%v)", r.Pinned, len(cores), err)
				}
				for i, row := range r.Rows {
					if row.Peer != names[i] || len(row.Samples) != 2 || row.CPU <= 0 || row.Rate <= 0 || row.PeakRSS == 0 || row.P50 <= 0 || row.P99 < row.P50 {
						t.Errorf("row %d is %+v", i, row)
					}
				}
				if r.Rows[0].Ratio != (Ratio{1, 1, 1}) {
					t.Errorf("the baseline's ratio to itself is %v", r.Rows[0].Ratio)
				}
				var table strings.Builder
				if err := r.WriteMarkdown(&table); err != nil || strings.Count(table.String(), "\n| ") != len(names)+1 {
					t.Errorf("table (%v):\n%s", err, &table)
				}
			})
		}
	}
}

func TestMeasureIdle(t *testing.T) {
	r, err := MeasureIdle(t.Context(), []string{"nethttp", "server"}, 300)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if row.Before == 0 || row.With <= row.Before {
			t.Errorf("%+v: connections hold memory", row)
		}
	}
	var table strings.Builder
	if err := r.WriteMarkdown(&table); err != nil || strings.Count(table.String(), " KiB |\n") != 2 {
		t.Errorf("table (%v):\n%s", err, &table)
	}
	if _, err := MeasureIdle(t.Context(), []string{"nobody"}, 1); err == nil {
		t.Error("a peer that there is not has been measured")
	}
}

// What is measured must be the server's work: a handler that burns a known time costs that time more.
func TestUsageIsTheServersCPU(t *testing.T) {
	s, err := Start("nethttp", peers.Plain, Unpinned)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	before, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	for burnt := time.Now(); time.Since(burnt) < 50*time.Millisecond; { // in this process, not in the server
	}
	idle, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	l, err := Dial(s.Addr, Request(peers.Plain), 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Run(2000); err != nil {
		t.Fatal(err)
	}
	busy, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if cost := idle.CPU() - before.CPU(); cost > 20*time.Millisecond {
		t.Errorf("an idle server cost %v", cost)
	}
	if busy.CPU() <= idle.CPU() || busy.Allocs-idle.Allocs < 2000 {
		t.Errorf("2000 requests cost nothing: %+v, then %+v", idle, busy)
	}
}

func TestMeasureRefuses(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	good := Options{Work: peers.Plain, Peers: []string{"nethttp"}, Rounds: 2, Requests: 10, Connections: 1, Pipeline: 1}
	for name, test := range map[string]struct {
		ctx    context.Context
		change func(*Options)
		want   string
	}{
		"no peers":          {t.Context(), func(o *Options) { o.Peers = nil }, "needs a peer"},
		"one round":         {t.Context(), func(o *Options) { o.Rounds = 1 }, "two rounds"},
		"an unknown peer":   {t.Context(), func(o *Options) { o.Peers = []string{"nobody"} }, "nobody"},
		"no connection":     {t.Context(), func(o *Options) { o.Connections = 0 }, "at least one connection"},
		"a finished time":   {done, func(*Options) {}, "stopped after 0 of 2 rounds"},
		"a missing ability": {t.Context(), func(o *Options) { o.Peers, o.Work = []string{"huma"}, peers.Five }, "huma"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			test.change(&o)
			if _, err := Measure(test.ctx, o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	for _, test := range []struct {
		name, fails string
		handler     http.HandlerFunc
	}{
		{"a short answer", "", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }},
		{"a chunked answer", "", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "hel")
			http.NewResponseController(w).Flush()
			io.WriteString(w, "lo")
		}},
		{"an error", "500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		{"a closed connection", "closes", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }},
		{"a broken connection", "closed a connection", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }},
		{"an answer too large", "larger than", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<20)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var served atomic.Int64
			l := dial(t, func(w http.ResponseWriter, r *http.Request) {
				served.Add(1)
				test.handler(w, r)
			})
			err := l.Run(101)
			if test.fails == "" && (err != nil || served.Load() != 101) {
				t.Errorf("%d requests arrived, error %v; want 101", served.Load(), err)
			}
			if test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Errorf("error %v, want one with %q", err, test.fails)
			}
		})
	}
	t.Run("answers of different lengths", func(t *testing.T) {
		var n atomic.Int64
		l := dial(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%d", 99+n.Add(1)/50) })
		if err := l.Run(101); err == nil || !strings.Contains(err.Error(), "the first had") {
			t.Errorf("error %v, want one about lengths", err)
		}
	})
}

func dial(t *testing.T, handler http.HandlerFunc) *Load {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(server.Close)
	l, err := Dial(netip.MustParseAddrPort(server.Listener.Addr().String()), Request(peers.Plain), 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// The load must never leave this machine.
func TestDialRefusesOtherMachines(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:80", "10.0.0.1:80", "0.0.0.0:80", "[::1]:80", "[2001:db8::1]:80"} {
		if _, err := Dial(netip.MustParseAddrPort(addr), Request(peers.Plain), 1, 1); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: error %v, want a refusal", addr, err)
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	if _, err := Dial(addr, Request(peers.Plain), 1, 1); !errors.Is(err, os.ErrNotExist) && err == nil {
		t.Error("connected to a closed port")
	}
}
