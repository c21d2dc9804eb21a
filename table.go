package ishaa

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/tree"
)

// table is the route table: one tree for routes of any host and one for each
// host pattern. It is built while the application is set up and only read
// afterwards.
type table struct {
	any     *tree.Tree[*Route]
	hosts   []*hostTable // most specific first
	entries map[string]*Route
}

type hostTable struct {
	pattern hostPattern
	tree    *tree.Tree[*Route]
	first   *Route // that brought the host
}

// add puts a route under each of its methods, or joins it to the entry that it
// is a variant of.
func (t *table) add(route *Route) error {
	routes, err := t.treeFor(route)
	if err != nil {
		return err
	}
	key := route.host + "\x00" + route.pattern.String() + "\x00" + strings.Join(route.methods, ",")
	if first := t.entries[key]; first != nil && (route.variantGroup != "" || first.variantGroup != "") {
		return first.join(route)
	}
	methods := route.methods
	if methods == nil {
		methods = []string{""}
	}
	for _, method := range methods {
		if err := routes.Add(method, route.pattern, route); err != nil {
			return conflict(route, err)
		}
	}
	if t.entries == nil {
		t.entries = map[string]*Route{}
	}
	t.entries[key] = route
	return nil
}

func conflict(route *Route, err error) error {
	var clash *tree.ConflictError[*Route]
	if errors.As(err, &clash) {
		return fmt.Errorf("it conflicts with %s, registered at %s: %s", clash.Other, clash.Other.source, clash.Reason)
	}
	return err
}

// join makes a route a variant of the entry that rt is the first of.
func (rt *Route) join(route *Route) error {
	if rt.variantGroup != route.variantGroup {
		return fmt.Errorf("it has the same pattern and methods as the route registered at %s, but the variant groups differ (%q and %q); give both ishaa.Variant of one group", rt.source, route.variantGroup, rt.variantGroup)
	}
	if rt.variants == nil {
		rt.variants = []*Route{rt}
	}
	for _, other := range rt.variants {
		if other.variantName == route.variantName {
			return fmt.Errorf("variant %q of group %q is already registered at %s", route.variantName, route.variantGroup, other.source)
		}
	}
	if route.selector != nil {
		if rt.selector != nil {
			return fmt.Errorf("the entry already has a selector, from a variant registered at %s", rt.source)
		}
		rt.selector = route.selector
	}
	if route.name != "" && rt.name == "" {
		rt.name = route.name
	}
	route.primary = rt
	rt.variants = append(rt.variants, route)
	return nil
}

func (t *table) treeFor(route *Route) (*tree.Tree[*Route], error) {
	if t.any == nil {
		t.any = tree.New[*Route]()
	}
	if route.host == "" {
		return t.any, nil
	}
	pattern, err := parseHost(route.host)
	if err != nil {
		return nil, err
	}
	for _, param := range pattern.params() {
		if route.paramIndex(param) >= 0 {
			return nil, fmt.Errorf("the parameter %q stands in the host and in the path", param)
		}
	}
	for _, known := range t.hosts {
		switch {
		case known.pattern.text == pattern.text:
			return known.tree, nil
		case known.pattern.clashes(pattern):
			return nil, fmt.Errorf("it conflicts with %s, registered at %s: the hosts %q and %q can be the same and neither is more specific; use one of them for both routes", known.first, known.first.source, pattern.text, known.pattern.text)
		}
	}
	added := &hostTable{pattern, tree.New[*Route](), route}
	t.hosts = append(t.hosts, added)
	slices.SortStableFunc(t.hosts, func(x, y *hostTable) int {
		return cmp.Compare(y.pattern.static(), x.pattern.static())
	})
	return added.tree, nil
}

// find returns the route for a method and path at the host of a request, or nil.
func (t *table) find(r *Request, method, path string, params *tree.Params) *Route {
	if t.hosts != nil {
		host := bareHost(r.host())
		for _, h := range t.hosts {
			if h.pattern.matches(host) {
				if route, ok := h.tree.Match(method, path, params); ok {
					return route
				}
				params.Reset()
			}
		}
	}
	if t.any == nil {
		return nil
	}
	route, ok := t.any.Match(method, path, params)
	if !ok {
		return nil
	}
	return route
}

// allowed lists the methods that would find a route, HEAD and OPTIONS included
// where they are answered automatically; nil when none would.
func (t *table) allowed(r *Request, path string) []string {
	var methods []string
	host := bareHost(r.host())
	for _, h := range t.hosts {
		if h.pattern.matches(host) {
			methods = append(methods, h.tree.Methods(path)...)
		}
	}
	if t.any != nil {
		methods = append(methods, t.any.Methods(path)...)
	}
	if len(methods) == 0 {
		return nil
	}
	if slices.Contains(methods, "") {
		methods = append(methods, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
	}
	if slices.Contains(methods, "GET") {
		methods = append(methods, "HEAD")
	}
	methods = append(methods, "OPTIONS")
	methods = slices.DeleteFunc(methods, func(m string) bool { return m == "" })
	slices.Sort(methods)
	return slices.Compact(methods)
}

// hostPattern is a host with parameters for whole labels.
type hostPattern struct {
	text   string
	labels []string // "<name>" for a parameter
}

func parseHost(text string) (hostPattern, error) {
	p := hostPattern{text: text, labels: strings.Split(text, ".")}
	seen := map[string]bool{}
	for _, label := range p.labels {
		name, isParam := hostParam(label)
		switch {
		case label == "" || isParam && name == "":
			return p, fmt.Errorf("the host %q has an empty label", text)
		case isParam && seen[name]:
			return p, fmt.Errorf("the host %q names the parameter %q twice", text, name)
		case !isParam && strings.ContainsAny(label, "<>:/ "):
			return p, fmt.Errorf("the host %q: give names without port, as in \"<tenant>.example.com\"", text)
		case !isParam && label != strings.ToLower(label):
			return p, fmt.Errorf("the host %q: write it in lower case", text)
		}
		seen[name] = isParam
	}
	return p, nil
}

func hostParam(label string) (string, bool) {
	if len(label) >= 2 && label[0] == '<' && label[len(label)-1] == '>' {
		return label[1 : len(label)-1], true
	}
	return "", false
}

func (p hostPattern) params() []string {
	var names []string
	for _, label := range p.labels {
		if name, ok := hostParam(label); ok {
			names = append(names, name)
		}
	}
	return names
}

// static counts the labels that are not parameters: more are more specific.
func (p hostPattern) static() int { return len(p.labels) - len(p.params()) }

// clashes reports whether some host matches both and neither is more specific.
func (p hostPattern) clashes(other hostPattern) bool {
	if len(p.labels) != len(other.labels) {
		return false
	}
	narrower, wider := false, false
	for i := range p.labels {
		_, a := hostParam(p.labels[i])
		_, b := hostParam(other.labels[i])
		switch {
		case a && !b:
			wider = true
		case b && !a:
			narrower = true
		case !a && !b && p.labels[i] != other.labels[i]:
			return false
		}
	}
	return narrower == wider
}

func (p hostPattern) matches(host string) bool {
	for i, label := range p.labels {
		var got string
		var more bool
		got, host, more = strings.Cut(host, ".")
		if more == (i == len(p.labels)-1) || got == "" {
			return false
		}
		if _, isParam := hostParam(label); !isParam && got != label {
			return false
		}
	}
	return true
}

// hostParamValue finds a parameter of a route's host in the host asked for.
func hostParamValue(pattern, host, name string) (string, bool) {
	host = bareHost(host)
	for label := range strings.SplitSeq(pattern, ".") {
		var got string
		got, host, _ = strings.Cut(host, ".")
		if param, ok := hostParam(label); ok && param == name {
			return got, true
		}
	}
	return "", false
}

// expandHost fills in a host pattern for a URL.
func expandHost(pattern string, given map[string]string) (string, error) {
	if pattern == "" {
		return "", nil
	}
	labels := strings.Split(pattern, ".")
	for i, label := range labels {
		name, ok := hostParam(label)
		if !ok {
			continue
		}
		value, ok := given[name]
		if !ok {
			return "", fmt.Errorf("the parameter %q of the host is missing", name)
		}
		if value == "" || strings.ContainsAny(value, "./\\:@?#<> \t\r\n%") {
			return "", fmt.Errorf("%q cannot be one label of a host", value)
		}
		labels[i] = strings.ToLower(value)
	}
	return "//" + strings.Join(labels, "."), nil
}

// bareHost is a Host header in lower case, without port and final dot.
func bareHost(host string) string {
	if strings.Contains(host, ":") {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
