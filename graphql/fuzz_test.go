package graphql_test

import (
	"encoding/json"
	"testing"

	"github.com/ishaa-framework/ishaa/graphql"
)

// FuzzExecute: whatever the document and the variables are, the answer is JSON of the form that the specification gives it.
func FuzzExecute(f *testing.F) {
	s, _ := library()
	for _, seed := range [][2]string{
		{`{books {id author {name}}}`, `{}`},
		{`query($l: Lookup!) {book(by: $l) {title ...F @skip(if: false)}} fragment F on Book {genre}`, `{"l":{"id":"b1"}}`},
		{`query($p: Price = {cents: 1}, $t: [String!]) {quote(price: $p, tags: $t, note: null)}`, `{"t":["a",null]}`},
		{`{works {__typename ... on Book {id}} named {... on Author {born}}}`, `{"x":1e400}`},
		{`query($v: JSON) {any(v: {a: [$v, 1.5, ENUM, "x"]}, b: "!!", n: "9223372036854775808")}`, `{"v":{"a":{}}}`},
		{`mutation {a: add(n: 2147483648) b: add}`, `[]`},
		{`{__schema {types {name fields {name type {ofType {name}}}}}}`, `null`},
		{"{books(first: 1) {\"\"\"x\"\"\"", `{`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, query, variables string) {
		var vars map[string]any
		_ = json.Unmarshal([]byte(variables), &vars)
		text := body(t, s.Execute(t.Context(), graphql.Operation{Query: query, Variables: vars}))
		var answer struct {
			Data   map[string]any
			Errors []struct {
				Message    string
				Extensions map[string]any
			}
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if answer.Data == nil && len(answer.Errors) == 0 {
			t.Fatalf("neither data nor errors: %s", text)
		}
		for _, e := range answer.Errors {
			if e.Message == "" || e.Extensions["code"] == nil {
				t.Fatalf("an error without message or code: %s", text)
			}
		}
	})
}
