// Package labels names requests for telemetry, so that what clients make up cannot make the number of time series grow:
// a route by its pattern, never by a path; a method by its name only if it is a known one.
package labels

import (
	"slices"

	"github.com/ishaa-framework/ishaa"
)

// Other stands for methods that nobody registered (OpenTelemetry's semantic conventions name it so).
const Other = "_OTHER"

// The methods of RFC 9110 and RFC 5789.
var known = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

// Method returns the request method if it is a usual one or one of the route's own, else Other.
func Method(route *ishaa.Route, method string) string {
	if slices.Contains(known, method) || slices.Contains(route.Methods(), method) {
		return method
	}
	return Other
}

// Route returns the route's pattern, with its host if it has one, or "" for requests that no route matched.
func Route(route *ishaa.Route) string {
	if route.Pattern() == "" {
		return ""
	}
	return route.Host() + route.Pattern()
}
