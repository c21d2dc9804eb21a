package openapi

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/ishaa-framework/ishaa"
)

// securitySchemes gathers the ways to sign in that the routes name.
type securitySchemes struct {
	list []namedScheme
}

type namedScheme struct {
	name   string
	scheme ishaa.Security // without the scopes of one route
	scopes []string       // of all routes
}

// of lists what a route demands, any one of which will do; nil for an open route.
func (s *securitySchemes) of(route *ishaa.Route) []object {
	schemes, _ := ishaa.SecurityScheme.Of(route)
	var requirements []object
	for _, scheme := range schemes {
		name := s.add(scheme)
		if scheme.Type == "oauth2" || scheme.Type == "openIdConnect" || len(scheme.Scopes) == 0 {
			requirements = append(requirements, object{{Name: name, Value: append([]string{}, scheme.Scopes...)}})
			continue
		}
		for _, role := range scheme.Scopes { // of which one is needed
			requirements = append(requirements, object{{Name: name, Value: []string{role}}})
		}
	}
	return requirements
}

// add returns the name under which a scheme stands in the document.
func (s *securitySchemes) add(scheme ishaa.Security) string {
	scopes := scheme.Scopes
	scheme.Scopes = nil
	base := scheme.Name
	if !urlSafe(base) {
		base = "scheme"
	}
	name := base
	for n := 2; ; n++ {
		at := slices.IndexFunc(s.list, func(known namedScheme) bool { return known.name == name })
		if at < 0 {
			s.list = append(s.list, namedScheme{name: name, scheme: scheme})
			at = len(s.list) - 1
		}
		if known := &s.list[at]; reflect.DeepEqual(known.scheme, scheme) {
			for _, scope := range scopes {
				if !slices.Contains(known.scopes, scope) {
					known.scopes = append(known.scopes, scope)
				}
			}
			return name
		}
		name = base + strconv.Itoa(n)
	}
}

func (s *securitySchemes) document() object {
	var doc object
	for _, known := range s.list {
		scheme := known.scheme
		entry := object{{Name: "type", Value: scheme.Type}}
		add(&entry, "description", scheme.Description)
		switch scheme.Type {
		case "http":
			entry.Set("scheme", scheme.Scheme)
			add(&entry, "bearerFormat", scheme.Format)
		case "apiKey":
			entry.Set("in", scheme.In)
			entry.Set("name", scheme.Parameter)
		case "openIdConnect":
			entry.Set("openIdConnectUrl", scheme.URL)
		case "oauth2":
			entry.Set("flows", flows(scheme, known.scopes))
		}
		doc.Set(known.name, entry)
	}
	return doc
}

// flows tells the OAuth 2 flow by the endpoints that there are.
func flows(scheme ishaa.Security, scopes []string) object {
	name := "authorizationCode"
	flow := object{}
	add(&flow, "authorizationUrl", scheme.URL)
	add(&flow, "tokenUrl", scheme.TokenURL)
	switch {
	case scheme.URL == "":
		name = "clientCredentials"
	case scheme.TokenURL == "":
		name = "implicit"
	}
	list := object{}
	for _, scope := range slices.Sorted(slices.Values(scopes)) {
		list.Set(scope, scope)
	}
	flow.Set("scopes", list)
	return object{{Name: name, Value: flow}}
}
