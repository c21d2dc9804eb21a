package ishaa

// Security says how a route finds out who asks, in the terms of OpenAPI's security
// schemes. It describes: what enforces it is middleware, such as the guards of
// package auth, which annotate the routes that they guard.
type Security struct {
	Name        string // of the scheme in documents, such as "bearer"
	Type        string // "http", "apiKey", "oauth2" or "openIdConnect"
	Description string
	Scheme      string   // of type http: "bearer", "basic"
	Format      string   // of a bearer token: "JWT"
	In          string   // of type apiKey: "header", "query" or "cookie"
	Parameter   string   // of type apiKey: the header, parameter or cookie
	URL         string   // of openIdConnect its discovery document, of oauth2 the authorization endpoint
	TokenURL    string   // of oauth2: the token endpoint
	Scopes      []string // what the route asks for: scopes, or roles of which one is needed
}

// SecurityScheme holds the ways to sign in for a route, of which a client needs
// one. A route without it is open to all.
var SecurityScheme = NewAnnotation[[]Security]("security scheme")

// OptionFunc makes a function a RouteOption. It is called once, when the route is
// registered, after the options before it; it may look at the route's annotations
// and own middleware and annotate it. Its error
// stops the program with the line of the registration. The pattern and the name of
// the route are not known yet.
func OptionFunc(apply func(route *Route) error) RouteOption { return optionFunc(apply) }
