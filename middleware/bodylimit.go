package middleware

import "github.com/ishaa-framework/ishaa"

// BodyLimit refuses bodies of more than the given number of bytes by a 413
// problem, at the latest when that much was read. A route with an ishaa.BodyLimit
// of its own keeps it. It replaces the secure default; Config.BodyLimit is the
// plainer way to set the limit of a whole application.
func BodyLimit(bytes int64) ishaa.Middleware {
	if bytes <= 0 {
		mistake("BodyLimit: %d is not a positive number of bytes", bytes)
	}
	return ishaa.Middleware{Name: ishaa.DefaultBodyLimit, Before: func(r *ishaa.Request) (any, error) {
		if r.Route().BodyLimit() == r.App().Config().BodyLimit { // else the route says otherwise
			r.SetBodyLimit(bytes)
		}
		return nil, nil
	}}
}
