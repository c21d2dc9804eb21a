package graphql_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// serve mounts the library and returns a client.
func serve(t testing.TB, o graphql.Options) *ishaatest.Client {
	t.Helper()
	s, _ := library()
	app := ishaa.New("library")
	if o.InitTimeout == 0 {
		o.InitTimeout = 5 * time.Minute // a machine at work may need more than the default
	}
	graphql.Mount(app, "/graphql", s, o)
	return ishaatest.New(t, app)
}

type request struct {
	Query         string         `json:"query,omitempty"`
	OperationName string         `json:"operationName,omitempty"`
	Variables     map[string]any `json:"variables,omitempty"`
	Extensions    map[string]any `json:"extensions,omitempty"`
	DocumentID    string         `json:"documentId,omitempty"`
}

func repeat(n int, format string) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, format, i)
	}
	return out.String()
}

// TestAttacks: each is refused with its code, by an answer that tells nothing of the schema, and at a bounded price.
func TestAttacks(t *testing.T) {
	client := serve(t, graphql.Options{})
	chain := "fragment F0 on Book {author {name}} " + repeat(30, "fragment G%d on Book {id} ")
	for i := range 24 {
		chain += fmt.Sprintf("fragment D%d on Book {...D%d ...D%d} ", i, i+1, i+1)
	}
	for _, c := range []struct{ name, query, code string }{
		{"10,000 aliases", "{" + repeat(10_000, "a%d: named {name} ") + "}", graphql.CodeTooComplex},
		{"1,000 aliases", "{" + repeat(1_000, "a%d: named {name} ") + "}", graphql.CodeTooComplex},
		{"depth 1,000", strings.Repeat("{books {author ", 500) + "{name}" + strings.Repeat("}}", 500), graphql.CodeTooComplex},
		{"depth 100,000", strings.Repeat("{a", 100_000), graphql.CodeTooComplex},
		{"a megabyte of braces", strings.Repeat("{", 1<<20-100), graphql.CodeParseFailed},
		{"a megabyte of brackets", "{books(genre: " + strings.Repeat("[", 1<<20-100), graphql.CodeTooComplex},
		{"a megabyte of commas", "{books" + strings.Repeat(",", 1<<20-100), graphql.CodeParseFailed},
		{"a megabyte of a name", "{" + strings.Repeat("a", 1<<20-100) + "}", graphql.CodeValidationFailed},
		{"the same field 9,000 times", "{" + strings.Repeat("named ", 9_000) + "}", graphql.CodeTooComplex},
		{"the same field 900 times", "{" + strings.Repeat("says ", 900) + "}", graphql.CodeTooComplex},
		{"300 fragments", "{" + repeat(300, "...F%d ") + "}" + repeat(300, " fragment F%d on Query {says}"), graphql.CodeTooComplex},
		{"a field of many directives", "{locked " + strings.Repeat("@skip(if: false) ", 1_000) + "}", graphql.CodeTooComplex},
		{"a circle of fragments", "{books {...A}} fragment A on Book {...B} fragment B on Book {...A}", graphql.CodeValidationFailed},
		{"a fragment of itself", "{books {...A}} fragment A on Book {author {books {...A}}}", graphql.CodeValidationFailed},
		{"fragments that double", "{books {...D0}} " + strings.ReplaceAll(chain, "...D24 ...D24", "id"), graphql.CodeTooComplex},
		{"fragments without use", "{locked} " + chain, graphql.CodeTooComplex},
		{"many operations", repeat(3_000, "query Q%d {locked} "), graphql.CodeTooComplex},
		{"introspection when off", "{__schema {types {name}}}", graphql.CodeNoIntrospection},
		{"introspection in a fragment", "{...F} fragment F on Query {a: __type(name: \"Book\") {name}}", graphql.CodeNoIntrospection},
		{"deep introspection", "{__schema {types" + strings.Repeat("{fields {type", 30) + "{name}" + strings.Repeat("}}", 30) + "}}", graphql.CodeTooComplex},
		{"a name that is near", "{book5 {id}}", graphql.CodeValidationFailed},
		{"an argument that is near", "{books(firs: 1) {id}}", graphql.CodeValidationFailed},
		{"a type that is near", "{books {... on Boo {id}}}", graphql.CodeValidationFailed},
		{"an enum value that is near", "{books(genre: [CRIM]) {id}}", graphql.CodeValidationFailed},
		{"a field without selection", "{books}", graphql.CodeValidationFailed},
		{"deep variables", `query($v: JSON) {any(v: $v)}`, graphql.CodeBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := request{Query: c.query}
			if c.name == "deep variables" {
				var deep any = 1
				for range 1000 {
					deep = []any{deep}
				}
				in.Variables = map[string]any{"v": deep}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			res := client.Post("/graphql", ishaatest.JSON(in))
			runtime.ReadMemStats(&after)
			text := res.Text()
			if !strings.Contains(text, `"code":"`+c.code+`"`) || strings.Contains(text, `"data"`) {
				t.Errorf("answered by %.300s", text)
			}
			if strings.Contains(text, "Did you mean") || len(text) > 1024 {
				t.Errorf("the answer says too much: %.300s", text)
			}
			// The request itself, its text as a string and as JSON are a few of these.
			if used, most := after.TotalAlloc-before.TotalAlloc, uint64(12<<20+16*len(c.query)); used > most {
				t.Errorf("%d KiB were allocated for it, want at most %d", used>>10, most>>10)
			}
		})
	}
}

func TestBatchesAreRefused(t *testing.T) {
	client := serve(t, graphql.Options{})
	mutation := map[string]string{"query": "mutation {add}"}
	res := client.Post("/graphql", ishaatest.JSON([]any{mutation, mutation})).Status(400)
	if !strings.Contains(res.Text(), "batches are not taken") {
		t.Error(res.Text())
	}
}

func TestLimitsAreOptions(t *testing.T) {
	for _, c := range []struct {
		options graphql.Options
		query   string
		refused bool
	}{
		{graphql.Options{MaxDepth: 2}, "{books {id}}", false},
		{graphql.Options{MaxDepth: 2}, "{books {author {id}}}", true},
		{graphql.Options{MaxComplexity: 3}, "{books {id title}}", false},
		{graphql.Options{MaxComplexity: 3}, "{books {id title serial}}", true},
		{graphql.Options{MaxComplexity: 11}, "{many(first: 10) {name}}", false},
		{graphql.Options{MaxComplexity: 10}, "{many(first: 10) {name}}", true},
		{graphql.Options{MaxAliases: 1}, "{a: named {name}}", false},
		{graphql.Options{MaxAliases: 1}, "{a: named {b: name}}", true},
		{graphql.Options{MaxDirectives: -1}, "{named " + strings.Repeat("@include(if: true) ", 1) + "{name}}", false},
		{graphql.Options{MaxTokens: 5}, "{named {name born}}", true},
	} {
		text := serve(t, c.options).Post("/graphql", ishaatest.JSON(request{Query: c.query})).Text()
		if got := strings.Contains(text, graphql.CodeTooComplex); got != c.refused {
			t.Errorf("%s: %s", c.query, text)
		}
	}
}

// What is below a list counts as often as the list is long: by the argument that was given, or by what its option says.
func TestCostOfLists(t *testing.T) {
	type things struct {
		First, Last *int
	}
	s := graphql.New()
	graphql.Query(s, "part", func(context.Context, things) ([]*Author, error) { return nil, nil }, graphql.Cost(1, "first,last,20"))
	graphql.Query(s, "some", func(context.Context, none) ([]*Author, error) { return nil, nil }, graphql.Cost(2, "10"))
	graphql.Query(s, "dear", func(context.Context, none) ([]*Author, error) { return nil, nil }, graphql.Cost(50, ""))
	for _, c := range []struct {
		query     string
		variables map[string]any
		cost      int
	}{
		{query: "{part {name}}", cost: 21},
		{query: "{part(first: 3) {name born}}", cost: 7},
		{query: "{part(last: 4) {name}}", cost: 5},
		{query: "{part(first: null, last: 4) {name}}", cost: 5},
		{query: "query($n: Int) {part(last: $n) {name}}", cost: 21},
		{query: "query($n: Int) {part(last: $n) {name}}", variables: map[string]any{"n": 30}, cost: 31},
		{query: "query($n: Int = 6) {part(last: $n) {name}}", cost: 7},
		{query: "{part(first: -5) {name}}", cost: 1},
		{query: "{some {name}}", cost: 12},
		{query: "{dear {name}}", cost: 51},
	} {
		for _, limit := range []int{c.cost, c.cost - 1} {
			app := ishaa.New("costs")
			graphql.Mount(app, "/graphql", s, graphql.Options{MaxComplexity: max(limit, 1)})
			text := ishaatest.New(t, app).Post("/graphql", ishaatest.JSON(request{Query: c.query, Variables: c.variables})).Text()
			if refused := strings.Contains(text, graphql.CodeTooComplex); refused != (limit < c.cost) && c.cost > 1 {
				t.Errorf("%s with a limit of %d: %s", c.query, limit, text)
			}
		}
	}
	wrong := graphql.New()
	graphql.Query(wrong, "part", func(context.Context, things) ([]*Author, error) { return nil, nil }, graphql.Cost(1, "frist,last"))
	if err := wrong.Build(); err == nil || !strings.Contains(err.Error(), `Query.part: Cost names an argument "frist", which it does not have`) {
		t.Errorf("an argument that is not there: %v", err)
	}
}

type taken struct{ status int }

func (e taken) Error() string   { return "the name is taken" }
func (e taken) HTTPStatus() int { return e.status }

// Errors that say what they are in HTTP are told, unless they are the server's.
func TestErrorsWithAStatus(t *testing.T) {
	s := graphql.New()
	graphql.Query(s, "fails", func(_ context.Context, in struct{ Status int }) (*string, error) {
		return nil, fmt.Errorf("saving: %w", taken{in.Status})
	})
	for status, want := range map[int][2]string{
		409: {graphql.CodeConflict, "saving: the name is taken"}, 404: {graphql.CodeNotFound, "saving: the name is taken"},
		500: {graphql.CodeInternal, "internal error"}, 503: {graphql.CodeInternal, "internal error"}, 200: {graphql.CodeInternal, "internal error"},
	} {
		r := s.Execute(t.Context(), graphql.Operation{Query: fmt.Sprintf("{fails(status: %d)}", status)})
		if len(r.Errors) != 1 || r.Errors[0].Code() != want[0] || r.Errors[0].Message != want[1] {
			t.Errorf("%d: %v, want %v", status, r.Errors, want)
		}
	}
}
