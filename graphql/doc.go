// Package graphql serves a GraphQL API (the specification of September 2025) from Go functions and types: the schema is
// what the code says, and there is nothing to generate.
//
//	type Book struct {
//		ID     graphql.ID
//		Title  string
//		Pages  *int // a pointer may be null
//		author int  // unexported: not in the schema
//	}
//
//	func main() {
//		schema := graphql.New()
//		graphql.Query(schema, "book", func(ctx context.Context, in struct{ ID graphql.ID }) (*Book, error) {
//			return store.Book(ctx, in.ID) // nil is null
//		})
//		graphql.Batch(schema, "author", func(ctx context.Context, books []*Book, _ struct{}) ([]*Author, error) {
//			return store.AuthorsOf(ctx, books) // called once, however many books the answer holds
//		})
//		app := ishaa.New("library")
//		graphql.Mount(app, "/graphql", schema, graphql.Options{})
//		app.Run() // POST and GET /graphql, WebSocket there too, server-sent events at /graphql/stream
//	}
//
// # Types
//
// A struct is an object type, or an input type where it stands in arguments, under its Go name. Its exported fields are
// the type's, named by the json tag or else as Go names them with a small beginning (ID is id, HTTPPort is httpPort);
// `json:"-"` and `graphql:"-"` leave one out. Embedded structs count as part of the struct they are in.
//
//	string, bool                  String!, Boolean!
//	int, int8–int32, uint8–16     Int!: 32 bits; an int beyond is an error at its place
//	int64, uint, uint32, uint64   Int64!, a number without a fraction
//	float32, float64              Float!
//	ID                            ID!
//	time.Time, time.Duration      DateTime!, Duration!
//	[]byte                        Base64!
//	*T                            T without the !
//	[]T                           [T!]!; a nil slice is an empty list
//	struct, interface             an object; a union or interface once [Union] or [Interface] was called
//	any, map, json.RawMessage     JSON
//	what has MarshalText          a scalar of its Go name
//
// Where pointers cannot say what is meant, the tag `graphql:"[Post!]!"` or the option [Type] does.
//
// # Arguments
//
// The second parameter of a resolver is a struct of its arguments. The tags of package schema hold in it and in every
// input type within: default, minimum, maxLength, pattern, enum and so on. What breaks one is an error at the field, with
// the code BAD_USER_INPUT and the place in its extensions. An argument whose type is no pointer and that has no default is
// required. [Optional] tells an argument that was left out from null.
//
// # Execution
//
// A document is parsed, checked and compiled to closures once, and kept; execution writes JSON directly. Resolvers run one
// after the other, since most only read memory: those that wait for something else are [Batch] resolvers, which are called
// once for all objects of a level, or are marked [Concurrent]. Mutations run in their order, one by one.
//
// A resolver's error makes its field null, and what cannot be null around it, as the specification says. The client sees
// the text of an [Error], of an *ishaa.Problem below 500, of what has such an HTTPStatus() and of constraints; anything
// else is "internal error", and the log has the rest.
package graphql
