// Package graphqls has a file for each GraphQL server, which does what the others do as its documentation says: one
// schema, the same hundred users with ten posts each, two queries.
//
//	engine, err := graphqls.Engines()[0].Open()
//	answer, err := engine(ctx, graphqls.Flat)
//
// An answer is made from the text of the query to the octets that the server's own transport would send, for that is what
// each request costs. What a server keeps of a query between requests, it may keep.
package graphqls

import (
	"context"
	"strconv"
)

// The queries: two fields of a hundred objects, and the same with two fields of ten objects below each.
const (
	Flat   = `{users{id name}}`
	Nested = `{users{id name posts{id title}}}`
)

// Users and Posts are how many there are, of each user.
const (
	Users = 100
	Posts = 10
)

// Ask answers a query.
type Ask func(ctx context.Context, query string) ([]byte, error)

// Engine is a GraphQL server.
type Engine struct {
	Name string
	Open func() (Ask, error)
}

// Engines returns all of them.
func Engines() []Engine {
	return []Engine{{"ishaa", openIshaa}, {"gqlgen", openGqlgen}, {"gophers", openGophers}}
}

func userName(i int) string     { return "User " + strconv.Itoa(i) }
func postTitle(i, k int) string { return "Post " + strconv.Itoa(k) + " of " + strconv.Itoa(i) }
