package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
)

func TestEncode(t *testing.T) {
	for key, want := range map[string]string{
		"":             "=",
		"session":      "session",
		"session:ada":  "session.ada",
		"a.b":          "a=2Eb",
		":":            "=.=",
		"a::b:":        "a.=.b.=",
		"*>":           "=2A=3E",
		"h\u00e4 \x00": "h=C3=A4=20=00",
		"=":            "=3D",
		"a-b_C9":       "a-b_C9",
	} {
		if got := encode(key); got != want {
			t.Errorf("%q is the subject %q, want %q", key, got, want)
		}
	}
	for _, foreign := range []string{"", ".", "a..b", "a.", "=4", "=GG", "=41", "=3A", "=2e", "a b", "a=", "*", "==", "=.="[:2]} {
		if key, ok := decode(foreign); ok {
			t.Errorf("the subject %q is the key %q", foreign, key)
		}
	}
}

func TestFilter(t *testing.T) {
	for prefix, want := range map[string]string{"": ">", "ses": ">", "session:": "session.>", "session:a": "session.>", "a:b:c": "a.b.>", ":": "=.>"} {
		if got := filter(prefix); got != want {
			t.Errorf("the filter of %q is %q, want %q", prefix, got, want)
		}
	}
}

// Decoding undoes encoding, and a filter matches every key with its prefix.
func TestKeysComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := string(rapid.SliceOf(rapid.SampledFrom([]byte("ab:.=*>\x00\xff \r\n"))).Draw(t, "key"))
		subject := encode(key)
		if got, ok := decode(subject); !ok || got != key {
			t.Fatalf("%q becomes %q and %q, %v", key, subject, got, ok)
		}
		for i := range len(key) + 1 {
			if f := filter(key[:i]); f != ">" && !strings.HasPrefix(subject, strings.TrimSuffix(f, ">")) {
				t.Fatalf("%q does not match %q of the prefix %q", subject, f, key[:i])
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"=", "a.b", "=2E", "=.=", "a=", "=4", "..", "h=C3=A4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		if key, ok := decode(subject); ok && encode(key) != subject {
			t.Errorf("%q is the key %q, which is %q", subject, key, encode(key))
		}
	})
}

// scratch opens a bucket of the test's own, which is removed at its end.
func scratch(t *testing.T) *engine {
	t.Helper()
	u, err := url.Parse(testenv.NATS(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path, u.RawQuery = "/ishaa-test-"+rand.Text(), "storage=memory"
	st, err := open(u)
	if err != nil {
		t.Fatal(err)
	}
	e := st.(*engine)
	t.Cleanup(func() {
		_ = e.js.DeleteStream(context.Background(), e.layout.Name)
		e.Close()
	})
	return e
}

// A server that forgot the bucket has it again after the connection was made anew.
func TestBucketIsRemade(t *testing.T) {
	e := scratch(t)
	ctx := t.Context()
	sub, err := e.Subscribe(ctx, "t")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Set(ctx, "k", []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
	if err := e.js.DeleteStream(ctx, e.layout.Name); err != nil {
		t.Fatal(err)
	}
	if err := e.Set(ctx, "k", []byte("v"), 0); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without a bucket, setting gives %v", err)
	}
	if err := e.conn.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	if m := <-sub.Messages(); !errors.Is(m.Gap, store.ErrUnavailable) {
		t.Errorf("heard %q, want the marker of a gap", m.Data)
	}
	if _, err := e.Get(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a key that was lost gives %v", err)
	}
	if err := e.Set(ctx, "k", []byte("v"), 0); err != nil {
		t.Error(err)
	}
}

// Expired keys leave the bucket; one that was set again stays.
func TestSweep(t *testing.T) {
	e := scratch(t)
	ctx := t.Context()
	for key, ttl := range map[string]time.Duration{"gone:1": time.Millisecond, "gone:2": time.Millisecond, "again": time.Millisecond, "later": time.Hour, "ever": 0} {
		if err := e.Set(ctx, key, []byte("v"), ttl); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		found, err := e.GetMany(ctx, "gone:1", "gone:2", "again")
		if err != nil || time.Now().After(deadline) {
			t.Fatal(found, err)
		}
		if len(found) == 0 {
			break
		}
	}
	if _, err := e.Increment(ctx, "again", 1, 0); err != nil {
		t.Fatal(err)
	}
	e.sweep(ctx)
	info, err := e.stream.Info(ctx)
	if err != nil || info.State.Msgs != 3 {
		t.Errorf("%d messages are left, %v; want 3", info.State.Msgs, err)
	}
	if n := info.State.Consumers; n != 0 {
		t.Errorf("%d consumers are left", n)
	}
}
