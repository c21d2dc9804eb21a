// Package routes has the route tables that routers are compared on, written in a form that belongs to none of them.
//
//	for _, r := range routes.GitHub() {
//		mux.Handle(r.Method+" "+r.Braces(), handler) // net/http, chi
//		app.Handle(r.Method, r.Colons(), handler)    // Gin, Echo
//	}
package routes

import (
	"fmt"
	"strings"
)

// Route is a method and a pattern.
type Route struct {
	// Method is an HTTP method.
	Method string
	// Pattern is a path whose parameters are segments that start with a colon, such as /users/:user/keys.
	Pattern string
}

// Colons returns the pattern as Gin and Echo write it: /users/:user.
func (r Route) Colons() string { return r.Pattern }

// Braces returns the pattern as net/http and chi write it: /users/{user}.
func (r Route) Braces() string { return r.each("{", "}") }

// Angles returns the pattern as Ishaa writes it: /users/<user>.
func (r Route) Angles() string { return r.each("<", ">") }

// Path returns a path that the pattern matches. Each parameter has a value of ten bytes: a usual name, number or
// abbreviated hash is not much shorter or longer.
func (r Route) Path() string {
	segments := strings.Split(r.Pattern, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, ":") {
			segments[i] = fmt.Sprintf("value%05d", i)
		}
	}
	return strings.Join(segments, "/")
}

// Params returns how many parameters the pattern has.
func (r Route) Params() int { return strings.Count(r.Pattern, ":") }

func (r Route) each(open, end string) string {
	segments := strings.Split(r.Pattern, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, ":"); ok {
			segments[i] = open + name + end
		}
	}
	return strings.Join(segments, "/")
}

// parse reads one path and its methods a line.
func parse(text string) []Route {
	var table []Route
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		for _, method := range fields[1:] {
			table = append(table, Route{Method: method, Pattern: fields[0]})
		}
	}
	return table
}

// Resources returns n routes of an API of many resources under one prefix, five routes to a resource: list and
// create, read, replace and delete. It is what a router's growth is measured on: thousands of siblings in one place.
func Resources(n int) []Route {
	table := make([]Route, 0, n)
	for i := 0; len(table) < n; i++ {
		list := fmt.Sprintf("/api/v1/resource%04d", i)
		one := list + "/:id"
		for _, r := range []Route{{"GET", list}, {"POST", list}, {"GET", one}, {"PUT", one}, {"DELETE", one}} {
			if len(table) < n {
				table = append(table, r)
			}
		}
	}
	return table
}

// Spread returns n routes of a table, spread over it, each from another place in its n-th part so that no kind of
// route is left out; the whole table if it has no more than n.
func Spread(table []Route, n int) []Route {
	if len(table) <= n {
		return table
	}
	some := make([]Route, n)
	for i := range some {
		part := len(table) / n
		some[i] = table[i*part+i%part]
	}
	return some
}
