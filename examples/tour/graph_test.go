package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/websocket/websockettest"
)

// graphAsk sends an operation and returns the answer.
func graphAsk(client *ishaatest.Client, query string, variables map[string]any) *ishaatest.Result {
	return client.Post("/graphql", ishaatest.JSON(map[string]any{"query": query, "variables": variables}), ishaatest.Header("Accept", "application/json")).Status(200)
}

func TestGraphQueries(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	for _, c := range []struct{ name, query, want string }{
		{"an album, and what leads from it", `{album(id: 48) {id title genre artist {name} tracks {name milliseconds priceCents}}}`,
			`{"data":{"album":{"id":"48","title":"The Essential Miles Davis [Disc 1]","genre":"JAZZ","artist":{"name":"Miles Davis"},"tracks":[{"name":"Now's The Time","milliseconds":197459,"priceCents":99},`},
		{"no such album", `{album(id: 9999) {title}}`, `{"data":{"album":null}}`},
		{"an id that is none", `{album(id: "x") {title}}`, `{"data":{"album":null}}`},
		{"a composer that nobody knows", `{album(id: 2) {tracks {composer}}}`, `{"data":{"album":{"tracks":[{"composer":"`},
		{"a list of a genre", `{albums(genre: JAZZ, sort: TITLE_BACKWARDS, first: 2) {totalCount nodes {title} pageInfo {hasNextPage hasPreviousPage}}}`,
			`{"data":{"albums":{"totalCount":13,"nodes":[{"title":"Worlds"},{"title":"Warner 25 Anos"}],"pageInfo":{"hasNextPage":true,"hasPreviousPage":false}}}}`},
		{"the end of a list", `{artists(last: 1) {nodes {name albums {title}}}}`, `{"data":{"artists":{"nodes":[{"name":"`},
		{"a part of a title, of which the case does not matter", `{albums(title: "essential miles") {totalCount}}`, `{"data":{"albums":{"totalCount":2}}}`},
		{"LIKE has no say in it", `{albums(title: "%") {totalCount}}`, `{"data":{"albums":{"totalCount":0}}}`},
		{"a genre that is not there", `{albums(genre: POLKA) {totalCount}}`, `"code":"GRAPHQL_VALIDATION_FAILED"`},
		{"a cursor of another list", `{albums(after: "abc") {totalCount}}`, `"message":"after: the cursor does not belong to this list; start from its beginning or its end."`},
		{"too much", `{albums(first: 101) {totalCount}}`, `"message":"first is a number from 0 to 100."`},
		{"far too much", `{albums(first: 10) {nodes {tracks {album {tracks {name}}}}}}`, `"code":"TOO_COMPLEX"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if text := graphAsk(client.For(t), c.query, nil).Text(); !strings.HasPrefix(text, c.want) && (c.want[0] == '{' || !strings.Contains(text, c.want)) {
				t.Errorf("the answer is\n%s\nwant\n%s", text, c.want)
			}
		})
	}
}

// Following the cursors lists every album once, in the order that was asked for, forwards and backwards.
func TestGraphConnection(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	walk := func(arguments, cursor, more, from string) (titles []string) {
		for at := any(nil); ; {
			var answer struct {
				Data struct {
					Albums struct {
						Nodes    []struct{ Title string }
						PageInfo map[string]any
					}
				}
			}
			query := fmt.Sprintf(`query($at: String) {albums(sort: TITLE, %s, %s: $at) {nodes {title} pageInfo {%s %s}}}`, arguments, cursor, more, from)
			graphAsk(client, query, map[string]any{"at": at}).JSON(&answer)
			for _, node := range answer.Data.Albums.Nodes {
				titles = append(titles, node.Title)
			}
			if answer.Data.Albums.PageInfo[more] != true {
				return titles
			}
			if at = answer.Data.Albums.PageInfo[from]; len(titles) > 1000 {
				t.Fatal("there is no end of it")
			}
		}
	}
	forwards, backwards := walk("first: 50", "after", "hasNextPage", "endCursor"), walk("last: 100", "before", "hasPreviousPage", "startCursor")
	if len(forwards) != 347 || len(backwards) != 347 {
		t.Errorf("%d albums forwards, %d backwards", len(forwards), len(backwards))
	}
	slices.Sort(forwards)
	slices.Sort(backwards)
	if !slices.Equal(forwards, backwards) {
		t.Error("the two ways do not list the same")
	}
}

// tally is a log that counts what is said to it: every statement, where all are slow.
type tally struct{ n atomic.Int64 }

func (c *tally) Enabled(context.Context, slog.Level) bool { return true }
func (c *tally) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *tally) WithGroup(string) slog.Handler            { return c }
func (c *tally) Handle(context.Context, slog.Record) error {
	c.n.Add(1)
	return nil
}

// However many rows a query meets, the database is asked once for each place of it.
func TestGraphStatements(t *testing.T) {
	content, err := filled()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "shop.db")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var statements tally
	db, err := orm.Open("sqlite://"+filepath.ToSlash(file), orm.Options{SlowQuery: time.Nanosecond, Logger: slog.New(&statements)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	register(db)
	app := ishaa.New("tour")
	g := &graph{shop: newShop(app, db, newCatalog(db))}
	s := g.schema()
	for query, want := range map[string]int64{
		`{albums(first: 40) {nodes {title}}}`:                                                         1,
		`{albums(first: 40) {totalCount nodes {title genre artist {name} tracks {name}}}}`:            5,
		`{artists(first: 30) {nodes {albums {title genre artist {name albums {title}}}}}}`:            5,
		`{artists(first: 3) {nodes {a: albums {tracks {album {artist {name}}}}}}}`:                    5,
		`{a: album(id: 1) {artist {name}} b: album(id: 2) {artist {name}} c: artists {nodes {name}}}`: 5,
	} {
		before := statements.n.Load()
		r := s.Execute(t.Context(), graphql.Operation{Query: query})
		if got := statements.n.Load() - before; len(r.Errors) > 0 || got != want {
			t.Errorf("%s: %d statements, want %d: %v", query, got, want, r.Errors)
		}
	}
}

const graphOrderOne = `mutation($items: [OrderItemInput!]!) {placeOrder(items: $items) {id totalCents}}`

// Orders are for members, and titles for staff; the rules for what is ordered are those of the API.
func TestGraphMutations(t *testing.T) {
	_, browser := memberShop(t)
	stranger, ann, jane := browser(), browser(), browser()
	join(t, ann, "Ann", "ann@example.com")
	join(t, jane, "Jane", "jane@chinookcorp.com")
	items := func(track any, quantity int) map[string]any {
		return map[string]any{"items": []any{map[string]any{"track": track, "quantity": quantity}}}
	}
	const retitle = `mutation($title: String!) {retitleAlbum(id: 1, title: $title) {title}}`
	for _, c := range []struct {
		name      string
		client    *ishaatest.Client
		query     string
		variables map[string]any
		pointer   string
		want      any
	}{
		{"a stranger's order", stranger, graphOrderOne, items(1, 2), "/errors/0/extensions/code", "UNAUTHENTICATED"},
		{"an order", ann, graphOrderOne, items(1, 2), "/data/placeOrder/totalCents", 198},
		{"an order of nothing", ann, graphOrderOne, map[string]any{"items": []any{}}, "/errors/0/extensions/code", "BAD_USER_INPUT"},
		{"an order of too many", ann, graphOrderOne, items(1, 101), "/errors/0/extensions/code", "BAD_USER_INPUT"},
		{"an order of what is not there", ann, graphOrderOne, items(9999, 1), "/errors/0/extensions/code", "UNKNOWN_TRACK"},
		{"a stranger's title", stranger, retitle, map[string]any{"title": "x"}, "/errors/0/extensions/code", "UNAUTHENTICATED"},
		{"a member's title", ann, retitle, map[string]any{"title": "x"}, "/errors/0/extensions/code", "FORBIDDEN"},
		{"no title", jane, retitle, map[string]any{"title": ""}, "/errors/0/extensions/code", "BAD_USER_INPUT"},
		{"a title", jane, retitle, map[string]any{"title": "For Those About To Rest"}, "/data/retitleAlbum/title", "For Those About To Rest"},
		{"an album that is not there", jane, `mutation {retitleAlbum(id: 9999, title: "x") {title}}`, nil, "/errors/0/extensions/code", "NOT_FOUND"},
		{"the title is kept", stranger, `{album(id: 1) {title}}`, nil, "/data/album/title", "For Those About To Rest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			graphAsk(c.client.For(t), c.query, c.variables).JSONAt(c.pointer, c.want)
		})
	}
	ann.Get("/graphql?query=mutation%7BplaceOrder(items:%5B%5D)%7Bid%7D%7D", ishaatest.Header("Accept", "application/json")).Status(405)
	ann.Post("/graphql", ishaatest.JSON(map[string]any{"query": graphOrderOne, "variables": items(1, 1)}), ishaatest.Header("Sec-Fetch-Site", "cross-site")).Status(403)
}

// A member orders so many times a minute and no more, whatever way the operations come.
func TestGraphOrdersAreLimited(t *testing.T) {
	app, clock := ishaa.New("tour", ishaa.Config{Debug: true}), ishaatest.NewClock(morning)
	app.SetClock(clock)
	furnish(app, shopDB(t), nil)
	client := ishaatest.New(t, app, ishaatest.Header("Accept", "text/html"))
	join(t, client, "Ann", "ann@example.com")
	cookie, ok := client.Cookie("session")
	if !ok {
		t.Fatal("no session")
	}
	socket := websockettest.Dial(t, client, "/graphql", websockettest.Protocols("graphql-transport-ws"), websockettest.Header("Cookie", "session="+cookie))
	socket.Send(`{"type":"connection_init"}`)
	socket.Expect(`{"type":"connection_ack"}`)
	order := func(id int) (answer struct {
		Type    string
		Payload struct {
			Data   *struct{ PlaceOrder *struct{ TotalCents int } }
			Errors []graphql.Error
		}
	}) {
		socket.Send(fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":"mutation {placeOrder(items: [{track: 1}]) {totalCents}}"}}`, id))
		socket.JSON(&answer)
		socket.Expect(fmt.Sprintf(`{"id":"%d","type":"complete"}`, id))
		return answer
	}
	for i := range ordersAMinute {
		if a := order(i); a.Type != "next" || len(a.Payload.Errors) > 0 || a.Payload.Data.PlaceOrder.TotalCents != 99 {
			t.Fatalf("order %d: %+v", i, a)
		}
	}
	if a := order(100); len(a.Payload.Errors) != 1 || a.Payload.Errors[0].Code() != graphql.CodeTooManyRequests {
		t.Errorf("one too many: %+v", a)
	}
	graphAsk(client, `mutation {placeOrder(items: [{track: 1}]) {id}}`, nil).JSONAt("/errors/0/extensions/code", "TOO_MANY_REQUESTS")
	clock.Advance(time.Minute)
	if a := order(101); len(a.Payload.Errors) > 0 {
		t.Errorf("a minute later: %+v", a)
	}
}

func TestGraphSubscription(t *testing.T) {
	app := testApp(t)
	app.SetClock(ishaatest.NewClock(morning)) // which stands still: a slow machine has the time to introduce itself
	client := ishaatest.New(t, app)
	socket := websockettest.Dial(t, client, "/graphql", websockettest.Protocols("graphql-transport-ws"))
	socket.Send(`{"type":"connection_init"}`)
	socket.Expect(`{"type":"connection_ack"}`)
	socket.Send(`{"id":"1","type":"subscribe","payload":{"query":"subscription {nowPlaying(after: 597, count: 1) {id name album {artist {name}}}}"}}`)
	socket.Expect(`{"id":"1","type":"next","payload":{"data":{"nowPlaying":{"id":"598","name":"Jeru","album":{"artist":{"name":"Miles Davis"}}}}}}`)
	socket.Expect(`{"id":"1","type":"complete"}`)

	stream := client.Stream("/graphql/stream?query=subscription%7BnowPlaying(after:3503,count:1)%7Bid%7D%7D").Status(200)
	if event := stream.Event(); event.Name != "next" || event.Data != `{"data":{"nowPlaying":{"id":"1"}}}` { // after the last comes the first
		t.Errorf("%+v", event)
	}
	if event := stream.Event(); event.Name != "complete" {
		t.Errorf("%+v", event)
	}
}
