package openapi

import (
	"fmt"
	"net/http"
	"reflect"

	"github.com/ishaa-framework/ishaa"
)

// notes are what options say about a route beyond its types.
type notes struct {
	summary, description, id string
	tags                     []string
	deprecated, hidden       bool
	problems                 []int
	answers                  []answerNote
}

type answerNote struct {
	status      int
	description string
	content     reflect.Type // nil where there is no body
	mediaTypes  []string
}

var annotation = ishaa.NewAnnotation[notes]("openapi")

func option(change func(*notes) error) ishaa.RouteOption {
	return ishaa.OptionFunc(func(route *ishaa.Route) error {
		given, _ := annotation.Of(route)
		if err := change(&given); err != nil {
			return err
		}
		return route.Annotate(annotation, given)
	})
}

// Summary says in one line what the route does. Without it the name of the handler's
// function is taken, or else method and pattern.
func Summary(text string) ishaa.RouteOption {
	return option(func(n *notes) error { n.summary = text; return nil })
}

// Description says at length what the route does, in CommonMark.
func Description(text string) ishaa.RouteOption {
	return option(func(n *notes) error { n.description = text; return nil })
}

// OperationID names the operation for generated clients, in place of the route's name
// or what is made of method and pattern. A route of several methods gets the method
// behind it.
func OperationID(id string) ishaa.RouteOption {
	return option(func(n *notes) error {
		if !urlSafe(id) {
			return fmt.Errorf("openapi.OperationID(%q): use ASCII letters, digits, \"-\", \"_\" and \".\"", id)
		}
		n.id = id
		return nil
	})
}

// Tags puts the route under tags, in place of its blueprint's name.
func Tags(names ...string) ishaa.RouteOption {
	return option(func(n *notes) error { n.tags = names; return nil })
}

// Deprecated marks the route as one that clients should leave.
func Deprecated() ishaa.RouteOption {
	return option(func(n *notes) error { n.deprecated = true; return nil })
}

// Hidden leaves the route out of documents.
func Hidden() ishaa.RouteOption {
	return option(func(n *notes) error { n.hidden = true; return nil })
}

// Problems names statuses that the handler answers by a problem, beside those that
// the framework answers with: Problems(404, 409).
func Problems(statuses ...int) ishaa.RouteOption {
	return option(func(n *notes) error {
		for _, status := range statuses {
			if status < 400 || status > 599 {
				return fmt.Errorf("openapi.Problems(%d): a problem's status is from 400 to 599", status)
			}
		}
		n.problems = append(n.problems[:len(n.problems):len(n.problems)], statuses...)
		return nil
	})
}

// Answer documents an answer that the route's type does not tell, or one in its
// place: of an untyped route, of a second status, of a Response that the handler puts
// together. T is what is encoded, as the output of a typed handler is; struct{} means
// that there is no body. Media types stand in place of the one that T has of itself.
//
//	app.Get("/report", report, openapi.Answer[string](200, "the report", "text/csv"))
//	ishaa.Get(app, "/next", next, openapi.Answer[struct{}](204, "there is nothing to do"))
func Answer[T any](status int, description string, mediaTypes ...string) ishaa.RouteOption {
	return option(func(n *notes) error {
		if status < 200 || status > 599 {
			return fmt.Errorf("openapi.Answer(%d): the status of an answer is from 200 to 599", status)
		}
		if description == "" {
			description = http.StatusText(status)
		}
		n.answers = append(n.answers[:len(n.answers):len(n.answers)], answerNote{status, description, reflect.TypeFor[T](), mediaTypes})
		return nil
	})
}

func urlSafe(id string) bool {
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return id != ""
}
