package inproc

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ishaa-framework/ishaa/bench/graphqls"
)

// operations returns a group for each query to a GraphQL server. The answers have to be the same, octet for octet.
func operations() []Group {
	var groups []Group
	for _, q := range []struct{ name, text string }{{"flat", graphqls.Flat}, {"nested", graphqls.Nested}} {
		g := Group{Name: "graphql/" + q.name}
		for _, e := range graphqls.Engines() {
			g.Cases = append(g.Cases, Case{Name: e.Name, Build: func() (func() error, int) { return answer(e, q.text), 1 }})
		}
		groups = append(groups, g)
	}
	return groups
}

// answer compares the first answer with that of the first engine, and the others by their length.
func answer(e graphqls.Engine, query string) func() error {
	ctx := context.Background()
	var want, got []byte
	first, err := graphqls.Engines()[0].Open()
	if err == nil {
		want, err = first(ctx, query)
	}
	var ask graphqls.Ask
	if err == nil {
		ask, err = e.Open()
	}
	if err == nil {
		got, err = ask(ctx, query)
	}
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("the answer is\n%s\nwant\n%s", got, want)
	}
	if err != nil {
		return func() error { return fmt.Errorf("%s: %w", e.Name, err) }
	}
	return func() error {
		got, err := ask(ctx, query)
		if err == nil && len(got) != len(want) {
			err = fmt.Errorf("the answer has %d octets, want %d", len(got), len(want))
		}
		return err
	}
}
