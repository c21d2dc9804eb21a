package ishaa

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/ishaa-framework/ishaa/internal/tree"
)

// routeMatch says which route answers a request, and why it is that one: what "routes --match" prints.
type routeMatch struct {
	Method     string            `json:"method"`
	Host       string            `json:"host,omitempty"`
	Path       string            `json:"path"`
	Status     int               `json:"status"` // 0 if a route answers
	Route      *routeListing     `json:"route,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Reason     string            `json:"reason"`
	Others     []passedOver      `json:"others,omitempty"`
}

// passedOver is a route whose pattern fits the path too.
type passedOver struct {
	routeListing
	Reason string `json:"reason"`
}

// explainMatch finds the route for a request as serving would.
func (a *App) explainMatch(method, host, target string) (*routeMatch, error) {
	u, err := url.Parse(target)
	if err != nil || !strings.HasPrefix(u.Path, "/") {
		return nil, fmt.Errorf("%q is no path: write one such as /users/7", target)
	}
	method = strings.ToUpper(cmp.Or(method, http.MethodGet))
	if methodText(method) != method || strings.ContainsAny(method, " \t/") {
		return nil, fmt.Errorf("%q is no method", method)
	}
	m := &routeMatch{Method: method, Host: cmp.Or(host, u.Host), Path: u.EscapedPath()}
	r := &Request{raw: &http.Request{Method: method, URL: &url.URL{Path: u.Path, RawPath: u.RawPath}, Host: m.Host, Header: http.Header{}}, route: a.miss}
	r.given = r.raw
	var params tree.Params
	found := a.table.find(r, method, m.Path, &params)
	if found == nil && method == http.MethodHead {
		params.Reset()
		if found = a.table.find(r, http.MethodGet, m.Path, &params); found != nil {
			m.Reason = "HEAD is answered by the GET route; "
		}
	}
	candidates := a.candidates(r, m.Path)
	if found == nil {
		a.explainMiss(r, m)
	} else {
		listing := listingOf(found)
		m.Route = &listing
		m.Parameters = map[string]string{}
		for i, p := range found.params {
			m.Parameters[p.Name] = params.Text(i)
		}
		m.Reason += whyFound(found, candidates)
	}
	for _, other := range candidates {
		if other != found {
			m.Others = append(m.Others, passedOver{listingOf(other), whyNot(found, other, method, m.Path)})
		}
	}
	return m, nil
}

// candidates are the routes whose pattern and host fit, whatever their methods.
func (a *App) candidates(r *Request, path string) []*Route {
	var list []*Route
	for _, route := range a.Routes() {
		if route.primary != nil {
			continue
		}
		if route.host != "" {
			if pattern, err := parseHost(route.host); err != nil || !pattern.matches(bareHost(r.host())) {
				continue
			}
		}
		alone := tree.New[*Route]()
		var params tree.Params
		if alone.Add("", route.pattern, route) != nil {
			continue
		}
		if _, ok := alone.Match(http.MethodGet, path, &params); ok {
			list = append(list, route)
		}
	}
	return list
}

// explainMiss says what is answered where no route does.
func (a *App) explainMiss(r *Request, m *routeMatch) {
	methods := a.table.allowed(r, m.Path)
	switch {
	case methods != nil && m.Method == http.MethodOptions:
		m.Status, m.Reason = http.StatusNoContent, "OPTIONS is answered by itself: Allow: "+strings.Join(methods, ", ")
	case methods != nil:
		m.Status, m.Reason = http.StatusMethodNotAllowed, fmt.Sprintf("the path has routes, and none of them for %s: Allow: %s", m.Method, strings.Join(methods, ", "))
	default:
		if twin, ok := trailingSlashTwin(r, m.Path); ok {
			m.Status, m.Reason = http.StatusPermanentRedirect, "the route differs by its final slash: the client is sent to "+twin
			return
		}
		m.Status, m.Reason = http.StatusNotFound, "no pattern fits the path"
		for _, route := range a.Routes() {
			if route.host != "" && m.Host == "" {
				m.Reason += "; some routes are for a host: name it with --host"
				break
			}
		}
	}
}

func whyFound(found *Route, candidates []*Route) string {
	if len(candidates) < 2 {
		return "its pattern is the only one that fits the path"
	}
	return "of the patterns that fit the path it is the most specific one that has the method"
}

// whyNot says why a route does not answer though its pattern fits.
func whyNot(found, other *Route, method, path string) string {
	if !other.answers(method) {
		return "it is for " + strings.Join(other.methods, ", ") + " only"
	}
	if found == nil {
		return "its pattern fits only if the path is read in another way"
	}
	if found.host != other.host {
		return fmt.Sprintf("its host %s is less specific than %s", quotedOr(other.host, "(any)"), quotedOr(found.host, "(any)"))
	}
	ours, theirs := strings.Split(found.Pattern(), "/"), strings.Split(other.Pattern(), "/")
	at := strings.Split(path, "/")
	for i := 0; i < min(len(ours), len(theirs)); i++ {
		if ours[i] == theirs[i] {
			continue
		}
		segment := ""
		if i < len(at) {
			segment = at[i]
		}
		if !strings.Contains(ours[i], "<") {
			return fmt.Sprintf("at %q the route above has %q written out, which goes before %s", segment, ours[i], theirs[i])
		}
		return fmt.Sprintf("at %q the route above has %s, which takes less than %s and goes first", segment, ours[i], theirs[i])
	}
	if found.methods != nil && other.methods == nil {
		return "the route above names the method, which goes before any"
	}
	return "the route above is more specific"
}

// answers reports whether a route is for a method, HEAD by its GET.
func (rt *Route) answers(method string) bool {
	if rt.methods == nil {
		return true
	}
	for _, m := range rt.methods {
		if m == method || m == http.MethodGet && method == http.MethodHead {
			return true
		}
	}
	return false
}

func quotedOr(text, none string) string {
	if text == "" {
		return none
	}
	return text
}

func (m *routeMatch) print(out io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(m)
	}
	fmt.Fprintf(out, "%s %s%s\n", m.Method, m.Host, m.Path)
	if m.Route == nil {
		fmt.Fprintf(out, "→ %d %s: %s\n", m.Status, http.StatusText(m.Status), m.Reason)
	} else {
		fmt.Fprintf(out, "→ %s  %s\n  %s\n", m.Route.text(), m.Route.Source, m.Reason)
		for _, p := range sortedPairs(m.Parameters) {
			fmt.Fprintf(out, "  %s = %q\n", p[0], p[1])
		}
	}
	if len(m.Others) == 0 {
		return nil
	}
	fmt.Fprintln(out, "passed over:")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, o := range m.Others {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", o.text(), o.Source, o.Reason)
	}
	return table.Flush()
}
