package graphql

import (
	"fmt"
	"strings"
	"time"

	"context"
	"encoding/json"

	"github.com/ishaa-framework/ishaa"
)

// Options say how a schema is served. The zero value is a good choice for a public API; a negative limit is none.
type Options struct {
	MaxDepth      int // levels of fields; default 12
	MaxComplexity int // fields, each counted as often as fragments repeat it, or what Cost says; default 1000
	MaxTokens     int // of a document; default 10,000
	MaxAliases    int // of a document, and names repeated in one selection; default 100
	MaxDirectives int // of a document; default 100

	// Introspection lets clients read the schema, and be helped by suggestions when they mistype a name. It is on as well
	// while the application's Config.Debug is.
	Introspection bool
	// GraphiQL answers browsers with an editor for queries. It wants introspection, and turns it on.
	GraphiQL bool

	// PersistedQueries is how many documents are kept by their hash for clients that send the hash first (automatic
	// persisted queries); default 1000, negative for none.
	PersistedQueries int
	// Allowed, if not nil, are the only documents that are run. A client sends one of them, or its SHA-256 in hexadecimal
	// as documentId or as a persisted query.
	Allowed []string

	// BodyLimit is how many bytes a request and a message of a WebSocket may have; default 1 MiB. Uploads count.
	BodyLimit int64
	// OnConnect decides, when a WebSocket client introduces itself, whether it may stay, by what it sends then, which is
	// nil or JSON; the context it returns is that of the connection's operations.
	OnConnect func(ctx context.Context, payload json.RawMessage) (context.Context, error)
	// InitTimeout is how long a WebSocket client may take to introduce itself; default 3 s.
	InitTimeout time.Duration
	// MaxOperations is how many operations a connection may run at the same time; default 100.
	MaxOperations int
	// Origins are other sites whose pages may connect by WebSocket, such as "https://www.example.com".
	Origins []string

	// Routes are options of the routes: guards, for instance.
	Routes []ishaa.RouteOption
}

// Mount serves a schema:
//
//	POST path           JSON, and multipart for uploads
//	GET path            queries; WebSocket (graphql-transport-ws, graphql-ws); GraphiQL if it is on
//	… path/stream       server-sent events (the GraphQL over SSE protocol, both modes)
//
// A schema that does not hold together stops the program.
func Mount(router ishaa.Router, path string, schema *Schema, options Options) {
	if options.BodyLimit == 0 {
		options.BodyLimit = 1 << 20
	}
	if options.InitTimeout == 0 {
		options.InitTimeout = 3 * time.Second
	}
	if options.MaxOperations == 0 {
		options.MaxOperations = 100
	}
	source := caller()
	if err := schema.Build(); err != nil {
		panic(fmt.Sprintf("%s: %v", source, err))
	}
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		panic(source + `: graphql.Mount: the path is a place of its own, such as "/graphql"`)
	}
	options.Introspection = options.Introspection || options.GraphiQL
	s := &server{schema: schema, options: options, path: path, streams: newReservations()}
	if _, err := newEngine(schema, options, false, nil); err != nil { // the allow-list
		panic(fmt.Sprintf("%s: %v", source, err))
	}
	s.socket = s.webSocket()
	routes := append([]ishaa.RouteOption{ishaa.BodyLimit(options.BodyLimit)}, options.Routes...)
	router.Post(path, s.post, routes...)
	router.Get(path, s.get, routes...)
	s.mountStream(router, routes)
	if options.GraphiQL {
		s.mountAssets(router, routes)
	}
}
