package link

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newLink(t *testing.T, address string) *Link {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); l.Wait() })
	return l
}

func TestNew(t *testing.T) {
	l := newLink(t, "redis://me:hunter2@127.0.0.1:1/2?timeout=250ms&x=y")
	if l.Timeout != 250*time.Millisecond || l.Address != "redis://127.0.0.1:1/2" {
		t.Errorf("%v, %s", l.Timeout, l.Address)
	}
	if l := newLink(t, "redis://127.0.0.1:1"); l.Timeout != DefaultTimeout {
		t.Errorf("the default is %v", l.Timeout)
	}
	for _, wrong := range []string{"3", "-1s", "1ns", "soon"} {
		u, _ := url.Parse("redis://127.0.0.1:1?timeout=" + wrong)
		if _, err := New(u); err == nil || !strings.Contains(err.Error(), "such as 3s") {
			t.Errorf("timeout=%s gives %v", wrong, err)
		}
	}
}

func TestOption(t *testing.T) {
	u, _ := url.Parse("x://h?a=1&b=2")
	if Option(u, "a") != "1" || Option(u, "a") != "" || u.RawQuery != "b=2" {
		t.Errorf("%s is left", u.RawQuery)
	}
}

// What an operation's error says, by what ended it.
func TestErrors(t *testing.T) {
	broke := errors.New("it broke")
	dial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for _, c := range []struct {
		name      string
		write     bool
		err       error
		end       func(l *Link, cancel context.CancelFunc)
		is        error
		away      bool
		uncertain bool
		says      string
	}{
		{name: "a read that broke", err: broke, is: broke, away: true, says: "nothing was changed"},
		{name: "a write that broke", write: true, err: broke, is: broke, away: true, uncertain: true, says: "look before repeating"},
		{name: "a write that found nobody", write: true, err: dial, is: dial, away: true, says: "nothing was changed"},
		{name: "given up", err: broke, end: func(_ *Link, cancel context.CancelFunc) { cancel() }, is: context.Canceled, says: "given up"},
		{name: "a write given up", write: true, err: broke, end: func(_ *Link, cancel context.CancelFunc) { cancel() }, is: context.Canceled, says: "may or may not"},
		{name: "too late for its user", err: broke, end: func(*Link, context.CancelFunc) { time.Sleep(2 * time.Second) }, is: context.DeadlineExceeded, away: true, says: "before the context's end"},
		{name: "closed", err: broke, end: func(l *Link, _ context.CancelFunc) { l.Close() }, is: store.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLink(t, "redis://u:hunter2@host:1")
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				o, err := l.Begin(ctx, "set", c.write)
				if err != nil {
					t.Fatal(err)
				}
				defer o.End()
				if c.end != nil {
					c.end(l, cancel)
					synctest.Wait()
				}
				err = o.Away(c.err)
				var unavailable *store.UnavailableError
				isAway := errors.As(err, &unavailable)
				if !errors.Is(err, c.is) || isAway != c.away || isAway && unavailable.Uncertain != c.uncertain || !strings.Contains(err.Error(), c.says) {
					t.Errorf("the error is %v", err)
				}
				if strings.Contains(err.Error(), "hunter2") || !errors.Is(err, store.ErrClosed) && !strings.Contains(err.Error(), "redis://host:1") {
					t.Errorf("the error is %v", err)
				}
			})
		})
	}
	t.Run("too late by itself", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLink(t, "redis://host:1")
			o, _ := l.Begin(t.Context(), "get", false)
			defer o.End()
			<-o.Context.Done()
			if err := o.Away(broke); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "no answer in 3s") {
				t.Errorf("the error is %v", err)
			}
		})
	})
}

func TestBackoff(t *testing.T) {
	most := time.Duration(0)
	for n := range 40 {
		most = min(max(2*most, 50*time.Millisecond), 2*time.Second)
		for range 50 {
			if d := Backoff(n); d > most || d < most/2 {
				t.Fatalf("attempt %d waits %v, want %v to %v", n, d, most/2, most)
			}
		}
	}
}

// fakeSession fails when a test says so.
type fakeSession struct {
	deliver func(string, []byte)
	failed  chan struct{}
	once    sync.Once
	listens func(topics []string) error
}

func (s *fakeSession) Listen(_ context.Context, topics ...string) error { return s.listens(topics) }
func (s *fakeSession) Unlisten(_ context.Context, topic string) error   { return nil }
func (s *fakeSession) Failed() <-chan struct{}                          { return s.failed }
func (s *fakeSession) Close()                                           { s.once.Do(func() { close(s.failed) }) }

// A listener dials again with growing waits until it succeeds, and a message that
// the new session brings before it is ready comes after the marker.
func TestListenerResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, "redis://host:1")
		var session *fakeSession
		dials, refuse := 0, false
		n := NewListener(l, func(_ context.Context, deliver func(string, []byte)) (Session, error) {
			dials++
			if refuse && dials < 6 {
				return nil, errors.New("not yet")
			}
			s := &fakeSession{deliver: deliver, failed: make(chan struct{})}
			s.listens = func(topics []string) error {
				for _, topic := range topics {
					s.deliver(topic, []byte("early"))
				}
				return nil
			}
			session = s
			return s, nil
		})
		sub, err := n.Hub.Subscribe(t.Context(), "t")
		if err != nil {
			t.Fatal(err)
		}
		refuse = true
		begun := time.Now()
		session.Close()
		synctest.Wait()
		if sub.Live() {
			t.Error("live without a session")
		}
		if _, err := n.Hub.Subscribe(t.Context(), "u"); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("subscribing while away gives %v", err)
		}
		first, second := <-sub.Messages(), <-sub.Messages()
		if !errors.Is(first.Gap, store.ErrUnavailable) || string(second.Data) != "early" || !sub.Live() {
			t.Errorf("heard %+v, then %+v", first, second)
		}
		if took := time.Since(begun); dials != 6 || took < 400*time.Millisecond || took > 2*time.Second {
			t.Errorf("%d dials in %v", dials, took)
		}
		l.Close()
		n.Hub.Close()
		l.Wait()
	})
}

func TestGoAfterClose(t *testing.T) {
	l := newLink(t, "redis://host:1")
	if !l.Close() || l.Close() {
		t.Error("closing reports wrongly")
	}
	if l.Go(func(context.Context) { t.Error("it runs") }) {
		t.Error("a closed link runs goroutines")
	}
	if _, err := l.Begin(t.Context(), "get", false); !errors.Is(err, store.ErrClosed) {
		t.Errorf("the error is %v", err)
	}
}
