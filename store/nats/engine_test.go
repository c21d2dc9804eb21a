package nats_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ishaa-framework/ishaa/store"
)

// A server that is away is an error at once, which says where and what to do.
func Example() {
	st, err := store.Open("nats://app:secret@127.0.0.1:1/shop?timeout=1s")
	if err != nil {
		fmt.Println(errors.Is(err, store.ErrUnavailable))
		return
	}
	defer st.Close()
	// Output: true
}

func TestOpenRefuses(t *testing.T) {
	u := bucket(t)
	open(t, u).Close()
	js := stream(t)
	foreign := strings.TrimPrefix(u.Path, "/") + "-foreign"
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: foreign, Storage: jetstream.MemoryStorage}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = js.DeleteKeyValue(context.Background(), foreign) }()
	here := "nats://" + u.Host
	for address, want := range map[string]string{
		here + "/a.b":                      "letters, digits",
		here + "/a/b":                      "letters, digits",
		here + "/x?storage=tape":           "file or memory",
		here + "/x?replicas=0":             "1 to 5",
		here + "/x?replica=1":              "no option replica",
		here + "/x?timeout=1":              "such as 3s",
		here + "/" + foreign:               "made by something else",
		"nats://u:hunter2@127.0.0.1:1/x":   "nats://127.0.0.1:1/x",
		"nats://127.0.0.1:1,127.0.0.1:2/x": "127.0.0.1:2",
	} {
		st, err := store.Open(address)
		if err == nil {
			st.Close()
			t.Fatalf("%s opens", address)
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s gives %v, want %q in it", address, err, want)
		}
	}
}

// Several servers are one store; one that is away is passed over.
func TestServersInARow(t *testing.T) {
	u := bucket(t)
	u.Host = "127.0.0.1:1," + u.Host
	st := open(t, u)
	defer st.Close()
	if err := st.Set(t.Context(), "k", []byte("v"), 0); err != nil {
		t.Error(err)
	}
}

// JetStream's own tools read the bucket, and a key that they delete is not found.
func TestBucketIsReadByOthers(t *testing.T) {
	u := bucket(t)
	st := open(t, u)
	defer st.Close()
	ctx := t.Context()
	kv, err := stream(t).KeyValue(ctx, strings.TrimPrefix(u.Path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Set(ctx, "session:ada", []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
	entry, err := kv.Get(ctx, "session.ada")
	if err != nil || string(entry.Value()) != "v" {
		t.Fatalf("they read %v, %v", entry, err)
	}
	if err := kv.Delete(ctx, "session.ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Get(ctx, "session:ada"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a key that was deleted gives %v", err)
	}
	if made, err := st.CompareAndSwap(ctx, "session:ada", nil, []byte("w"), 0); !made || err != nil {
		t.Errorf("making it again: %v, %v", made, err)
	}
}

// Values up to what the server takes, and the longest keys of the worst bytes.
func TestLimits(t *testing.T) {
	u := bucket(t)
	st := open(t, u)
	defer st.Close()
	ctx := t.Context()
	for _, size := range []int{1<<20 - 10, 1<<20 + 1} {
		if err := st.Set(ctx, "k", make([]byte, size), 0); !errors.Is(err, store.ErrTooLarge) {
			if size > 1<<20 || err != nil {
				t.Errorf("%d bytes give %v", size, err)
			}
		}
		if err := st.Publish(ctx, "k", make([]byte, size)); size > 1<<20 && !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("a message of %d bytes gives %v", size, err)
		}
	}
	for _, key := range []string{strings.Repeat("\xff", store.MaxKey), strings.Repeat(":", store.MaxKey), strings.Repeat("a:", store.MaxKey/2)} {
		if err := st.Set(ctx, key, []byte("v"), 0); err != nil {
			t.Fatal(err)
		}
		if value, err := st.Get(ctx, key); string(value) != "v" || err != nil {
			t.Errorf("found %q, %v", value, err)
		}
		n := 0
		for found, err := range st.Scan(ctx, key[:len(key)-1]) {
			if err != nil || found != key {
				t.Errorf("the scan gives %d bytes, %v", len(found), err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("the scan gives %d keys", n)
		}
		sub, err := st.Subscribe(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Publish(ctx, key, []byte("m")); err != nil {
			t.Fatal(err)
		}
		if m := <-sub.Messages(); string(m.Data) != "m" {
			t.Errorf("heard %q", m.Data)
		}
		sub.Close()
	}
}
