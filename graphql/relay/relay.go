package relay

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/orm"
)

// Args are the arguments of a connection. A resolver's struct of arguments embeds them.
type Args struct {
	First  *int    `doc:"at most so many from the beginning, or after a cursor"`
	After  *string `doc:"a cursor: what comes after it"`
	Last   *int    `doc:"at most so many from the end, or before a cursor"`
	Before *string `doc:"a cursor: what comes before it"`
}

// Options are the limits of a connection. The zero value is a good choice.
type Options struct {
	Size int // how many a client gets that does not say; default 20
	Most int // how many it may ask for; default 100, at most 1000
	// Secret encrypts cursors, at least 32 bytes and the same on all nodes; default the application's Config.Secret, if
	// the context is that of a request.
	Secret []byte
}

const defaultSize = 20

// Connection is a part of a list. Its GraphQL type is the node's name with Connection behind.
type Connection[N any] struct {
	Edges    []Edge[N]
	PageInfo PageInfo

	count func(context.Context) (int64, error)
}

// Edge is a row of a list with its place.
type Edge[N any] struct {
	Node   N
	Cursor string
}

// PageInfo says where a part of a list begins and ends.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string // null for a part without rows
	EndCursor       *string
}

// Register names the connection's types after the GraphQL name of N, and adds two fields to it: totalCount, and nodes,
// which are the edges without their cursors. Call it once for each type of nodes.
func Register[N any](s *graphql.Schema, name string) {
	graphql.Describe[Connection[N]](s, graphql.TypeInfo{Name: name + "Connection", Doc: "A part of a list."})
	graphql.Describe[Edge[N]](s, graphql.TypeInfo{Name: name + "Edge", Doc: "A row of a list and its place."})
	graphql.Describe[PageInfo](s, graphql.TypeInfo{Name: "PageInfo", Doc: "Where a part of a list begins and ends."})
	graphql.Field(s, "totalCount", func(ctx context.Context, c *Connection[N], _ struct{}) (int, error) { return c.Total(ctx) },
		graphql.Doc("How many rows the whole list has."))
	graphql.Field(s, "nodes", func(_ context.Context, c *Connection[N], _ struct{}) ([]*N, error) {
		nodes := make([]*N, len(c.Edges))
		for i := range nodes {
			nodes[i] = &c.Edges[i].Node
		}
		return nodes, nil
	}, graphql.Type("["+name+"!]!"), graphql.Doc("The rows without their places."))
}

// Cost is the option for a field that is such a connection: what is selected below it counts as often as the client asks
// for rows.
func Cost(o Options) graphql.FieldOption {
	if o.Size <= 0 {
		o.Size = defaultSize
	}
	return graphql.Cost(1, "first,last,"+strconv.Itoa(o.Size))
}

// Total counts the rows of the whole list.
func (c *Connection[N]) Total(ctx context.Context) (int, error) {
	if c.count == nil {
		return len(c.Edges), nil
	}
	n, err := c.count(ctx)
	if err == nil && n > math.MaxInt32 {
		return 0, graphql.Errorf(graphql.CodeInternal, "The list has more rows than an Int can count.")
	}
	return int(n), err
}

// Of reads the part of a list that a client asks for: the first rows after one cursor or the last before another, or both.
// The query has no limit of its own, and is ordered by fields of T, and by its key where those are equal.
//
// What the client got wrong is an error that it may see, with the code BAD_USER_INPUT: a negative or too large number,
// first and last together, a cursor of another list.
func Of[T any](ctx context.Context, q orm.Query[T], in Args, o Options) (*Connection[T], error) {
	ask, err := in.request(&o)
	if err != nil {
		return nil, err
	}
	seal, err := o.sealer(ctx, reflect.TypeFor[T]().String())
	if err != nil {
		return nil, err
	}
	for _, end := range []struct {
		name  string
		given *string
		into  *string
	}{{"after", in.After, &ask.After}, {"before", in.Before, &ask.Before}} {
		if end.given == nil {
			continue
		}
		cursor, ok := seal.open(*end.given)
		if !ok {
			return nil, foreign(end.name)
		}
		*end.into = cursor
	}
	span, err := q.Span(ctx, ask)
	if errors.Is(err, orm.ErrCursor) {
		return nil, foreign(in.cursors())
	}
	if err != nil {
		return nil, err
	}
	c := &Connection[T]{Edges: make([]Edge[T], len(span.Rows)), count: q.Count}
	for i := range span.Rows {
		c.Edges[i] = Edge[T]{span.Rows[i], seal.close(span.Cursors[i])}
	}
	c.PageInfo = PageInfo{HasNextPage: span.Later, HasPreviousPage: span.Earlier}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c, nil
}

// Map makes a connection of other nodes, one for each row: of what clients see of a row, for instance.
func Map[T, N any](c *Connection[T], node func(*T) N) *Connection[N] {
	to := &Connection[N]{Edges: make([]Edge[N], len(c.Edges)), PageInfo: c.PageInfo, count: c.count}
	for i := range c.Edges {
		to.Edges[i] = Edge[N]{node(&c.Edges[i].Node), c.Edges[i].Cursor}
	}
	return to
}

// request checks what the client asks for, and puts defaults into the options.
func (in Args) request(o *Options) (ask orm.SpanRequest, err error) {
	if o.Most <= 0 {
		o.Most = 100
	}
	if o.Size <= 0 {
		o.Size = min(defaultSize, o.Most)
	}
	if o.Most > 1000 || o.Size > o.Most {
		return ask, fmt.Errorf("relay: Options.Size %d and Most %d: Size is at most Most, and that at most 1000", o.Size, o.Most)
	}
	ask.Size = o.Size
	switch {
	case in.First != nil && in.Last != nil:
		return ask, graphql.Errorf(graphql.CodeBadUserInput, "first and last: give one of them.")
	case in.First != nil:
		ask.Size = *in.First
	case in.Last != nil:
		ask.Size, ask.FromEnd = *in.Last, true
	default:
		ask.FromEnd = in.Before != nil && in.After == nil // what is next to the cursor
	}
	if ask.Size < 0 || ask.Size > o.Most {
		name := "first"
		if in.Last != nil {
			name = "last"
		}
		return ask, graphql.Errorf(graphql.CodeBadUserInput, "%s is a number from 0 to %d.", name, o.Most)
	}
	return ask, nil
}

// cursors names the arguments that are cursors.
func (in Args) cursors() string {
	switch {
	case in.Before == nil:
		return "after"
	case in.After == nil:
		return "before"
	}
	return "after or before"
}

func foreign(argument string) error {
	return graphql.Errorf(graphql.CodeBadUserInput, "%s: the cursor does not belong to this list; start from its beginning or its end.", argument)
}

// secret is what cursors are encrypted with, or nil.
func (o Options) secret(ctx context.Context) ([]byte, error) {
	if o.Secret != nil {
		if len(o.Secret) < 32 {
			return nil, fmt.Errorf("relay: Options.Secret has %d bytes: give it at least 32, from a file or the environment", len(o.Secret))
		}
		return o.Secret, nil
	}
	if r := ishaa.FromContext(ctx); r != nil && r.App() != nil {
		if secret := r.App().Config().Secret; secret != "" {
			return []byte(secret), nil
		}
	}
	return nil, nil
}
