package graphql_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/ishaa-framework/ishaa/graphql"
)

type benchUser struct {
	ID    graphql.ID
	Name  string
	Posts []benchPost
}

type benchPost struct {
	ID    graphql.ID
	Title string
}

func benchSchema() *graphql.Schema {
	list := make([]*benchUser, 100)
	for i := range list {
		list[i] = &benchUser{ID: graphql.ID(fmt.Sprint(i)), Name: fmt.Sprint("User ", i)}
		for k := range 10 {
			list[i].Posts = append(list[i].Posts, benchPost{graphql.ID(fmt.Sprint(k)), fmt.Sprint("Post ", k)})
		}
	}
	s := graphql.New()
	graphql.Query(s, "users", func(context.Context, none) ([]*benchUser, error) { return list, nil })
	graphql.Query(s, "some", func(_ context.Context, in struct{ First int }) ([]*benchUser, error) { return list[:in.First], nil })
	graphql.Field(s, "resolved", func(_ context.Context, u *benchUser, _ none) (string, error) { return u.Name, nil })
	graphql.Batch(s, "batched", func(_ context.Context, users []*benchUser, _ none) ([]string, error) {
		out := make([]string, len(users))
		for i := range users {
			out[i] = users[i].Name
		}
		return out, nil
	})
	return s
}

func BenchmarkExecute(b *testing.B) {
	s := benchSchema()
	for _, c := range []struct {
		name string
		op   graphql.Operation
	}{
		{"flat", graphql.Operation{Query: `{users {id name}}`}},
		{"nested", graphql.Operation{Query: `{users {id name posts {id title}}}`}},
		{"variables", graphql.Operation{Query: `query($n: Int!) {some(first: $n) {id name}}`, Variables: map[string]any{"n": 100}}},
		{"resolver", graphql.Operation{Query: `{users {id resolved}}`}},
		{"batch", graphql.Operation{Query: `{users {id batched}}`}},
		{"one", graphql.Operation{Query: `{some(first: 1) {id}}`}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r := s.Execute(b.Context(), c.op); len(r.Errors) > 0 {
					b.Fatal(r.Errors[0])
				}
			}
		})
	}
}
