package effect_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa/effect"
)

func Example() {
	send := func(ctx context.Context, to string) {
		if effect.Intend(ctx, effect.Intent{Kind: "mail", Target: to}) {
			return
		}
		fmt.Println("sent to", to)
	}
	send(context.Background(), "ada@example.com")
	shadow := effect.WithShadow(context.Background(), effect.RecorderFunc(func(i effect.Intent) {
		fmt.Println("would have sent", i.Kind, "to", i.Target)
	}))
	send(shadow, "bob@example.com")
	// Output:
	// sent to ada@example.com
	// would have sent mail to bob@example.com
}

func TestShadowMark(t *testing.T) {
	ctx := context.Background()
	if effect.Shadow(ctx) || effect.Intend(ctx, effect.Intent{Kind: "mail"}) {
		t.Error("a plain context counts as a shadow")
	}
	marked := effect.WithShadow(ctx, nil)
	if !effect.Shadow(marked) || !effect.Intend(marked, effect.Intent{Kind: "mail"}) {
		t.Error("a shadow without a recorder is none")
	}
	inner, cancel := context.WithCancel(marked)
	defer cancel()
	if !effect.Shadow(inner) {
		t.Error("the mark is lost in a derived context")
	}
}

func TestReadsReachEveryReader(t *testing.T) {
	var outer, inner []string
	ctx := effect.WithReads(context.Background(), func(s, tb string) { outer = append(outer, s+"."+tb) })
	nested := effect.WithReads(ctx, func(s, tb string) { inner = append(inner, s+"."+tb) })
	effect.Read(ctx, "shop", "albums")
	effect.Read(nested, "shop", "tracks")
	effect.Read(context.Background(), "shop", "unseen")
	if want := []string{"shop.albums", "shop.tracks"}; !slices.Equal(outer, want) {
		t.Errorf("outer reader saw %q, want %q", outer, want)
	}
	if want := []string{"shop.tracks"}; !slices.Equal(inner, want) {
		t.Errorf("inner reader saw %q, want %q", inner, want)
	}
}

func TestGenerations(t *testing.T) {
	source := t.Name()
	at := func(table string) effect.Generation { return effect.GenerationOf(source, table) }
	if g := at("a"); g != (effect.Generation{}) {
		t.Fatalf("a table nobody wrote is at %+v", g)
	}
	effect.Wrote(source, "a")
	if at("a").Count != 1 || at("b").Count != 0 || at("").Count != 1 {
		t.Errorf("after a write to a: a %+v, b %+v, all %+v", at("a"), at("b"), at(""))
	}
	done := effect.Writing(source, "a")
	if g := at("a"); !g.Writing || g.Count != 1 {
		t.Errorf("while a is written: %+v", g)
	}
	if at("b").Writing {
		t.Error("a write to a shows on b")
	}
	if !at("").Writing {
		t.Error("a write to a does not show on the source")
	}
	done()
	done()
	if g := at("a"); g.Writing || g.Count != 2 {
		t.Errorf("after the write: %+v, want count 2", g)
	}
	before := at("b")
	effect.Wrote(source, "")
	if at("b") == before {
		t.Error("a write to the whole source leaves b's generation as it was")
	}
}

func TestWatch(t *testing.T) {
	source := t.Name()
	var seen []string
	stop := effect.Watch(func(s, tb string) {
		if s == source {
			seen = append(seen, tb)
		}
	})
	effect.Wrote(source, "a")
	effect.Writing(source, "b")()
	stop()
	effect.Wrote(source, "c")
	if !slices.Equal(seen, []string{"a", "b"}) {
		t.Errorf("the watcher saw %q", seen)
	}
}

func TestConcurrentWrites(t *testing.T) {
	source := t.Name()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				done := effect.Writing(source, "t")
				effect.GenerationOf(source, "t")
				done()
			}
		})
	}
	wg.Wait()
	if g := effect.GenerationOf(source, "t"); g.Count != 4000 || g.Writing {
		t.Errorf("after 4000 writes: %+v", g)
	}
}

func TestIsMark(t *testing.T) {
	type otherKey struct{}
	asked := map[bool]int{}
	ctx := spyContext{effect.WithReads(effect.WithShadow(context.Background(), nil), func(string, string) {}), asked}
	effect.Shadow(ctx)
	effect.Intend(ctx, effect.Intent{})
	effect.Read(ctx, "shop", "albums")
	ctx.Value(otherKey{})
	if asked[true] != 3 || asked[false] != 1 {
		t.Errorf("of the keys asked for, %v are marks", asked)
	}
}

// spyContext counts which keys are marks.
type spyContext struct {
	context.Context
	asked map[bool]int
}

func (c spyContext) Value(key any) any {
	c.asked[effect.IsMark(key)]++
	return c.Context.Value(key)
}
