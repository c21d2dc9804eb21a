// Package relay makes connections of queries to a database, as the GraphQL Cursor Connections Specification of Relay has
// them: lists that clients read in parts, from either end and from any row.
//
//	type Album struct {
//		ID    int64
//		Title string
//	}
//
//	func main() {
//		app := ishaa.New("music")
//		db, err := orm.Open(app.Config().DatabaseURL)
//		…
//		albums := orm.Of[Album](db)
//		schema := graphql.New()
//		relay.Register[Album](schema, "Album") // AlbumConnection and AlbumEdge
//		graphql.Query(schema, "albums", func(ctx context.Context, in struct {
//			relay.Args        // first, after, last, before
//			Title      string `default:""` // and whatever else the list takes
//		}) (*relay.Connection[Album], error) {
//			q := albums.OrderBy("title").Filter("title__icontains", in.Title)
//			return relay.Of(ctx, q, in.Args, relay.Options{})
//		}, relay.Cost(relay.Options{}))
//		graphql.Mount(app, "/graphql", schema, graphql.Options{})
//		app.Run() // {albums(first: 10) {totalCount edges {cursor node {title}} pageInfo {hasNextPage endCursor}}}
//	}
//
// # Cost
//
// A part is found by keyset, at the same cost wherever in the list it is, and rows that come and go elsewhere shift
// nothing. It takes one statement, for as many rows as are asked for and one more. totalCount is a second statement, and
// runs only where it is selected.
//
// # Cursors
//
// A cursor is the place of a row in the order of the query: the values that rows are sorted by. The same row has the same
// cursor as long as these and the secret stay the same, on every node and after a restart. A cursor of another type of
// rows or of another order is refused with the code BAD_USER_INPUT; filters may change between two parts.
//
// With a secret (Options.Secret, or else the application's Config.Secret) cursors are encrypted: clients cannot read the
// values in them, and a cursor that the application has not made is refused. Without a secret they are only encoded, so
// do not sort by what clients must not know.
package relay
