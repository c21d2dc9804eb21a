package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/redis"
)

func newRefresh(options RefreshOptions) (*Refresh, *ishaatest.Clock, store.Store) {
	clock := clockAt(start)
	kv := store.NewMemory(store.MemoryOptions{Now: clock.Now})
	options.Clock = clock
	return NewRefresh(kv, options), clock, kv
}

func TestRefreshTokensAreExchanged(t *testing.T) {
	refresh, clock, kv := newRefresh(RefreshOptions{})
	token := made(refresh.Issue(t.Context(), "ann", map[string]string{"client": "phone"}))
	seen := map[string]bool{token: true}
	for range 5 {
		clock.Advance(time.Hour)
		next, grant, err := refresh.Exchange(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if grant.Subject != "ann" || grant.Data["client"] != "phone" || !grant.Since.Equal(start) {
			t.Errorf("the grant is %+v", grant)
		}
		if seen[next] {
			t.Errorf("%s comes twice", next)
		}
		seen[next], token = true, next
	}
	for key, err := range kv.Scan(t.Context(), "") {
		value, _ := kv.Get(t.Context(), key)
		if err != nil || strings.Contains(key+string(value), token[23:]) {
			t.Errorf("the store has the secret: %s %s %v", key, value, err)
		}
	}
}

// When a token is used twice, neither of those who have one gets any further.
func TestReusedTokensEndTheFamily(t *testing.T) {
	var warned []string
	refresh, _, _ := newRefresh(RefreshOptions{Reused: func(_ context.Context, subject string) { warned = append(warned, subject) }})
	other := made(refresh.Issue(t.Context(), "ann", nil))
	first := made(refresh.Issue(t.Context(), "ann", nil))
	second, _, err := refresh.Exchange(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	third, _, err := refresh.Exchange(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := refresh.Exchange(t.Context(), first); !errors.Is(err, ErrReused) {
		t.Errorf("the first token again: %v", err)
	}
	for name, token := range map[string]string{"first": first, "second": second, "third": third} {
		if _, _, err := refresh.Exchange(t.Context(), token); !errors.Is(err, ErrRefresh) {
			t.Errorf("the %s token: %v", name, err)
		}
	}
	if len(warned) != 1 || warned[0] != "ann" {
		t.Errorf("warned: %v", warned)
	}
	if _, _, err := refresh.Exchange(t.Context(), other); err != nil {
		t.Errorf("another sign-in of the same person: %v", err)
	}
}

// Of many that exchange one token at the same time at most one succeeds, and what it
// got is worth nothing.
func TestParallelExchanges(t *testing.T) {
	for round := range 20 {
		var reused atomic.Int64
		refresh, _, _ := newRefresh(RefreshOptions{Reused: func(context.Context, string) { reused.Add(1) }})
		token := made(refresh.Issue(t.Context(), "ann", nil))
		var mu sync.Mutex
		var won []string
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				next, _, err := refresh.Exchange(context.Background(), token)
				switch {
				case err == nil:
					mu.Lock()
					won = append(won, next)
					mu.Unlock()
				case !errors.Is(err, ErrReused) && !errors.Is(err, ErrRefresh):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) > 1 || reused.Load() != 1 {
			t.Fatalf("round %d: %d have won, %d warnings", round, len(won), reused.Load())
		}
		for _, next := range won {
			if _, _, err := refresh.Exchange(t.Context(), next); !errors.Is(err, ErrRefresh) {
				t.Errorf("the winner's token: %v", err)
			}
		}
	}
}

func TestRefreshTokensEnd(t *testing.T) {
	refresh, clock, _ := newRefresh(RefreshOptions{TTL: time.Hour, Lifetime: 150 * time.Minute})
	token := made(refresh.Issue(t.Context(), "ann", nil))
	unused := made(refresh.Issue(t.Context(), "ann", nil))
	for range 2 {
		clock.Advance(59 * time.Minute)
		next, _, err := refresh.Exchange(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		token = next
	}
	if _, _, err := refresh.Exchange(t.Context(), unused); !errors.Is(err, ErrRefresh) {
		t.Errorf("after its TTL: %v", err)
	}
	clock.Advance(32 * time.Minute)
	if _, _, err := refresh.Exchange(t.Context(), token); !errors.Is(err, ErrRefresh) {
		t.Errorf("after its family's lifetime: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	refresh, _, kv := newRefresh(RefreshOptions{})
	one, two := made(refresh.Issue(t.Context(), "ann", nil)), made(refresh.Issue(t.Context(), "ann", nil))
	bob := made(refresh.Issue(t.Context(), "bob", nil))
	for range 2 { // a second time is no error
		if err := refresh.Revoke(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := refresh.Exchange(t.Context(), one); !errors.Is(err, ErrRefresh) {
		t.Errorf("after Revoke: %v", err)
	}
	old := two
	two, _, _ = refresh.Exchange(t.Context(), old)
	three := made(refresh.Issue(t.Context(), "ann", nil))
	if err := refresh.Revoke(t.Context(), old); err != nil { // a token that was used: its family ends
		t.Fatal(err)
	}
	if _, _, err := refresh.Exchange(t.Context(), two); !errors.Is(err, ErrRefresh) {
		t.Errorf("after Revoke with a used token: %v", err)
	}
	if err := refresh.RevokeAll(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := refresh.Exchange(t.Context(), three); !errors.Is(err, ErrRefresh) {
		t.Errorf("after RevokeAll: %v", err)
	}
	if _, _, err := refresh.Exchange(t.Context(), bob); err != nil {
		t.Errorf("somebody else's: %v", err)
	}
	for key, err := range kv.Scan(t.Context(), "refresh:of:") {
		if err != nil || !strings.HasPrefix(key, refresh.indexPrefix("bob")) {
			t.Errorf("the store still has %s, %v", key, err)
		}
	}
}

func TestExchangeRefuses(t *testing.T) {
	refresh, _, _ := newRefresh(RefreshOptions{})
	token := made(refresh.Issue(t.Context(), "ann", nil))
	for _, wrong := range []string{
		"", ".", token[:65], token + "A", strings.Replace(token, ".", "-", 1), token[:22] + "." + strings.Repeat("!", 43), strings.Repeat("A", 22) + token[22:],
		"../../../../../../../x" + token[22:], token[:21] + "\n" + token[22:], strings.Repeat("x", 1<<20), "of:" + token[3:],
	} {
		if _, _, err := refresh.Exchange(t.Context(), wrong); !errors.Is(err, ErrRefresh) {
			t.Errorf("%.40q: %v", wrong, err)
		}
		if err := refresh.Revoke(t.Context(), wrong); err != nil {
			t.Errorf("Revoke(%.40q): %v", wrong, err)
		}
	}
	if _, _, err := refresh.Exchange(t.Context(), token); err != nil {
		t.Errorf("the right one, afterwards: %v", err)
	}
	if _, err := refresh.Issue(t.Context(), "", nil); err == nil {
		t.Error("a token is issued for nobody")
	}
	if status(ErrReused) != 401 || status(fmt.Errorf("x: %w", ErrRefresh)) != 401 {
		t.Error("the errors are not answered by 401")
	}
}

// awayKV fails all calls.
type awayKV struct{ store.KV }

func (awayKV) Get(context.Context, string) ([]byte, error) { return nil, store.ErrUnavailable }
func (awayKV) GetMany(context.Context, ...string) (map[string][]byte, error) {
	return nil, store.ErrUnavailable
}
func (awayKV) Set(context.Context, string, []byte, time.Duration) error {
	return store.ErrUnavailable
}
func (awayKV) Delete(context.Context, string) error { return store.ErrUnavailable }
func (awayKV) CompareAndSwap(context.Context, string, []byte, []byte, time.Duration) (bool, error) {
	return false, store.ErrUnavailable
}
func (awayKV) Scan(context.Context, string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", store.ErrUnavailable) }
}

// A store that is away is not taken for a token that is wrong.
func TestRefreshWithoutItsStore(t *testing.T) {
	there, _, _ := newRefresh(RefreshOptions{})
	token := made(there.Issue(t.Context(), "ann", nil))
	refresh := NewRefresh(awayKV{}, RefreshOptions{})
	_, issueErr := refresh.Issue(t.Context(), "ann", nil)
	_, _, exchangeErr := refresh.Exchange(t.Context(), token)
	for what, err := range map[string]error{
		"Issue": issueErr, "Exchange": exchangeErr, "Revoke": refresh.Revoke(t.Context(), token), "RevokeAll": refresh.RevokeAll(t.Context(), "ann"),
	} {
		var refused *TokenError
		if !errors.Is(err, store.ErrUnavailable) || errors.As(err, &refused) || status(err) != 503 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Two nodes that share a Redis: of parallel exchanges of one token at most one
// succeeds, and what one node revokes the other refuses.
func TestRefreshOverTwoNodesOnRedis(t *testing.T) {
	address := testenv.Redis(t)
	prefix := "auth-test-" + hex.EncodeToString(randomBytes(8)) + ":"
	var nodes [2]*Refresh
	var lists [2]*Revocations
	for i := range nodes {
		kv, err := store.Open(address)
		if err != nil {
			t.Fatal(err)
		}
		defer kv.Close()
		nodes[i] = NewRefresh(kv, RefreshOptions{Prefix: prefix + "refresh:"})
		lists[i] = NewRevocations(kv, RevocationOptions{Prefix: prefix + "revoked:"})
	}
	defer func() {
		kv := nodes[0].kv
		for key, err := range kv.Scan(context.Background(), prefix) {
			if err == nil {
				_ = kv.Delete(context.Background(), key)
			}
		}
	}()
	for range 20 {
		token := made(nodes[0].Issue(t.Context(), "ann", nil))
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				_, _, err := nodes[i%2].Exchange(context.Background(), token)
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, ErrReused) && !errors.Is(err, ErrRefresh):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() > 1 {
			t.Fatalf("%d have won", won.Load())
		}
	}
	last := made(nodes[0].Issue(t.Context(), "ann", nil))
	if err := nodes[1].RevokeAll(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := nodes[0].Exchange(t.Context(), last); !errors.Is(err, ErrRefresh) {
		t.Errorf("after RevokeAll on the other node: %v", err)
	}

	here, there := JWT(HS256(secret), Revocable(lists[0])), JWT(HS256(secret), Revocable(lists[1]))
	token := made(here.Encode(Registered{Subject: "ann"}))
	claims, err := Decode[Registered](there, token)
	if err != nil {
		t.Fatal(err)
	}
	if err := lists[1].Revoke(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	if err := decodes(here, token); !errors.Is(err, errRevoked) {
		t.Errorf("after Revoke on the other node: %v", err)
	}
}
