package graphqls

import (
	"context"
	"strconv"

	"github.com/ishaa-framework/ishaa/graphql"
)

type user struct {
	ID    graphql.ID
	Name  string
	Posts []*post
}

type post struct {
	ID    graphql.ID
	Title string
}

func openIshaa() (Ask, error) {
	list := make([]*user, Users)
	for i := range list {
		list[i] = &user{ID: graphql.ID(strconv.Itoa(i)), Name: userName(i)}
		for k := range Posts {
			list[i].Posts = append(list[i].Posts, &post{graphql.ID(strconv.Itoa(k)), postTitle(i, k)})
		}
	}
	s := graphql.New()
	graphql.Query(s, "users", func(context.Context, struct{}) ([]*user, error) { return list, nil }, graphql.Type("[User!]!"))
	graphql.Describe[user](s, graphql.TypeInfo{Name: "User"})
	graphql.Describe[post](s, graphql.TypeInfo{Name: "Post"})
	if err := s.Build(); err != nil {
		return nil, err
	}
	return func(ctx context.Context, query string) ([]byte, error) {
		return s.Execute(ctx, graphql.Operation{Query: query}).MarshalJSON()
	}, nil
}
