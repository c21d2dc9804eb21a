package relay_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/graphql/relay"
	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

func Example() {
	ctx := context.Background()
	db, err := orm.Open("sqlite://:memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	orm.Register[Album](db)
	if err := db.CreateTables(ctx); err != nil {
		log.Fatal(err)
	}
	albums := orm.Of[Album](db)
	for _, title := range []string{"Kind of Blue", "Blue Train", "Time Out"} {
		if _, err := albums.Create(ctx, Album{Title: title}); err != nil {
			log.Fatal(err)
		}
	}

	schema := graphql.New()
	relay.Register[Album](schema, "Album")
	graphql.Query(schema, "albums", func(ctx context.Context, in struct {
		relay.Args
		Title string `default:""`
	}) (*relay.Connection[Album], error) {
		return relay.Of(ctx, albums.OrderBy("title").Filter("title__icontains", in.Title), in.Args, relay.Options{})
	}, relay.Cost(relay.Options{}))

	show := func(query string) { fmt.Printf("%s\n", schema.Execute(ctx, graphql.Operation{Query: query}).Data) }
	show(`{albums(first: 1) {totalCount nodes {title} pageInfo {hasNextPage}}}`)
	show(`{albums(last: 1, title: "blue") {totalCount nodes {title} pageInfo {hasPreviousPage}}}`)
	// Output:
	// {"albums":{"totalCount":3,"nodes":[{"title":"Blue Train"}],"pageInfo":{"hasNextPage":true}}}
	// {"albums":{"totalCount":2,"nodes":[{"title":"Kind of Blue"}],"pageInfo":{"hasPreviousPage":true}}}
}
