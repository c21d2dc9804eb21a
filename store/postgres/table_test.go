package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
)

// scratch opens a table of the test's own, which is dropped at its end.
func scratch(t *testing.T) (e *engine, table string) {
	t.Helper()
	u, err := url.Parse(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	table = "ishaa_test_" + strings.ToLower(rand.Text())
	query := u.Query()
	query.Set("table", table)
	u.RawQuery = query.Encode()
	st, err := open(u)
	if err != nil {
		t.Fatal(err)
	}
	e = st.(*engine)
	t.Cleanup(func() {
		if _, err := e.pool.Exec(context.Background(), "DROP TABLE "+table+", "+table+"_message"); err != nil {
			t.Error(err)
		}
		e.Close()
	})
	return e, table
}

// A large message that is gone when it is fetched, or cannot be, is a gap.
func TestMessageThatIsGone(t *testing.T) {
	e, _ := scratch(t)
	ctx := t.Context()
	sub, err := e.Subscribe(ctx, "t")
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{"", "x", "m???", "lx"} { // not ours
		if _, err := e.pool.Exec(ctx, e.sql.publish, e.channel("t"), payload); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.pool.Exec(ctx, e.sql.publish, e.channel("t"), markLarge+"999"); err != nil {
		t.Fatal(err)
	}
	if m := <-sub.Messages(); !errors.Is(m.Gap, store.ErrUnavailable) {
		t.Fatalf("heard %q, want the marker of a gap", m.Data)
	}
	if err := e.Publish(ctx, "t", []byte("after")); err != nil {
		t.Fatal(err)
	}
	if m := <-sub.Messages(); string(m.Data) != "after" {
		t.Errorf("heard %q (gap: %v)", m.Data, m.Gap)
	}
}

// Expired keys and old messages are removed, in as many batches as it takes.
func TestSweep(t *testing.T) {
	ctx := context.Background()
	e, table := scratch(t)
	for _, sql := range []string{
		`INSERT INTO @ SELECT ('old' || n)::bytea, '', now() - interval '1 second' FROM generate_series(1, 2500) n`,
		`INSERT INTO @ SELECT ('new' || n)::bytea, '', now() + interval '1 hour' FROM generate_series(1, 10) n`,
		`INSERT INTO @ SELECT ('ever' || n)::bytea, '', NULL FROM generate_series(1, 10) n`,
		`INSERT INTO @_message (body, sent) VALUES ('', now() - interval '10 minutes'), ('', now())`,
	} {
		if _, err := e.pool.Exec(ctx, strings.Replace(sql, "@", table, 1)); err != nil {
			t.Fatal(err)
		}
	}
	e.sweep(ctx)
	for name, want := range map[string]int{table: 20, table + "_message": 1} {
		var left int
		if err := e.pool.QueryRow(ctx, "SELECT count(*) FROM "+name).Scan(&left); err != nil || left != want {
			t.Errorf("%d rows are left, %v; want %d", left, err, want)
		}
	}
}

func TestAfter(t *testing.T) {
	for prefix, want := range map[string]string{"": "", "a": "b", "a\xff": "b", "\xff": "", "\xff\xff": "", "a\x00": "a\x01", "\xfe\xff": "\xff"} {
		if got := after(prefix); string(got) != want {
			t.Errorf("the first key after %q is %q, want %q", prefix, got, want)
		}
	}
}
