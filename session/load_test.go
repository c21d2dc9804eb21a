package session_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// A hundred thousand sessions, each found by its id, none mistaken for another,
// and all gone when their time is up.
func TestHundredThousandSessions(t *testing.T) {
	const workers = 4
	total := 100_000
	if raced && !testenv.Long() {
		total = 10_000 // the race detector makes it slow, and sees the same
	}
	ctx := context.Background()
	clock := ishaatest.NewClock(epoch)
	st := store.NewMemory(store.MemoryOptions{Now: clock.Now})
	sessions := session.New(st, session.Options{Clock: clock})
	ids := make([]string, total)
	in := func(work func(i int)) {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := w; i < total; i += workers {
					work(i)
				}
			})
		}
		wg.Wait()
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	in(func(i int) {
		id, err := sessions.Create(ctx, map[string]any{"n": i})
		if err != nil {
			t.Error(err)
		}
		ids[i] = id
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	in(func(i int) {
		s, err := sessions.Get(ctx, ids[i])
		if err != nil {
			t.Error(err)
			return
		}
		if n, err := session.Value[int](s, "n"); n != i || err != nil {
			t.Errorf("session %d says %d, %v", i, n, err)
		}
	})
	distinct := map[string]bool{}
	for _, id := range ids {
		distinct[id] = true
	}
	if len(distinct) != total {
		t.Errorf("%d different ids", len(distinct))
	}
	t.Logf("%d bytes a session", (after.HeapAlloc-before.HeapAlloc)/uint64(total))
	clock.Advance(31 * time.Minute)
	for key, err := range st.Scan(ctx, "") {
		t.Fatalf("%s is left, %v", key, err)
	}
}

func FuzzCookie(f *testing.F) {
	s := newSite(f, session.Options{})
	id := s.begin(f, "/signin/ann")
	f.Add(id)
	f.Add(strings.Repeat("A", 43))
	f.Add("=" + id)
	f.Add(id[:42] + "=")
	f.Fuzz(func(t *testing.T, value string) {
		if value == id || strings.ContainsAny(value, "\x00\r\n;") {
			return
		}
		w := visit(s.app, "/user", "", "Cookie: session="+value)
		if w.Code != 200 {
			t.Errorf("%q: status %d", value, w.Code)
		}
		// A cookie's value may stand in quotes and spaces, which are not part of it.
		if trimmed := strings.Trim(value, "\" \t"); w.Body.Len() > 0 && trimmed != id {
			t.Errorf("%q is ann's", value)
		}
	})
}

// What stands in the store is not trusted either: nothing that is no record makes
// a session, or a panic.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"created":1893499200000,"seen":1893499200000,"user":"ann","values":{"a":"b"},"flashes":[{"n":1,"kind":"a","text":"b"}]}`))
	f.Add([]byte(`{"ended":true}`))
	f.Add([]byte(`{"ended":true,"next":"` + strings.Repeat("A", 43) + `","user":"ann"}`))
	f.Add([]byte(`{"ended":true,"next":"` + strings.Repeat("x", 3000) + `"}`))
	f.Add([]byte(`{"values":{"a":`))
	f.Add([]byte(`{"created":-9223372036854775808,"seen":9223372036854775807}`))
	s := newSite(f, session.Options{})
	id := s.begin(f, "/set/a/b")
	key := ""
	for k := range s.store.Scan(context.Background(), "session:s:") {
		key = k
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := s.store.KV.Set(context.Background(), key, data, 0); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/user", "/get/a", "/flashes", "/set/a/c", "/renew", "/signout"} {
			if w := s.visit(path, id); w.Code != 200 {
				t.Errorf("%s with %q: status %d", path, data, w.Code)
			}
		}
	})
}

func BenchmarkRequest(b *testing.B) {
	for _, path := range []string{"/plain", "/get/a", "/set/a/b"} {
		b.Run(path[1:4], func(b *testing.B) {
			s := newSite(b, session.Options{})
			id := s.begin(b, "/set/a/b")
			b.ReportAllocs()
			for b.Loop() {
				if w := s.visit(path, id); w.Code != 200 {
					b.Fatal(fmt.Sprint(w.Code))
				}
			}
		})
	}
}
