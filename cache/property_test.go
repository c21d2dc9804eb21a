package cache_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// wandering is a handler that reads this and that of its request; what it reads next
// depends on what it has read. Its answer is all of what it read.
func wandering(program uint64) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		var trail strings.Builder
		vary := ""
		for step := range 6 {
			h := fnv.New64a()
			fmt.Fprint(h, program, step, trail.String())
			name := string(rune('a' + h.Sum64()>>8%3))
			var got string
			switch choice := h.Sum64() % 16; choice {
			case 0, 1, 2:
				got = r.Query(name)
			case 3:
				got = fmt.Sprint(r.QueryValues())
			case 4, 5:
				got = fmt.Sprint(r.HeaderValues("X-" + name))
			case 6:
				got = r.Param("name")
			case 7:
				got = r.Host()
			case 8:
				got = r.Method()
			case 9:
				got = r.Path()
			case 10:
				got, _ = r.Cookie(name)
			case 11:
				got = themeOf.Get(r)
			case 12:
				got = fmt.Sprint(r.Context().Value(contextUser{}))
			case 13:
				// Read in a way that is not seen, but said.
				got, _ = r.Input(ishaa.Input{Kind: ishaa.InputHeader, Name: "X-" + strings.ToUpper(name)})
				vary = "x-" + name
				r.Response().Header().Add("Vary", vary)
			default:
				return ishaa.Text(trail.String() + "."), nil
			}
			fmt.Fprintf(&trail, "%q ", got)
		}
		return ishaa.Text(trail.String()), nil
	}
}

// For any handler that goes by its request alone, an application with a cache answers
// as one without.
func TestCachedAnswersAsUncached(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			clock := ishaatest.NewClock(noon)
			st := kind.make(t, clock)
			hits, programs := 0, uint64(15)
			if testenv.Long() {
				programs = 1000
			}
			for program := range programs {
				build := func(options ...ishaa.RouteOption) *ishaa.App {
					app := ishaa.New(fmt.Sprint("program", program))
					app.SetClock(clock)
					app.Without("access-log")
					app.Before(func(r *ishaa.Request) (any, error) {
						if theme := r.Header("X-Theme"); theme != "" {
							themeOf.Set(r, theme)
						}
						return nil, nil
					})
					app.Get("/<name>", wandering(program), options...)
					return app
				}
				plain := build()
				nodes := []*ishaa.App{
					build(newCache(t, st, clock).Cached(time.Hour, cache.Stale(time.Hour))),
					build(newCache(t, st, clock, func(o *cache.Options) { o.MaxAnswers = 7 }).Cached(time.Hour)),
				}
				random := rand.New(rand.NewPCG(program, 1))
				pick := func(list ...string) string { return list[random.IntN(len(list))] }
				for range 120 {
					raw := func() (method, target string, headers []string) {
						method = pick("GET", "GET", "HEAD")
						target = "http://" + pick("one", "two") + ".example/" + pick("x", "y") + "?" + pick("", "a=1", "a=", "a=1&b=2", "b=2&a=1", "a=1&a=2", "c=3", "utm=9")
						for _, name := range []string{"X-a", "X-b", "X-c", "X-Theme", "Cookie"} {
							if random.IntN(3) == 0 {
								headers = append(headers, name+": "+pick("", "a=1", "b=2"))
							}
						}
						return
					}
					method, target, headers := raw()
					want := ask(plain, method, target, headers...)
					got := ask(nodes[random.IntN(2)], method, target, headers...)
					if got.Code != want.Code || got.Body.String() != want.Body.String() || got.Header().Get("Content-Type") != want.Header().Get("Content-Type") {
						t.Fatalf("program %d: %s %s %q gives %q, want %q", program, method, target, headers, got.Body, want.Body)
					}
					hits += hit(got)
					if random.IntN(20) == 0 {
						clock.Advance(time.Duration(random.IntN(90)) * time.Minute)
					}
				}
			}
			if hits < 150 {
				t.Errorf("only %d answers came from a cache", hits)
			}
		})
	}
}

func hit(w *httptest.ResponseRecorder) int {
	if w.Header().Get("Age") != "" {
		return 1
	}
	return 0
}
