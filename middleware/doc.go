// Package middleware is what most applications put around their handlers.
//
//	app := ishaa.New("shop")
//	app.Use(
//		middleware.CORS(middleware.CORSOptions{Origins: []string{"https://shop.example.com"}}),
//		middleware.RateLimit(middleware.RateLimitOptions{Max: 100, Window: time.Minute}),
//		middleware.Compress(middleware.CompressOptions{}),
//		middleware.Timeout(10*time.Second),
//	)
//	app.Post("/login", login, middleware.RateLimit(middleware.RateLimitOptions{Max: 5}))
//
// Each function returns ishaa.Middleware for an application, a blueprint or a
// single route. Those named like a secure default — Recover, RequestID,
// AccessLog, SecurityHeaders, CSRF, BodyLimit — take its place when they are
// given to App.Use; of Recover the default stays beside it. What is wrong with
// their options is found when they are made: they panic with the line of the call
// and the way to put it right.
//
// Middleware runs in the order it is added, the secure defaults first. CORS goes
// before what may refuse a request, so that a page learns why it was refused.
//
// All of them leave streaming, server-sent events, hijacking, net/http handlers
// and http.ResponseController working.
package middleware
