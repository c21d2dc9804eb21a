package graphql_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
)

type Album struct {
	ID    graphql.ID
	Title string
	Year  *int
}

type Artist struct{ Name string }

func Example() {
	schema := graphql.New()
	graphql.Query(schema, "albums", func(_ context.Context, in struct {
		First int `default:"10" minimum:"1" maximum:"100"`
	}) ([]*Album, error) {
		all := []*Album{{ID: "1", Title: "Kind of Blue", Year: new(1959)}, {ID: "2", Title: "Tutu"}}
		return all[:min(in.First, len(all))], nil
	})
	graphql.Batch(schema, "artist", func(_ context.Context, albums []*Album, _ struct{}) ([]*Artist, error) {
		fmt.Println("artists of", len(albums), "albums")
		artists := make([]*Artist, len(albums))
		for i := range albums {
			artists[i] = &Artist{Name: "Miles Davis"}
		}
		return artists, nil
	})

	app := ishaa.New("music")
	graphql.Mount(app, "/graphql", schema, graphql.Options{})

	answer := schema.Execute(context.Background(), graphql.Operation{Query: `{albums {title year artist {name}}}`})
	fmt.Println(string(answer.Data))
	// Output:
	// artists of 2 albums
	// {"albums":[{"title":"Kind of Blue","year":1959,"artist":{"name":"Miles Davis"}},{"title":"Tutu","year":null,"artist":{"name":"Miles Davis"}}]}
}

func ExampleSchema_SDL() {
	type Tick struct {
		N int `doc:"How many there were"`
	}
	schema := graphql.New()
	graphql.Query(schema, "hello", func(_ context.Context, in struct {
		Name string `default:"World" maxLength:"20"`
	}) (string, error) {
		return "Hello, " + in.Name + "!", nil
	})
	graphql.Subscription(schema, "ticks", func(_ context.Context, in struct{ To int }) iter.Seq2[Tick, error] {
		return func(yield func(Tick, error) bool) {
			for n := 1; n <= in.To && yield(Tick{n}, nil); n++ {
			}
		}
	})
	sdl, err := schema.SDL()
	fmt.Println(sdl, err)
	// Output:
	// type Query {
	//   hello(name: String! = "World"): String!
	// }
	//
	// type Subscription {
	//   ticks(to: Int!): Tick!
	// }
	//
	// type Tick {
	//   "How many there were"
	//   n: Int!
	// }
	//  <nil>
}
