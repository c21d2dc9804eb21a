package graphql

import (
	"context"
	"strconv"
	"strings"
)

// FieldOption is a setting of one field.
type FieldOption func(*fieldOptions)

type fieldOptions struct {
	doc        string
	deprecated *string
	typ        string
	concurrent bool
	authorize  []func(context.Context) error
	cost       *cost
}

type cost struct {
	own   int
	args  []string // the first of them that was given multiplies what is below
	fixed int      // what does so without them
}

// Doc describes the field, in Markdown.
func Doc(text string) FieldOption { return func(o *fieldOptions) { o.doc = text } }

// Deprecated marks the field @deprecated, with the reason.
func Deprecated(reason string) FieldOption { return func(o *fieldOptions) { o.deprecated = &reason } }

// Type says where the field's type may be null, in place of what Go's pointers say: "[Post!]". The shape and the names
// must be those of the Go type. A nil slice is null where that is allowed.
func Type(text string) FieldOption { return func(o *fieldOptions) { o.typ = text } }

// Concurrent marks a field whose resolver waits for something else: its calls for all objects of a level run at the same
// time, at most 32 of an operation. [Batch] is better where one call can do.
func Concurrent() FieldOption { return func(o *fieldOptions) { o.concurrent = true } }

// Authorize has a function decide before the field's resolver is called, once for each call. Its error is the field's:
// return [Forbidden] or [Unauthenticated], or a problem of the framework such as ishaa.Forbidden.
func Authorize(allow func(ctx context.Context) error) FieldOption {
	return func(o *fieldOptions) { o.authorize = append(o.authorize, allow) }
}

// Cost says what the field counts against Options.MaxComplexity: own by itself, instead of 1, and what is selected below
// it as often as factor says:
//
//	Cost(1, "first")         // the value of an argument; once without it
//	Cost(1, "first,last,20") // that of the first one that is given, or else a number
//	Cost(1, "10")            // a list without such arguments, which holds some ten things
//	Cost(5, "")              // once
func Cost(own int, factor string) FieldOption {
	return func(o *fieldOptions) {
		o.cost = &cost{own: own, fixed: 1}
		for part := range strings.SplitSeq(factor, ",") {
			if n, err := strconv.Atoi(part); err == nil {
				o.cost.fixed = max(n, 0)
			} else if part != "" {
				o.cost.args = append(o.cost.args, part)
			}
		}
	}
}
