package ishaa_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// recompiled is an application whose one entry has two variants and is compiled
// again and again. Each chain has a number, which its outermost and its innermost
// layer know from when they were compiled; even chains choose the first variant.
type recompiled struct {
	app      *ishaa.App
	route    *ishaa.Route
	number   atomic.Int64   // of the chain that is being compiled, or was last
	answered []atomic.Int64 // by client: the last of its requests that a handler ran for
	seen     atomic.Int64   // requests that the observer saw
	wrong    atomic.Pointer[string]
}

var (
	chainNumber = ishaa.NewKey[int64]("chain number")
	hooksRun    = ishaa.NewKey[int]("hooks run")
)

func newRecompiled(t *testing.T, clients int) *recompiled {
	c := &recompiled{app: newApp(t), answered: make([]atomic.Int64, clients)}
	hook := func(name string) ishaa.Middleware {
		return ishaa.Middleware{Name: name, Commutes: true, Before: func(r *ishaa.Request) (any, error) {
			hooksRun.Set(r, hooksRun.Get(r)+1)
			return nil, nil
		}}
	}
	c.app.Use(hook("a"), hook("b"), hook("c"))
	c.app.After(func(r *ishaa.Request, res *ishaa.Response) error {
		res.Header().Set("X-Chain", strconv.FormatInt(chainNumber.Get(r), 10))
		return nil
	})
	handler := func(parity int64) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			if n := chainNumber.Get(r); n%2 != parity {
				c.fail("variant %s answers in chain %d", r.Route().VariantName(), n)
			}
			if n := hooksRun.Get(r); n != 3 {
				c.fail("%d hooks ran, want 3", n)
			}
			client, request := r.ParamInt("client"), r.ParamInt("request")
			if !c.answered[client].CompareAndSwap(request-1, request) {
				c.fail("client %d: request %d after %d", client, request, c.answered[client].Load())
			}
			return ishaa.Text(fmt.Sprint(client, "/", request)), nil
		}
	}
	c.route = c.app.Get("/<int:client>/<int:request>", handler(0), ishaa.Variant("side", "even"), ishaa.SelectBy(c.selector(0)))
	c.app.Get("/<int:client>/<int:request>", handler(1), ishaa.Variant("side", "odd"))
	c.app.Intercept(numbering{c, ishaa.Outermost}, numbering{c, ishaa.Innermost})
	c.app.Observe(observerFunc(func(*ishaa.Route, ishaa.Outcome) { c.seen.Add(1) }))
	return c
}

func (c *recompiled) fail(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	c.wrong.CompareAndSwap(nil, &message)
}

func (c *recompiled) selector(variant int) ishaa.Selector {
	return ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return variant })
}

// numbering is a layer that knows the number of its chain.
type numbering struct {
	c     *recompiled
	layer ishaa.Layer
}

func (n numbering) Layer() ishaa.Layer { return n.layer }

func (n numbering) Intercept(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	if route.Pattern() == "" {
		return next
	}
	number := n.c.number.Load()
	return func(r *ishaa.Request) (any, error) {
		if n.layer == ishaa.Outermost {
			chainNumber.Set(r, number)
		} else if outer := chainNumber.Get(r); outer != number {
			n.c.fail("a request went into chain %d and on in chain %d", outer, number)
		}
		return next(r)
	}
}

// recompile compiles the route count times, 1,000 times a second, and says how long
// that took. Where the load leaves it no time it catches up.
func (c *recompiled) recompile(t *testing.T, count int) time.Duration {
	orders := [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}, {2, 0, 1}}
	list := c.route.Middleware()
	first := slices.IndexFunc(list, func(m ishaa.Middleware) bool { return m.Name == "a" })
	start := time.Now()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for i := range count {
		for time.Since(start) < time.Duration(i)*time.Millisecond {
			<-pace.C
		}
		number := c.number.Add(1)
		c.app.SetSelector(c.route, c.selector(int(number%2)))
		places := make([]int, len(list))
		for place := range places {
			places[place] = place
		}
		for place, hook := range orders[i%len(orders)] {
			places[first+place] = first + hook
		}
		if err := c.app.SetOrder(c.route, places); err != nil {
			t.Error(err)
			return 0
		}
		if err := c.app.Recompile(c.route.Variants()[i%2]); err != nil {
			t.Error(err)
			return 0
		}
	}
	return time.Since(start)
}

// check compares what clients sent with what was seen.
func (c *recompiled) check(t *testing.T, sent []int64, took time.Duration, count int) {
	t.Helper()
	if wrong := c.wrong.Load(); wrong != nil {
		t.Error(*wrong)
	}
	total := int64(0)
	for client, n := range sent {
		total += n
		if got := c.answered[client].Load(); got != n {
			t.Errorf("client %d sent %d requests, the handlers ran for %d", client, n, got)
		}
	}
	if seen := c.seen.Load(); seen != total {
		t.Errorf("%d requests, the observer saw %d", total, seen)
	}
	t.Logf("%d requests while the route was compiled %d times, %.0f times a second", total, count, float64(count)/took.Seconds())
}

func recompilations() int {
	if testenv.Long() {
		return 60_000
	}
	return 2_000
}

// While a route is compiled 1,000 times a second no request is lost, answered twice,
// answered by a mixture of two chains, or given another request's answer.
func TestRecompileUnderLoadInProcess(t *testing.T) {
	noLeaks(t)
	const clients = 4
	c := newRecompiled(t, clients)
	if err := c.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := make([]int64, clients)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for n := int64(1); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				text := fmt.Sprint(client, "/", n)
				w := httptest.NewRecorder()
				c.app.ServeHTTP(w, httptest.NewRequest("GET", "/"+text, nil))
				if w.Code != 200 || w.Body.String() != text || w.Header().Get("X-Chain") == "" {
					c.fail("request %s was answered by %d %q", text, w.Code, w.Body)
					return
				}
				sent[client] = n
			}
		})
	}
	took := c.recompile(t, recompilations())
	close(stop)
	wg.Wait()
	c.check(t, sent, took, recompilations())
}

// The same on real connections, each of them with several requests under way.
func TestRecompileUnderLoadOnSockets(t *testing.T) {
	noLeaks(t)
	const clients, pipelined = 8, 8
	c := newRecompiled(t, clients)
	s := serve(t, c.app)
	sent := make([]int64, clients)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for client := range clients {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer conn.Close()
			answers := bufio.NewReader(conn)
			for n := int64(0); ; n += pipelined {
				select {
				case <-stop:
					return
				default:
				}
				if err := c.pipeline(conn, answers, client, n, pipelined); err != nil {
					c.fail("client %d: %v", client, err)
					return
				}
				sent[client] = n + pipelined
			}
		})
	}
	took := c.recompile(t, recompilations())
	close(stop)
	wg.Wait()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	c.check(t, sent, took, recompilations())
}

// pipeline sends requests at once and reads their answers.
func (c *recompiled) pipeline(conn io.Writer, answers *bufio.Reader, client int, from, count int64) error {
	var requests []byte
	for i := range count {
		requests = fmt.Appendf(requests, "GET /%d/%d HTTP/1.1\r\nHost: x\r\n\r\n", client, from+1+i)
	}
	if _, err := conn.Write(requests); err != nil {
		return err
	}
	for i := range count {
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		text := fmt.Sprint(client, "/", from+1+i)
		if res := readAnswer(answer); res.err != nil || res.status != 200 || res.body != text {
			return fmt.Errorf("request %s was answered by %s, %v", text, res, res.err)
		}
	}
	return nil
}

// Recompile is for routes of the application, started or not.
func TestRecompileOfOtherRoutes(t *testing.T) {
	app, other := newApp(t), newApp(t)
	route, foreign := app.Get("/", text("here")), other.Get("/", text("there"))
	if err := app.Recompile(route); err != nil {
		t.Errorf("before the start: %v", err)
	}
	if err := app.Recompile(foreign); err == nil {
		t.Error("the route of another application was compiled")
	}
	do(t, app, "GET", "/").wantBody(t, 200, "here")
	if err := app.Recompile(route); err != nil {
		t.Errorf("after the start: %v", err)
	}
	do(t, app, "GET", "/").wantBody(t, 200, "here")
}

// What engines add takes effect for a route when it is compiled again, and for no
// other.
func TestRecompileTakesUpInterceptors(t *testing.T) {
	app := newApp(t)
	one, two := app.Get("/one", text("handler")), app.Get("/two", text("handler"))
	do(t, app, "GET", "/one").wantBody(t, 200, "handler")
	app.Intercept(interceptor{ishaa.Innermost, func(ishaa.Handler) ishaa.Handler { return text("interceptor") }})
	do(t, app, "GET", "/one").wantBody(t, 200, "handler")
	if err := app.Recompile(one); err != nil {
		t.Fatal(err)
	}
	do(t, app, "GET", "/one").wantBody(t, 200, "interceptor")
	do(t, app, "GET", two.Pattern()).wantBody(t, 200, "handler")
}
