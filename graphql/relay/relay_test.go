package relay_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/graphql/relay"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Album has a column with equal values and one with empty ones.
type Album struct {
	ID    int64
	Title string `db:"size:100"`
	Year  *int
	Genre string `db:"size:20"`
}

// Artist is another list with the same columns to sort by.
type Artist struct {
	ID    int64
	Title string `db:"size:100"`
}

type listArgs struct {
	relay.Args
	Sort  string `default:"id"`
	Genre string `default:""`
}

var secret = []byte("thirty-two bytes that nobody knows")

// shop is a schema over 11 albums and 3 artists.
func shop(t *testing.T, db *orm.DB, o relay.Options) *graphql.Schema {
	t.Helper()
	ctx := t.Context()
	orm.Register[Album](db)
	orm.Register[Artist](db)
	if err := db.CreateTables(ctx); err != nil {
		t.Fatal(err)
	}
	albums, artists := orm.Of[Album](db), orm.Of[Artist](db)
	for i, title := range strings.Fields("a b c a b c a b c d e") {
		a := Album{Title: title, Genre: []string{"Jazz", "Rock"}[i%2]}
		if i%3 > 0 {
			year := 2000 + i%2
			a.Year = &year
		}
		if _, err := albums.Create(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for _, title := range []string{"x", "y", "z"} {
		if _, err := artists.Create(ctx, Artist{Title: title}); err != nil {
			t.Fatal(err)
		}
	}
	s := graphql.New()
	relay.Register[Album](s, "Album")
	relay.Register[Artist](s, "Artist")
	graphql.Query(s, "albums", func(ctx context.Context, in listArgs) (*relay.Connection[Album], error) {
		q := albums.OrderBy(strings.Split(in.Sort, ",")...)
		if in.Genre != "" {
			q = q.Filter("genre", in.Genre)
		}
		return relay.Of(ctx, q, in.Args, o)
	}, relay.Cost(o))
	graphql.Query(s, "artists", func(ctx context.Context, in listArgs) (*relay.Connection[Artist], error) {
		return relay.Of(ctx, artists.OrderBy(in.Sort), in.Args, o)
	})
	return s
}

// part is a connection as a client sees it.
type part struct {
	TotalCount int
	Edges      []struct {
		Node   struct{ ID int64 }
		Cursor string
	}
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
}

func (p part) ids() (ids []int64) {
	for _, e := range p.Edges {
		ids = append(ids, e.Node.ID)
	}
	return ids
}

const fields = `{totalCount edges {node {id} cursor} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}}`

// ask runs a query for albums.
func ask(t *testing.T, s *graphql.Schema, arguments string) part {
	t.Helper()
	r := s.Execute(t.Context(), graphql.Operation{Query: `{albums(` + arguments + `) ` + fields + `}`})
	if len(r.Errors) > 0 {
		t.Fatalf("%s: %v", arguments, r.Errors[0])
	}
	var data struct{ Albums part }
	if err := json.Unmarshal(r.Data, &data); err != nil {
		t.Fatal(err)
	}
	return data.Albums
}

// Every part of every order is what the specification says of the whole list: cut off by the cursors, then by first or
// last.
func TestParts(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		s := shop(t, db, relay.Options{Secret: secret})
		for _, sort := range []string{"id", "-id", "title", "-title,id", "year", "-year", "genre,-year,title"} {
			whole := ask(t, s, fmt.Sprintf(`sort: %q, first: 20`, sort))
			if len(whole.Edges) != 11 || whole.TotalCount != 11 || whole.PageInfo.HasNextPage || whole.PageInfo.HasPreviousPage {
				t.Fatalf("%s: %+v", sort, whole)
			}
			for after := -1; after < 11; after += 3 {
				for before := 11; before > after; before -= 4 {
					for size := range 5 {
						for _, which := range []string{"first", "last"} {
							arguments := fmt.Sprintf(`sort: %q, %s: %d`, sort, which, size)
							if after >= 0 {
								arguments += fmt.Sprintf(`, after: %q`, whole.Edges[after].Cursor)
							}
							if before < 11 {
								arguments += fmt.Sprintf(`, before: %q`, whole.Edges[before].Cursor)
							}
							from, to := after+1, before
							cut := to-from > size
							if cut && which == "first" {
								to = from + size
							} else if cut {
								from = to - size
							}
							got, want := ask(t, s, arguments), whole.Edges[from:to]
							if len(got.Edges) != len(want) || len(want) > 0 && !reflect.DeepEqual(got.Edges, want) {
								t.Errorf("%s: %v, want %v", arguments, got.Edges, want)
							}
							next, previous := before < 11 || cut && which == "first", after >= 0 || cut && which == "last"
							if got.TotalCount != 11 || got.PageInfo.HasNextPage != next || got.PageInfo.HasPreviousPage != previous {
								t.Errorf("%s: %+v, want next %v, previous %v", arguments, got.PageInfo, next, previous)
							}
							if len(want) > 0 && (*got.PageInfo.StartCursor != want[0].Cursor || *got.PageInfo.EndCursor != want[len(want)-1].Cursor) ||
								len(want) == 0 && (got.PageInfo.StartCursor != nil || got.PageInfo.EndCursor != nil) {
								t.Errorf("%s: %+v", arguments, got.PageInfo)
							}
						}
					}
				}
			}
		}
	})
}

// Without first and last a client gets the usual number, from the cursor it has given.
func TestDefaults(t *testing.T) {
	s := shop(t, ormtest.New(t, ormtest.SQLite), relay.Options{Size: 3, Most: 4})
	whole := ask(t, s, `first: 4`)
	five := ask(t, s, fmt.Sprintf(`first: 4, after: %q`, whole.Edges[3].Cursor)).Edges[0].Cursor
	for arguments, want := range map[string][]int64{
		`sort: "id"`:                    {1, 2, 3},
		fmt.Sprintf(`after: %q`, five):  {6, 7, 8},
		fmt.Sprintf(`before: %q`, five): {2, 3, 4},
		fmt.Sprintf(`after: %q, before: %q`, whole.Edges[0].Cursor, five): {2, 3, 4},
		`first: null, last: null`: {1, 2, 3},
		`last: 2`:                 {10, 11},
		`genre: "Rock"`:           {2, 4, 6},
		fmt.Sprintf(`genre: "Rock", after: %q`, five): {6, 8, 10}, // a filter is not part of a place
	} {
		if got := ask(t, s, arguments).ids(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", arguments, got, want)
		}
	}
	if got := ask(t, s, `genre: "Rock", first: 1`).TotalCount; got != 5 {
		t.Errorf("%d rows of Rock, want 5", got)
	}
}

// What a client got wrong is said to it, and nothing else.
func TestRefusals(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		s := shop(t, db, relay.Options{Secret: secret})
		plain := orm.Of[Album](db)
		cursor := ask(t, s, `first: 1`).Edges[0].Cursor
		flipped := []byte(cursor)
		flipped[len(flipped)/2] ^= 1
		artists := s.Execute(t.Context(), graphql.Operation{Query: `{artists {edges {cursor}}}`})
		var other struct{ Artists part }
		if err := json.Unmarshal(artists.Data, &other); err != nil {
			t.Fatal(err)
		}
		open, err := relay.Of(t.Context(), plain.OrderBy("id"), relay.Args{}, relay.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rekeyed, err := relay.Of(t.Context(), plain.OrderBy("id"), relay.Args{}, relay.Options{Secret: append([]byte("another "), secret...)})
		if err != nil {
			t.Fatal(err)
		}
		const foreign = ": the cursor does not belong to this list; start from its beginning or its end."
		for name, c := range map[string]struct{ arguments, message string }{
			"both ends":          {`first: 1, last: 1`, "first and last: give one of them."},
			"negative":           {`first: -1`, "first is a number from 0 to 100."},
			"too many":           {`last: 101`, "last is a number from 0 to 100."},
			"another order":      {fmt.Sprintf(`sort: "-id", after: %q`, cursor), "after" + foreign},
			"another order too":  {fmt.Sprintf(`sort: "title", before: %q`, cursor), "before" + foreign},
			"of which one":       {fmt.Sprintf(`sort: "title", before: %q, after: %[1]q`, cursor), "after or before" + foreign},
			"another list":       {fmt.Sprintf(`after: %q`, other.Artists.Edges[0].Cursor), "after" + foreign},
			"changed":            {fmt.Sprintf(`after: %q`, flipped), "after" + foreign},
			"cut off":            {fmt.Sprintf(`after: %q`, cursor[:len(cursor)-4]), "after" + foreign},
			"longer":             {fmt.Sprintf(`after: %q`, cursor+"AAAA"), "after" + foreign},
			"not encrypted":      {fmt.Sprintf(`after: %q`, open.Edges[0].Cursor), "after" + foreign},
			"of another secret":  {fmt.Sprintf(`after: %q`, rekeyed.Edges[0].Cursor), "after" + foreign},
			"none":               {`after: ""`, "after" + foreign},
			"no base64":          {`after: "%%"`, "after" + foreign},
			"a book":             {fmt.Sprintf(`before: %q`, strings.Repeat("A", 20_000)), "before" + foreign},
			"the database's own": {fmt.Sprintf(`after: %q`, base64.RawURLEncoding.EncodeToString([]byte(`["id ",3]`))), "after" + foreign},
		} {
			r := s.Execute(t.Context(), graphql.Operation{Query: `{albums(` + c.arguments + `) {totalCount}}`})
			if len(r.Errors) != 1 || r.Errors[0].Message != c.message || r.Errors[0].Code() != graphql.CodeBadUserInput {
				t.Errorf("%s: %v, want %q", name, r.Errors, c.message)
			}
		}
	})
}

// Cursors that are not encrypted are held to their list all the same, and what a client makes up asks for no other rows.
func TestForgedWithoutASecret(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		s := shop(t, db, relay.Options{})
		for _, values := range []string{`["id ",{}]`, `["id ","x"]`, `["id "]`, `["id ",1,2]`, `["title id ",1]`, `[]`, `{`, `["id ",1e99]`, `["id ","1; DROP TABLE albums"]`} {
			inner := base64.RawURLEncoding.EncodeToString([]byte(values))
			for _, list := range []string{"relay_test.Album", "relay_test.Artist"} {
				forged := base64.RawURLEncoding.EncodeToString([]byte(list + "\x00" + inner))
				r := s.Execute(t.Context(), graphql.Operation{Query: fmt.Sprintf(`{albums(after: %q) {nodes {id}}}`, forged)})
				if len(r.Errors) != 1 || r.Errors[0].Code() != graphql.CodeBadUserInput {
					t.Errorf("%s of %s: %s %v", values, list, r.Data, r.Errors)
				}
			}
		}
	})
}

// The same row has the same cursor, whose values nobody can read.
func TestCursorsAreStableAndOpaque(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	one, two := shop(t, db, relay.Options{Secret: secret}), graphql.New()
	albums := orm.Of[Album](db)
	relay.Register[Album](two, "Album")
	graphql.Query(two, "albums", func(ctx context.Context, in listArgs) (*relay.Connection[Album], error) {
		return relay.Of(ctx, albums.OrderBy(in.Sort), in.Args, relay.Options{Secret: append([]byte(nil), secret...)})
	})
	first, second := ask(t, one, `sort: "title"`), ask(t, two, `sort: "title"`)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("%v\n%v", first, second)
	}
	seen := map[string]bool{}
	for _, e := range first.Edges {
		sealed, err := base64.RawURLEncoding.DecodeString(e.Cursor)
		if err != nil || seen[e.Cursor] || strings.Contains(string(sealed), "title") {
			t.Errorf("%q: %v", e.Cursor, err)
		}
		seen[e.Cursor] = true
	}
}

// Rows that come and go elsewhere shift nothing, and the row of a cursor may go itself.
func TestRowsComeAndGo(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	s := shop(t, db, relay.Options{Secret: secret})
	albums := orm.Of[Album](db)
	cursor := *ask(t, s, `first: 3`).PageInfo.EndCursor
	if _, err := albums.Filter("id__in", []int64{1, 3, 5}).Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s, fmt.Sprintf(`first: 2, after: %q`, cursor)).ids(); !reflect.DeepEqual(got, []int64{4, 6}) {
		t.Error(got)
	}
}

// The application's secret is taken where there is a request, and the count only where it is asked for.
func TestInARequest(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	s := shop(t, db, relay.Options{})
	plain := ask(t, s, `first: 1`).Edges[0].Cursor
	app := ishaa.New("shop", ishaa.Config{Secret: string(secret)})
	graphql.Mount(app, "/graphql", s, graphql.Options{})
	client := ishaatest.New(t, app)
	query := func(text string) (answer struct {
		Data   struct{ Albums part }
		Errors []*graphql.Error
	}) {
		client.Post("/graphql", ishaatest.JSON(map[string]string{"query": text})).Status(200).JSON(&answer)
		return answer
	}
	cursor := query(`{albums(first: 1) {edges {cursor}}}`).Data.Albums.Edges[0].Cursor
	if cursor == plain || cursor == "" {
		t.Error("the application's secret is not used")
	}
	if got := query(fmt.Sprintf(`{albums(first: 1, after: %q) `, cursor) + fields + `}`); !reflect.DeepEqual(got.Data.Albums.ids(), []int64{2}) {
		t.Errorf("%+v", got)
	}
	if got := query(fmt.Sprintf(`{albums(after: %q) {totalCount}}`, plain)); len(got.Errors) != 1 {
		t.Errorf("a cursor that is not encrypted: %+v", got)
	}
}

// counter is a log that counts what is said to it: every statement, where all are slow.
type counter struct{ n atomic.Int64 }

func (c *counter) Enabled(context.Context, slog.Level) bool { return true }
func (c *counter) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *counter) WithGroup(string) slog.Handler            { return c }
func (c *counter) Handle(context.Context, slog.Record) error {
	c.n.Add(1)
	return nil
}

func TestStatements(t *testing.T) {
	var statements counter
	db := ormtest.New(t, ormtest.SQLite, orm.Options{SlowQuery: time.Nanosecond, Logger: slog.New(&statements)})
	s := shop(t, db, relay.Options{})
	for query, want := range map[string]int64{
		`{albums {nodes {id title} edges {cursor node {id}} pageInfo {hasNextPage}}}`: 1,
		`{albums(first: 2) {totalCount}}`:                                             2,
	} {
		before := statements.n.Load()
		r := s.Execute(t.Context(), graphql.Operation{Query: query})
		if got := statements.n.Load() - before; len(r.Errors) > 0 || got != want {
			t.Errorf("%s: %d statements, want %d: %v", query, got, want, r.Errors)
		}
	}
}

func TestMap(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	shop(t, db, relay.Options{})
	rows, err := relay.Of(t.Context(), orm.Of[Album](db).OrderBy("-id"), relay.Args{}, relay.Options{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	type shown struct{ Label string }
	c := relay.Map(rows, func(a *Album) shown { return shown{fmt.Sprint(a.ID, " ", a.Title)} })
	total, err := c.Total(t.Context())
	if c.Edges[0] != (relay.Edge[shown]{Node: shown{"11 e"}, Cursor: rows.Edges[0].Cursor}) || total != 11 || err != nil || c.PageInfo != rows.PageInfo {
		t.Errorf("%+v %d %v", c, total, err)
	}
	if n, err := (&relay.Connection[shown]{Edges: c.Edges}).Total(t.Context()); n != 2 || err != nil {
		t.Errorf("a connection made by hand: %d %v", n, err)
	}
}

// Mistakes of the program are errors of its own, of which clients hear nothing.
func TestMistakes(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	s := shop(t, db, relay.Options{Secret: []byte("short")})
	albums := orm.Of[Album](db)
	for name, c := range map[string]struct {
		q     orm.Query[Album]
		o     relay.Options
		wants string
	}{
		"a short secret": {albums.Query(), relay.Options{Secret: []byte("short")}, "Options.Secret has 5 bytes"},
		"sizes":          {albums.Query(), relay.Options{Size: 20, Most: 10}, "Size 20 and Most 10"},
		"too many":       {albums.Query(), relay.Options{Most: 1001}, "at most 1000"},
		"a limit":        {albums.Query().Limit(3), relay.Options{}, "Span does not go with Limit"},
		"no order":       {albums.OrderBy("?"), relay.Options{}, "pages follow fields"},
	} {
		_, err := relay.Of(t.Context(), c.q, relay.Args{}, c.o)
		var shown *graphql.Error
		if err == nil || errors.As(err, &shown) || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s: %v, want %q", name, err, c.wants)
		}
	}
	if r := s.Execute(t.Context(), graphql.Operation{Query: `{albums {totalCount}}`}); len(r.Errors) != 1 || r.Errors[0].Message != "internal error" {
		t.Errorf("%v", r.Errors)
	}
}

func TestSDL(t *testing.T) {
	sdl, err := shop(t, ormtest.New(t, ormtest.SQLite), relay.Options{}).SDL()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"type AlbumConnection {\n  edges: [AlbumEdge!]!\n  pageInfo: PageInfo!\n", "nodes: [Album!]!", "totalCount: Int!",
		"type AlbumEdge {\n  node: Album!\n  cursor: String!\n}", "type ArtistConnection", "hasNextPage: Boolean!", "startCursor: String\n",
		`"at most so many from the beginning, or after a cursor" first: Int,`,
	} {
		if !strings.Contains(sdl, want) {
			t.Errorf("the schema lacks %q:\n%s", want, sdl)
		}
	}
}
