package graphqls

import (
	"context"
	"encoding/json"
	"strconv"

	lib "github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ishaa-framework/ishaa/bench/graphqls/gqlgen"
)

type gqlgenRoot struct{ users []*gqlgen.User }

func (r *gqlgenRoot) Query() gqlgen.QueryResolver                   { return r }
func (r *gqlgenRoot) Users(context.Context) ([]*gqlgen.User, error) { return r.users, nil }

// openGqlgen runs gqlgen's executor as its handler does, with a cache of parsed queries as its
// documentation recommends (the plainest there is, for two queries), and writes the response as its transports do.
func openGqlgen() (Ask, error) {
	r := &gqlgenRoot{}
	for i := range Users {
		u := &gqlgen.User{ID: strconv.Itoa(i), Name: userName(i)}
		for k := range Posts {
			u.Posts = append(u.Posts, &gqlgen.Post{ID: strconv.Itoa(k), Title: postTitle(i, k)})
		}
		r.users = append(r.users, u)
	}
	e := executor.New(gqlgen.NewExecutableSchema(gqlgen.Config{Resolvers: r}))
	e.SetQueryCache(lib.MapCache[*ast.QueryDocument]{})
	return func(ctx context.Context, query string) ([]byte, error) {
		ctx = lib.StartOperationTrace(ctx)
		now := lib.Now()
		operation, errs := e.CreateOperationContext(ctx, &lib.RawParams{Query: query, ReadTime: lib.TraceTiming{Start: now, End: now}})
		if errs != nil {
			return nil, errs
		}
		respond, ctx := e.DispatchOperation(ctx, operation)
		return json.Marshal(respond(ctx))
	}, nil
}
