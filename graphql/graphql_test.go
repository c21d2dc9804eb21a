package graphql_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

type none = struct{}

type Genre string

type Author struct {
	ID   graphql.ID
	Name string
	Born *int
}

type Book struct {
	ID     graphql.ID
	Title  string
	Pages  *int
	Genre  Genre `doc:"The shelf"`
	Tags   []string
	Added  time.Time
	Serial int64
	Old    string `deprecated:"use title"`
	Hidden string `json:"-"`

	author int
}

type Work interface{ work() }

func (*Book) work()   {}
func (*Author) work() {}

type Named interface{ named() }

func (*Author) named() {}

type Price struct {
	Cents    int    `minimum:"0" maximum:"100000"`
	Currency string `default:"EUR" pattern:"^[A-Z]{3}$"`
}

type Lookup struct {
	ID    *graphql.ID
	Title *string
}

var authors = []*Author{{ID: "a0", Name: "Ann", Born: new(1970)}, {ID: "a1", Name: "Ben"}}

func books() []*Book {
	list := make([]*Book, 4)
	for i := range list {
		list[i] = &Book{
			ID: graphql.ID(fmt.Sprint("b", i)), Title: fmt.Sprint("Book ", i), Genre: "crime", Tags: []string{"x"},
			Added: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Serial: 1 << 40, author: i % 2,
		}
	}
	list[1].Pages = new(99)
	return list
}

// library is a schema with one of everything. Calls counts those of the batch resolver.
func library() (s *graphql.Schema, calls *atomic.Int64) {
	s, calls = graphql.New(), new(atomic.Int64)
	graphql.EnumOf(s, graphql.EnumValue[Genre]{Value: "crime", Name: "CRIME"}, graphql.EnumValue[Genre]{Value: "sci-fi", Name: "SCI_FI", Doc: "Future", Deprecated: "too wide"})
	graphql.Union[Work](s, &Book{}, &Author{})
	graphql.Interface[Named](s, []string{"name"}, &Author{})
	graphql.OneOf[Lookup](s)
	graphql.Query(s, "books", func(_ context.Context, in struct {
		First int     `default:"10" minimum:"1" maximum:"50"`
		Genre []Genre `default:"[\"CRIME\"]"`
	}) ([]*Book, error) {
		return books()[:min(in.First, 4)], nil
	}, graphql.Type("[Book!]!"), graphql.Doc("All of them"))
	graphql.Query(s, "book", func(_ context.Context, in struct{ By Lookup }) (*Book, error) {
		for _, b := range books() {
			if in.By.ID != nil && b.ID == *in.By.ID || in.By.Title != nil && b.Title == *in.By.Title {
				return b, nil
			}
		}
		return nil, ishaa.NotFound("no such book")
	})
	graphql.Query(s, "works", func(context.Context, none) ([]Work, error) {
		return []Work{books()[0], authors[0], nil, books()[1]}, nil
	})
	graphql.Query(s, "named", func(context.Context, none) (Named, error) { return authors[1], nil })
	graphql.Query(s, "quote", func(_ context.Context, in struct {
		Price Price
		Tags  []string `maxItems:"2" maxLength:"3"`
		Note  graphql.Optional[string]
	}) (string, error) {
		return fmt.Sprint(in.Price, in.Tags, in.Note), nil
	})
	graphql.Query(s, "any", func(_ context.Context, in struct {
		V any
		T *time.Time
		D time.Duration `default:"1m"`
		N int64         `default:"7"`
		B []byte        `default:"aGk="`
	}) (map[string]any, error) {
		return map[string]any{"v": in.V, "t": in.T, "d": in.D.String(), "n": in.N, "b": string(in.B)}, nil
	})
	graphql.Query(s, "panics", func(context.Context, none) (*string, error) { panic("secret text") })
	graphql.Query(s, "fails", func(context.Context, none) (*string, error) { return nil, errors.New("secret text") })
	graphql.Query(s, "says", func(context.Context, none) (*string, error) { return nil, graphql.Errorf("NOPE", "not today") })
	graphql.Query(s, "locked", func(context.Context, none) (*string, error) { return new("in"), nil },
		graphql.Authorize(func(ctx context.Context) error {
			if ctx.Value(userKey{}) == nil {
				return graphql.Forbidden("who are you?")
			}
			return nil
		}))
	graphql.Query(s, "many", func(_ context.Context, in struct{ First int }) ([]*Author, error) {
		return authors[:min(in.First, 2)], nil
	}, graphql.Cost(1, "first"))
	graphql.Batch(s, "author", func(_ context.Context, list []*Book, _ none) ([]*Author, error) {
		calls.Add(1)
		out, errs := make([]*Author, len(list)), make(graphql.BatchError, len(list))
		for i, b := range list {
			out[i] = authors[b.author]
			if b.ID == "b3" {
				errs[i] = graphql.Errorf("GONE", "the author of %s is gone", b.ID)
			}
		}
		return out, errs
	})
	graphql.Field(s, "books", func(_ context.Context, a *Author, _ none) ([]*Book, error) {
		return slices.DeleteFunc(books(), func(b *Book) bool { return authors[b.author] != a }), nil
	}, graphql.Type("[Book!]!"))
	graphql.Field(s, "slow", func(_ context.Context, a *Author, _ none) (string, error) { return "slow " + a.Name, nil }, graphql.Concurrent())
	graphql.Mutation(s, "add", func(ctx context.Context, in struct {
		N int `default:"1"`
	}) (int, error) {
		*graphql.Local[int](ctx) += in.N
		return *graphql.Local[int](ctx), nil
	})
	graphql.Subscription(s, "ticks", func(ctx context.Context, in struct{ To int }) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := 1; i <= in.To; i++ {
				var err error
				if i == 2 {
					err = graphql.Errorf("SKIPPED", "not two")
				}
				if !yield(i, err) {
					return
				}
			}
			if in.To == 0 {
				<-ctx.Done()
			}
		}
	})
	return s, calls
}

type userKey struct{}

func TestExecute(t *testing.T) {
	s, _ := library()
	for _, c := range []struct {
		name, query string
		vars        map[string]any
		want        string
	}{
		{"fields", `{books(first: 1) {id title pages genre tags added serial}}`, nil,
			`{"data":{"books":[{"id":"b0","title":"Book 0","pages":null,"genre":"CRIME","tags":["x"],"added":"2026-01-02T03:04:05Z","serial":1099511627776}]}}`},
		{"aliases, fragments, merging", `{a: books(first: 1) {...F id} a: books(first: 1) {... on Book {t: title}}} fragment F on Book {__typename}`, nil,
			`{"data":{"a":[{"__typename":"Book","id":"b0","t":"Book 0"}]}}`},
		{"skip and include by variables", `query($y: Boolean!, $n: Boolean = false) {books(first: 1) {id @include(if: $n) title @skip(if: $y) genre @include(if: $y)}}`,
			map[string]any{"y": true}, `{"data":{"books":[{"genre":"CRIME"}]}}`},
		{"constraint", `{books(first: 51) {id}}`, nil,
			`{"data":null,"errors":[{"message":"Argument first: must be at most 50","locations":[{"line":1,"column":2}],"path":["books"],"extensions":{"code":"BAD_USER_INPUT","violations":[{"pointer":"/first","in":"argument","rule":"maximum","message":"must be at most 50","value":51}]}}]}`},
		{"constraints of an input", `query($p: Price!) {quote(price: $p, tags: ["long"])}`, map[string]any{"p": map[string]any{"cents": 5, "currency": "euro"}},
			`"/price/currency"`},
		{"constraints of elements", `{quote(price: {cents: 5}, tags: ["long"])}`, nil, `"/tags/0"`},
		{"too many elements", `{quote(price: {cents: 5}, tags: ["a", "b", "c"])}`, nil, `"maxItems"`},
		{"defaults and optional", `{a: quote(price: {cents: 5}, tags: "x") b: quote(price: {cents: 5}, tags: [], note: null)}`, nil,
			`{"data":{"a":"{5 EUR} [x] { false false}","b":"{5 EUR} [] { true true}"}}`},
		{"oneOf", `{book(by: {id: "b1"}) {title pages}}`, nil, `{"data":{"book":{"title":"Book 1","pages":99}}}`},
		{"oneOf with two", `{book(by: {id: "b1", title: "x"}) {title}}`, nil, `GRAPHQL_VALIDATION_FAILED`},
		{"oneOf with two by variable", `query($l: Lookup!) {book(by: $l) {title}}`, map[string]any{"l": map[string]any{"id": "1", "title": "x"}}, `BAD_USER_INPUT`},
		{"problem", `{book(by: {id: "x"}) {title}}`, nil,
			`{"data":{"book":null},"errors":[{"message":"no such book","locations":[{"line":1,"column":2}],"path":["book"],"extensions":{"code":"NOT_FOUND"}}]}`},
		{"union", `{works {__typename ... on Book {id author {name}} ... on Author {name}}}`, nil,
			`{"data":{"works":[{"__typename":"Book","id":"b0","author":{"name":"Ann"}},{"__typename":"Author","name":"Ann"},null,{"__typename":"Book","id":"b1","author":{"name":"Ben"}}]}}`},
		{"interface", `{named {name ... on Author {born}}}`, nil, `{"data":{"named":{"name":"Ben","born":null}}}`},
		{"scalars", `{any(v: {a: [1, 2.5, "x", true, null]}, t: "2026-01-02T03:04:05Z", d: "90s", n: 9007199254740993)}`, nil,
			`{"data":{"any":{"b":"hi","d":"1m30s","n":9007199254740993,"t":"2026-01-02T03:04:05Z","v":{"a":[1,2.5,"x",true,null]}}}}`},
		{"a scalar that does not fit", `{any(v: 1, t: "yesterday")}`, nil, `must be a time such as`},
		{"panic", `{panics}`, nil, `{"data":{"panics":null},"errors":[{"message":"internal error","locations":[{"line":1,"column":2}],"path":["panics"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`},
		{"internal error", `{fails}`, nil, `"message":"internal error"`},
		{"error", `{says}`, nil, `{"data":{"says":null},"errors":[{"message":"not today","locations":[{"line":1,"column":2}],"path":["says"],"extensions":{"code":"NOPE"}}]}`},
		{"not authorised", `{locked}`, nil, `"code":"FORBIDDEN"`},
		{"batch with one error", `{books {id author {name}}}`, nil,
			`{"data":{"books":[{"id":"b0","author":{"name":"Ann"}},{"id":"b1","author":{"name":"Ben"}},{"id":"b2","author":{"name":"Ann"}},{"id":"b3","author":null}]},"errors":[{"message":"the author of b3 is gone","locations":[{"line":1,"column":12}],"path":["books",3,"author"],"extensions":{"code":"GONE"}}]}`},
		{"concurrent", `{many(first: 2) {slow name}}`, nil, `{"data":{"many":[{"slow":"slow Ann","name":"Ann"},{"slow":"slow Ben","name":"Ben"}]}}`},
		{"mutations in order", `mutation {a: add(n: 2) b: add c: add(n: 10)}`, nil, `{"data":{"a":2,"b":3,"c":13}}`},
		{"dear", `{many(first: 5000) {name}}`, nil, `TOO_COMPLEX`},
		{"dear by variable", `query($n: Int!) {many(first: $n) {name}}`, map[string]any{"n": 5000}, `TOO_COMPLEX`},
		{"variable of the wrong type", `query($n: Int!) {many(first: $n) {name}}`, map[string]any{"n": "x"}, `"message":"Variable $n: must be an integer of 32 bits."`},
		{"missing variable", `query($n: Int!) {many(first: $n) {name}}`, nil, `required type Int! was not provided`},
		{"syntax", `{books`, nil, `GRAPHQL_PARSE_FAILED`},
		{"suggestion", `{book5}`, nil, `Did you mean`},
		{"introspection", `{__type(name: "Genre") {name kind enumValues(includeDeprecated: true) {name deprecationReason description}}}`, nil,
			`{"data":{"__type":{"name":"Genre","kind":"ENUM","enumValues":[{"name":"CRIME","deprecationReason":null,"description":null},{"name":"SCI_FI","deprecationReason":"too wide","description":"Future"}]}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the second time from the plans that are kept
				got := string(body(t, s.Execute(t.Context(), graphql.Operation{Query: c.query, Variables: c.vars})))
				if strings.HasPrefix(c.want, "{") && got != c.want || !strings.Contains(got, c.want) {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				if strings.Contains(got, "secret") {
					t.Errorf("the answer tells too much: %s", got)
				}
			}
		})
	}
}

func body(t testing.TB, r *graphql.Response) []byte {
	t.Helper()
	text, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAuthorized(t *testing.T) {
	s, _ := library()
	ctx := context.WithValue(t.Context(), userKey{}, 1)
	if got := string(body(t, s.Execute(ctx, graphql.Operation{Query: `{locked}`}))); got != `{"data":{"locked":"in"}}` {
		t.Error(got)
	}
}

// TestBatchIsOneCall: however many objects, and through however many lists, a place of the operation is one call.
func TestBatchIsOneCall(t *testing.T) {
	for query, want := range map[string]int64{
		`{books {author {name}}}`:                                                     1,
		`{many(first: 2) {books {author {name}}}}`:                                    1,
		`{books {author {books {author {name}}}}}`:                                    2,
		`{works {... on Book {author {name}} ... on Author {books {author {name}}}}}`: 2,
		`{a: books {author {name}} b: books {author {name}}}`:                         2,
		`{books {title}}`: 0,
		`{named {... on Author {books {author {name}}}}}`:                               1,
		`{books(first: 1) {author {books {author {books {author {name}}}}}}}`:           3,
		`query($x: Boolean = false) {books {author @include(if: $x) {name} id}}`:        0,
		`{book(by: {id: "b1"}) {author {name}} works {... on Book {author {born}}}}`:    2,
		`{many(first: 1) {slow books {author {slow}}}}`:                                 1,
		`{books {...F}} fragment F on Book {author {...G}} fragment G on Author {name}`: 1,
	} {
		s, calls := library()
		if r := s.Execute(t.Context(), graphql.Operation{Query: query}); r.Data == nil {
			t.Fatalf("%s: %s", query, body(t, r))
		}
		if calls.Load() != want {
			t.Errorf("%s: %d calls, want %d", query, calls.Load(), want)
		}
	}
}

// TestConcurrentFieldsWaitTogether: the calls of a level meet, which they could not one after the other.
func TestConcurrentFieldsWaitTogether(t *testing.T) {
	s := graphql.New()
	type Item struct{ N int }
	met := make(chan struct{}, 8)
	all := make(chan struct{})
	graphql.Query(s, "items", func(context.Context, none) ([]Item, error) { return []Item{{1}, {2}, {3}}, nil })
	graphql.Field(s, "meet", func(ctx context.Context, i *Item, _ none) (int, error) {
		met <- struct{}{}
		if len(met) == 3 {
			close(all)
		}
		select {
		case <-all:
			return i.N, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}, graphql.Concurrent())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // which only calls that wait for one another need
	defer cancel()
	if got := string(body(t, s.Execute(ctx, graphql.Operation{Query: `{items {meet}}`}))); got != `{"data":{"items":[{"meet":1},{"meet":2},{"meet":3}]}}` {
		t.Error(got)
	}
}

func TestSDL(t *testing.T) {
	s, _ := library()
	sdl, err := s.SDL()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"  \"All of them\"\n  books(first: Int! = 10, genre: [Genre!]! = [CRIME]): [Book!]!\n",
		"  \"The shelf\"\n  genre: Genre!\n",
		`old: String! @deprecated(reason: "use title")`,
		"input Lookup @oneOf {\n  id: ID\n  title: String\n}\n",
		"input Price {\n  cents: Int!\n  currency: String! = \"EUR\"\n}\n",
		"union Work = Book | Author\n",
		"interface Named {\n  name: String!\n}\n",
		"type Author implements Named {\n",
		"  SCI_FI @deprecated(reason: \"too wide\")\n",
		"  ticks(to: Int!): Int!\n",
		"scalar DateTime @specifiedBy(url: ",
		"  any(v: JSON, t: DateTime, d: Duration! = \"1m\", n: Int64! = 7, b: Base64! = \"aGk=\"): JSON\n",
	} {
		if !strings.Contains(sdl, part) {
			t.Errorf("the schema lacks %q", part)
		}
	}
	if strings.Contains(sdl, "idden") {
		t.Error("a field that is left out is in the schema")
	}
	if t.Failed() {
		t.Log(sdl)
	}
}

type Loose struct{ C chan int }

func TestMistakes(t *testing.T) {
	ok := func(s *graphql.Schema) {
		graphql.Query(s, "x", func(context.Context, none) (int, error) { return 0, nil })
	}
	for name, c := range map[string]struct {
		add  func(*graphql.Schema)
		want string
	}{
		"nothing": {func(*graphql.Schema) {}, "needs at least one"},
		"twice":   {func(s *graphql.Schema) { ok(s); ok(s) }, "already there"},
		"name": {func(s *graphql.Schema) {
			graphql.Query(s, "a-b", func(context.Context, none) (int, error) { return 0, nil })
		}, `"a-b" is no name`},
		"arguments": {func(s *graphql.Schema) {
			graphql.Query(s, "a", func(context.Context, int) (int, error) { return 0, nil })
		}, "a struct"},
		"type": {func(s *graphql.Schema) {
			graphql.Query(s, "a", func(context.Context, none) (Loose, error) { return Loose{}, nil })
		}, "Loose.C"},
		"interface": {func(s *graphql.Schema) {
			graphql.Query(s, "a", func(context.Context, none) (Work, error) { return nil, nil })
		}, "graphql.Union"},
		"type text": {func(s *graphql.Schema) {
			graphql.Query(s, "a", func(context.Context, none) (int, error) { return 0, nil }, graphql.Type("[Int]"))
		}, "not the shape"},
		"constraint": {func(s *graphql.Schema) {
			graphql.Query(s, "a", func(context.Context, struct {
				S string `minimum:"1"`
			}) (int, error) {
				return 0, nil
			})
		}, "minimum"},
		"default": {func(s *graphql.Schema) {
			graphql.Query(s, "a", func(context.Context, struct {
				N int `default:"x"`
			}) (int, error) {
				return 0, nil
			})
		}, "default"},
		"empty enum": {func(s *graphql.Schema) { ok(s); graphql.Enum[Genre](s) }, "has no values"},
		"upload as output": {func(s *graphql.Schema) {
			graphql.Query(s, "a", func(context.Context, none) (graphql.Upload, error) { return graphql.Upload{}, nil })
		}, "arguments only"},
	} {
		t.Run(name, func(t *testing.T) {
			s := graphql.New()
			c.add(s)
			if err := s.Build(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

type Fragile int

// TestPanicOutsideOfResolvers: what panics while the answer is written takes the operation, not the program.
func TestPanicOutsideOfResolvers(t *testing.T) {
	s := graphql.New()
	graphql.Scalar(s, graphql.ScalarType[Fragile]{Encode: func(Fragile) (any, error) { panic("secret text") }})
	graphql.Query(s, "x", func(context.Context, none) (Fragile, error) { return 1, nil })
	if got := string(body(t, s.Execute(t.Context(), graphql.Operation{Query: `{x}`}))); !strings.Contains(got, "internal error") || strings.Contains(got, "secret") {
		t.Error(got)
	}
}
