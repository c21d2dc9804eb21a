package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
)

// gqlRole, gqlUser and the others are the types of the contract's schema, which gives them their names.
type gqlRole string

type gqlUser struct {
	ID    graphql.ID
	Name  *string
	Age   *int
	Score *float64
	Role  gqlRole
	Tags  []string

	friends []graphql.ID
	boss    graphql.ID
}

type gqlPost struct {
	ID        graphql.ID
	Title     string
	Views     *int
	Published bool

	author graphql.ID
}

type gqlNode interface{ node() graphql.ID }

func (u *gqlUser) node() graphql.ID { return u.ID }
func (p *gqlPost) node() graphql.ID { return p.ID }

type gqlHit interface{ hit() string }

func (u *gqlUser) hit() string {
	if u.Name == nil {
		return ""
	}
	return *u.Name
}
func (p *gqlPost) hit() string { return p.Title }

type gqlFilter struct {
	Role   graphql.Optional[gqlRole]    `json:"role"`
	MinAge graphql.Optional[int]        `json:"minAge" default:"0"`
	Tags   graphql.Optional[[]string]   `json:"tags"`
	Nested graphql.Optional[*gqlFilter] `json:"nested"`
}

func (f *gqlFilter) matches(u *gqlUser) bool {
	if f == nil {
		return true
	}
	age := 0
	if u.Age != nil {
		age = *u.Age
	}
	given := func(present, null bool) bool { return present && !null }
	return !(given(f.Role.Present, f.Role.Null) && u.Role != f.Role.Value ||
		given(f.MinAge.Present, f.MinAge.Null) && age < f.MinAge.Value ||
		given(f.Tags.Present, f.Tags.Null) && slices.ContainsFunc(f.Tags.Value, func(tag string) bool { return !slices.Contains(u.Tags, tag) })) &&
		f.Nested.Value.matches(u)
}

// gqlEcho holds the arguments of the field that says what it was given, in their order.
type gqlEcho struct {
	I  graphql.Optional[int]
	F  graphql.Optional[float64]
	S  graphql.Optional[string]
	B  graphql.Optional[bool]
	R  graphql.Optional[gqlRole]
	L  graphql.Optional[[]int]
	O  graphql.Optional[*gqlFilter]
	ID graphql.Optional[graphql.ID]
}

// given writes the members that are there as JSON.Stringify does.
type given struct{ members []string }

func (g *given) add(name string, present, null bool, value any) {
	if !present {
		return
	}
	text := []byte("null")
	if !null {
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if f, ok := value.(*gqlFilter); ok {
			text = []byte(f.given())
		} else if err := encoder.Encode(value); err == nil {
			text = bytes.TrimSpace(out.Bytes())
		}
	}
	g.members = append(g.members, fmt.Sprintf("%q:%s", name, text))
}

func (g *given) String() string { return "{" + strings.Join(g.members, ",") + "}" }

func (f *gqlFilter) given() string {
	g := &given{}
	g.add("role", f.Role.Present, f.Role.Null, f.Role.Value)
	g.add("minAge", f.MinAge.Present, f.MinAge.Null, f.MinAge.Value)
	g.add("tags", f.Tags.Present, f.Tags.Null, f.Tags.Value)
	g.add("nested", f.Nested.Present, f.Nested.Null, f.Nested.Value)
	return g.String()
}

func (e gqlEcho) given() string {
	g := &given{}
	g.add("i", e.I.Present, e.I.Null, e.I.Value)
	g.add("f", e.F.Present, e.F.Null, e.F.Value)
	g.add("s", e.S.Present, e.S.Null, e.S.Value)
	g.add("b", e.B.Present, e.B.Null, e.B.Value)
	g.add("r", e.R.Present, e.R.Null, e.R.Value)
	g.add("l", e.L.Present, e.L.Null, e.L.Value)
	g.add("o", e.O.Present, e.O.Null, e.O.Value)
	g.add("id", e.ID.Present, e.ID.Null, e.ID.Value)
	return g.String()
}

var gqlUsers = []*gqlUser{
	{ID: "1", Name: new("Zoë"), Age: new(41), Score: new(1.5), Role: "ADMIN", Tags: []string{"a", "b"}, friends: []graphql.ID{"2", "3"}},
	{ID: "2", Name: new("Bob"), Score: new(-2.0), Role: "USER", friends: []graphql.ID{"1"}, boss: "1"},
	{ID: "3", Name: new("<b>Eve</b>"), Age: new(7), Score: new(0.0), Role: "GUEST", Tags: []string{"x"}, friends: []graphql.ID{"1", "2", "4"}, boss: "2"},
	{ID: "4", Age: new(99), Score: new(1e21), Role: "USER", Tags: []string{"y", "z"}, boss: "9"},
}

var gqlPosts = []*gqlPost{
	{ID: "10", Title: "Hello", author: "1", Views: new(5), Published: true},
	{ID: "11", Title: `Draft "q"`, author: "1"},
	{ID: "12", Title: "日本", author: "3", Views: new(0), Published: true},
}

func gqlUserOf(id graphql.ID) *gqlUser {
	for _, u := range gqlUsers {
		if u.ID == id {
			return u
		}
	}
	return nil
}

// firstOf is JavaScript's list.slice(0, n); without n it is the list.
func firstOf[T any](list []T, n *int) []T {
	switch {
	case n == nil:
		return list
	case *n < 0:
		return list[:max(len(list)+*n, 0)]
	}
	return list[:min(*n, len(list))]
}

// addGraphQL serves the schema of the contract with the data of its oracle.
func addGraphQL(app *ishaa.App, _ options) {
	s := graphql.New()
	graphql.Describe[gqlUser](s, graphql.TypeInfo{Name: "User"})
	graphql.Describe[gqlPost](s, graphql.TypeInfo{Name: "Post"})
	graphql.Describe[gqlNode](s, graphql.TypeInfo{Name: "Node"})
	graphql.Describe[gqlHit](s, graphql.TypeInfo{Name: "Hit"})
	graphql.Describe[gqlRole](s, graphql.TypeInfo{Name: "Role"})
	graphql.Describe[gqlFilter](s, graphql.TypeInfo{Name: "Filter"})
	graphql.Enum[gqlRole](s, "ADMIN", "USER", "GUEST")
	graphql.Interface[gqlNode](s, []string{"id"}, &gqlUser{}, &gqlPost{})
	graphql.Union[gqlHit](s, &gqlUser{}, &gqlPost{})
	addGraphQLFields(s)
	addGraphQLQueries(s)
	addGraphQLChanges(s)
	// The schema is public, and the audits of the protocol ask for a type.
	graphql.Mount(app, "/graphql", s, graphql.Options{Introspection: true})
}

type noArgs = struct{}

func addGraphQLFields(s *graphql.Schema) {
	graphql.Field(s, "friends", func(_ context.Context, u *gqlUser, in struct {
		First *int `default:"2"`
	}) ([]*gqlUser, error) {
		var list []*gqlUser
		for _, id := range firstOf(u.friends, in.First) {
			list = append(list, gqlUserOf(id))
		}
		return list, nil
	}, graphql.Type("[User!]!"))
	graphql.Field(s, "posts", func(_ context.Context, u *gqlUser, in struct{ Published *bool }) ([]*gqlPost, error) {
		list := []*gqlPost{}
		for _, p := range gqlPosts {
			if p.author == u.ID && (in.Published == nil || p.Published == *in.Published) {
				list = append(list, p)
			}
		}
		return list, nil
	}, graphql.Type("[Post]"))
	graphql.Field(s, "boss", func(_ context.Context, u *gqlUser, _ noArgs) (*gqlUser, error) {
		if u.boss == "9" {
			return nil, errors.New("boss lookup failed")
		}
		return gqlUserOf(u.boss), nil
	})
	graphql.Field(s, "secret", func(_ context.Context, u *gqlUser, _ noArgs) (string, error) {
		if u.Role != "ADMIN" {
			return "", graphql.Forbidden("forbidden")
		}
		return "s3", nil
	})
	// In one call for all posts, which the answer does not show.
	graphql.Batch(s, "author", func(_ context.Context, posts []*gqlPost, _ noArgs) ([]*gqlUser, error) {
		list := make([]*gqlUser, len(posts))
		for i, p := range posts {
			list[i] = gqlUserOf(p.author)
		}
		return list, nil
	}, graphql.Type("User!"))
}

func addGraphQLQueries(s *graphql.Schema) {
	graphql.Query(s, "hello", func(_ context.Context, in struct {
		Name *string `default:"World"`
	}) (string, error) {
		if in.Name == nil {
			return "Hello, null!", nil
		}
		return "Hello, " + *in.Name + "!", nil
	})
	graphql.Query(s, "user", func(_ context.Context, in struct{ ID graphql.ID }) (*gqlUser, error) { return gqlUserOf(in.ID), nil })
	graphql.Query(s, "users", func(_ context.Context, in struct {
		Filter *gqlFilter
		First  *int
	}) ([]*gqlUser, error) {
		var list []*gqlUser
		for _, u := range gqlUsers {
			if in.Filter.matches(u) {
				list = append(list, u)
			}
		}
		return firstOf(list, in.First), nil
	}, graphql.Type("[User!]!"))
	graphql.Query(s, "node", func(_ context.Context, in struct{ ID graphql.ID }) (gqlNode, error) {
		if u := gqlUserOf(in.ID); u != nil {
			return u, nil
		}
		for _, p := range gqlPosts {
			if p.ID == in.ID {
				return p, nil
			}
		}
		return nil, nil
	})
	graphql.Query(s, "search", func(_ context.Context, in struct{ Text string }) ([]gqlHit, error) {
		var hits []gqlHit
		for _, u := range gqlUsers {
			hits = append(hits, u)
		}
		for _, p := range gqlPosts {
			hits = append(hits, p)
		}
		return slices.DeleteFunc(hits, func(h gqlHit) bool {
			return !strings.Contains(strings.ToLower(h.hit()), strings.ToLower(in.Text))
		}), nil
	}, graphql.Type("[Hit!]!"))
	graphql.Query(s, "echo", func(_ context.Context, in gqlEcho) (*string, error) { return new(in.given()), nil })
	graphql.Query(s, "boom", func(context.Context, noArgs) (*string, error) { return nil, errors.New("boom") })
	graphql.Query(s, "boomNN", func(context.Context, noArgs) (string, error) { return "", errors.New("boomNN") })
	graphql.Query(s, "matrix", func(context.Context, noArgs) ([][]*int, error) {
		return [][]*int{{new(1), new(2)}, nil, {nil, new(3)}}, nil
	}, graphql.Type("[[Int]]"))
}

// gqlCounter counts within one operation, as the oracle does.
type gqlCounter struct{ n int }

func addGraphQLChanges(s *graphql.Schema) {
	graphql.Mutation(s, "inc", func(ctx context.Context, in struct {
		By int `default:"1"`
	}) (int, error) {
		c := graphql.Local[gqlCounter](ctx)
		c.n += in.By
		return c.n, nil
	})
	graphql.Mutation(s, "reset", func(ctx context.Context, _ noArgs) (bool, error) {
		graphql.Local[gqlCounter](ctx).n = 0
		return true, nil
	})
	graphql.Mutation(s, "fail", func(context.Context, noArgs) (int, error) { return 0, errors.New("fail") })
	ticks := func(ctx context.Context, in struct{ To int }) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := 1; i <= in.To && ctx.Err() == nil && yield(i, nil); i++ {
			}
		}
	}
	graphql.Subscription(s, "tick", ticks)
	graphql.Subscription(s, "count", ticks) // the name that the batteries of the protocols use
}
