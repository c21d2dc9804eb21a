package rmf

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// BenchmarkSelection is the lot: a subject's bucket and whose it is.
func BenchmarkSelection(b *testing.B) {
	for name, of := range map[string][]Option{"one candidate": {Traffic(20)}} {
		for _, subject := range []string{"u:1234567", "a:AAAAAAAAAAAAAAAAAAAAAA", "u:0123456789-0123456789-0123456789-0123456789"} {
			b.Run(fmt.Sprintf("%s, %d octets", name, len(subject)), func(b *testing.B) {
				w := newWorld(b, 1, Options{}, of...)
				p := w.e.policy.Load()
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					n += p.choose(Bucket(p.lot, subject))
				}
				_ = n
			})
		}
	}
}

// The lot does not allocate.
func TestSelectionAllocates(t *testing.T) {
	w := newWorld(t, 1, Options{}, Traffic(20))
	p := w.e.policy.Load()
	if n := testing.AllocsPerRun(1000, func() { p.choose(Bucket(p.lot, "u:1234567")) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A route without realities gets its handler back from every layer: the engine is not there.
func TestOtherRoutesPayNothing(t *testing.T) {
	with := func(enable bool) float64 {
		app := ishaa.New("plain", ishaa.Config{Secret: "0123456789abcdef0123456789abcdef"})
		app.Without(ishaa.DefaultAccessLog)
		if enable {
			Enable(app, Options{ParallelSim: true})
			app.Get("/x", func(*ishaa.Request) (any, error) { return "", nil }, Reality("stable"))
		}
		app.Get("/plain", func(*ishaa.Request) (any, error) { return ishaa.NoContent, nil })
		raw, w := httptest.NewRequest("GET", "/plain", nil), httptest.NewRecorder()
		app.ServeHTTP(w, raw)
		defer app.Stop(t.Context())
		return testing.AllocsPerRun(200, func() { app.ServeHTTP(w, raw) })
	}
	if plain, enabled := with(false), with(true); enabled != plain {
		t.Errorf("%v allocations without realities, %v beside them", plain, enabled)
	}
	m := &Realities{byRoute: map[*ishaa.Route]*experiment{}}
	route := &ishaa.Route{}
	handler := func(*ishaa.Request) (any, error) { return nil, nil }
	for _, layer := range []ishaa.Interceptor{chooser{m}, rememberer{m}} {
		if got := layer.Intercept(route, handler); fmt.Sprintf("%p", got) != fmt.Sprintf("%p", ishaa.Handler(handler)) {
			t.Errorf("%T wraps a route that is none of its own", layer)
		}
	}
}

// BenchmarkRoute compares whole requests: beside realities, and to one of two.
func BenchmarkRoute(b *testing.B) {
	for _, path := range []string{"/without", "/beside", "/realities"} {
		b.Run(path[1:], func(b *testing.B) {
			app := ishaa.New("bench", ishaa.Config{Secret: "0123456789abcdef0123456789abcdef"})
			app.Without(ishaa.DefaultAccessLog)
			handler := func(*ishaa.Request) (any, error) { return ishaa.Text("x"), nil }
			if path != "/without" {
				Enable(app, Options{Unit: ByRequest})
				app.Get("/realities", handler, Reality("stable"))
				app.Get("/realities", handler, Reality("candidate", Traffic(20)))
			}
			app.Get("/without", handler)
			app.Get("/beside", handler)
			raw, w := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
			app.ServeHTTP(w, raw)
			b.ReportAllocs()
			for b.Loop() {
				app.ServeHTTP(w, raw)
			}
			if err := app.Stop(b.Context()); err != nil {
				b.Error(err)
			}
		})
	}
}

// BenchmarkSlowShadow is the p99 of the primary with simulations that take 200 ms, and with none. Every tenth request
// is simulated; most simulations find no place and are dropped.
func BenchmarkSlowShadow(b *testing.B) {
	for _, shadow := range []bool{false, true} {
		b.Run(fmt.Sprintf("shadow=%t", shadow), func(b *testing.B) {
			app := ishaa.New("bench", ishaa.Config{Secret: "0123456789abcdef0123456789abcdef"})
			app.Without(ishaa.DefaultAccessLog)
			m := Enable(app, Options{Unit: ByRequest, ParallelSim: shadow})
			app.Get("/x", func(*ishaa.Request) (any, error) { return ishaa.Text("x"), nil }, Reality("stable"))
			app.Get("/x", func(r *ishaa.Request) (any, error) {
				select {
				case <-r.Context().Done():
				case <-time.After(200 * time.Millisecond):
				}
				return ishaa.Text("x"), nil
			}, Reality("candidate", Traffic(0)))
			raw, w := httptest.NewRequest("GET", "/x", nil), httptest.NewRecorder()
			app.ServeHTTP(w, raw)
			for b.Loop() {
				app.ServeHTTP(w, raw)
			}
			e := m.Stats()
			b.ReportMetric(float64(e.Experiments[0].Realities[0].P99.Nanoseconds()), "p99-ns")
			b.ReportMetric(float64(e.Dropped)/float64(b.N), "dropped/op")
			if err := app.Stop(b.Context()); err != nil {
				b.Error(err)
			}
		})
	}
}
