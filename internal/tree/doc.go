// Package tree finds the route of a request. It parses patterns such as /users/<int:id>, refuses patterns that
// contradict each other when they are added, and matches a method and an escaped path without allocating.
//
//	t := tree.New[string]()
//	p, err := tree.Parse("/users/<int:id>", nil)
//	if err != nil { … }                         // says what is wrong, in which column, and how to write it
//	err = t.Add("GET", p, "one user")           // a *ConflictError if another route matches the same requests
//
//	var ps tree.Params
//	v, ok := t.Match("GET", "/users/7", &ps)    // "one user", true; ps.Int(0) is 7
//
// # Precedence
//
// Segments are compared from left to right. At each one, static text goes before a parameter, and parameters go by
// what they accept: int, float, uuid, slug, then re and the converters a program registered (by Rank, higher first),
// then str, then path, then whatever is mounted there. If the rest of the request fits no pattern below the first
// choice, or none with the request's method, the next choice is tried. The order of registration never matters.
//
// # What is matched
//
// A request path is matched in its canonical form: escapes are decoded once, but for %2F and %25, so that the
// slashes a client escaped never separate segments. Paths with malformed escapes, bytes that are not UTF-8, NUL, or
// segments "." and ".." (escaped or not) match nothing, and neither do empty segments, except below a mount.
package tree
