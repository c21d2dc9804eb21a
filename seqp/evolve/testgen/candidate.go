package testgen

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
)

// candidate is a test on trial.
type candidate struct {
	Name    string // of the test function
	About   string // what it sends, in words
	route   risk.Route
	request request
	law     int      // the status that it must have; 0 where it is taken from a run
	kind    string   // what is looked for, "" where only the status counts: see support/probe.go.txt
	rule    string   // of what is found, where the kind does not say it
	base    request  // what fits
	other   request  // what is compared with it
	times   int      // more than 1: so many of the same, at once
	state   []string // addresses that show the state
	status  int      // as it was seen
}

// probe is a candidate as the test that observes reads it.
type probe struct {
	Kind              string
	Sent, Base, Other sent
	State             []string
	Times             int
}

// sent is a request as it is sent.
type sent struct {
	Method, Target, Type, Body string
	Header                     []string
}

func (c candidate) probe() probe {
	kind := c.kind
	if kind == "" && c.times == 0 {
		kind = "attack"
	}
	return probe{kind, c.request.sent(), c.base.sent(), c.other.sent(), c.state, c.times}
}

// literal is the probe as Go.
func (c candidate) literal() string {
	text := "seqpProbe{Kind: " + strconv.Quote(c.kind)
	for _, part := range []struct {
		name string
		q    request
	}{{"Sent", c.request}, {"Base", c.base}, {"Other", c.other}} {
		if part.q.method != "" {
			text += ", " + part.name + ": " + part.q.literal()
		}
	}
	if len(c.state) > 0 {
		text += ", State: []string{" + quotedList(c.state) + "}"
	}
	if c.times > 0 {
		text += ", Times: " + strconv.Itoa(c.times)
	}
	return text + "}"
}

// What attacks carry. No program has them by itself.
const (
	sqlMark      = `zq'x"--`
	htmlMark     = `<zq9 a="'">`
	foreignMark  = "https://zq9.example/x"
	slashMark    = `//zq9.example/x`
	canaryMark   = "ZQCANARY"   // stands for the path of a file that no client may read
	listenerMark = "ZQLISTENER" // stands for the address of a listener of the test
)

var attacks = []struct{ name, about, text string }{
	{"SQL", "quotes that end a text in SQL", sqlMark},
	{"HTML", "markup", htmlMark},
	{"Path", "the path of a file outside", canaryMark},
	{"Redirect", "the address of another host", foreignMark},
	{"RedirectSlashes", "the address of another host without a scheme", slashMark},
	{"Loopback", "the address of a listener of the test", listenerMark},
	{"Long", "a long text", strings.Repeat("ü", 3000)},
	{"Twice", "the path of a file outside, escaped twice", canaryMark + "TWICE"},
	{"Script", "an address that runs", "javascript:zq9"},
	{"Template", "a template", "{{len `zq9zq9zq9zq9`}}zq9"},
	{"Cell", "what a spreadsheet takes for a formula", "=zq9()"},
	{"Line", "a line break", "zq9\r\nzq9-line: x"},
	{"Negative", "a negative number", "-1"},
	{"Large", "a number that fits no int32", "99999999999"},
}

// What the names of values say about them.
var (
	amounts   = regexp.MustCompile(`(?i)^(?:.*/)?(?:count|quantity|qty|amount|units|copies|pieces|price|cents|number_of_\w+)$`)
	sizes     = regexp.MustCompile(`(?i)^(?:limit|size|per_?page|page_?size|first|top)$`)
	names     = regexp.MustCompile(`(?i)^(?:.*/)?(?:name|user|username|user_name|login|email|account)$`)
	passwords = regexp.MustCompile(`(?i)^(?:.*/)?(?:password|passwd|pass)$`)
	officials = regexp.MustCompile(`(?i)/(?:admin|administration|staff|internal|manage|root)(?:/|$)`)
)

// candidates are all tests that are tried, in a fixed order.
func candidates(routes []risk.Route, s *setup) []candidate {
	routes = slices.Clone(routes)
	slices.SortFunc(routes, func(x, y risk.Route) int { return strings.Compare(x.Pattern+x.Method, y.Pattern+y.Method) })
	var pages []string
	for _, r := range routes {
		if strings.HasPrefix(r.Method, "GET") && len(risk.Parameters(r.Pattern)) == 0 && !slices.Contains(pages, r.Pattern) {
			pages = append(pages, r.Pattern)
		}
	}
	var list []candidate
	taken := map[string]int{}
	for _, route := range routes {
		if strings.HasSuffix(route.Pattern, "/…") || route.Package == "" {
			continue
		}
		for _, c := range ofRoute(route, routes, near(pages, route.Pattern), s) {
			c.route = route
			c.Name = "TestSeqp" + identifier(strings.Split(route.Method, ",")[0]+" "+route.Pattern) + c.Name
			if taken[c.Name]++; taken[c.Name] > 1 {
				c.Name += strconv.Itoa(taken[c.Name])
			}
			list = append(list, c)
		}
	}
	return list
}

// mostPages is how many pages are looked at for what a request has changed.
const mostPages = 8

// near are the pages that have most of their address in common with a route.
func near(pages []string, pattern string) []string {
	common := func(page string) int {
		a, b := strings.Split(strings.Trim(page, "/"), "/"), strings.Split(strings.Trim(pattern, "/"), "/")
		n := 0
		for n < min(len(a), len(b)) && a[n] == b[n] && a[n] != "" {
			n++
		}
		return n
	}
	most := 0
	for _, page := range pages {
		most = max(most, common(page))
	}
	var list []string
	for _, page := range pages {
		if common(page) == most && len(list) < mostPages {
			list = append(list, page)
		}
	}
	return list
}

// identifier makes a part of a Go name of a text.
func identifier(text string) string {
	var b strings.Builder
	up := true
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func ofRoute(route risk.Route, routes []risk.Route, state []string, s *setup) []candidate {
	fields := fieldsOf(route)
	valid := fitting(fields)
	base, ok := build(route, fields, valid)
	if !ok {
		return nil
	}
	t := &tries{route: route, fields: fields, valid: valid, base: base, state: state}
	list := []candidate{{Name: "Fits", About: "what fits", request: base, kind: "attack"}}
	for _, f := range fields {
		if f.from == "header" || f.from == "cookie" {
			continue
		}
		list = append(list, t.broken(f)...)
		if f.kind == "string" {
			list = append(list, t.attacked(f)...)
		}
	}
	list = append(list, ofBody(route, base)...)
	list = append(list, t.repeated()...)
	list = append(list, ofPrincipals(route, fields, valid, base, state, s)...)
	list = append(list, t.aside(s.watching)...)
	if base.method == "POST" {
		list = append(list, removal(route, routes, base)...)
	}
	return list
}

// fitting are values that fit, of all fields that need one.
func fitting(fields []field) map[string]any {
	valid := map[string]any{}
	for _, f := range fields {
		if f.typed && !f.required && f.from == "query" { // its default fits
			continue
		}
		if value := f.fits(); value != nil && f.from != "header" && f.from != "cookie" {
			valid[f.from+" "+f.name] = value
		}
	}
	return valid
}

// tries are what candidates of a route are made from: a request that fits, and what else may be asked about it.
type tries struct {
	route  risk.Route
	fields []field
	valid  map[string]any // by where from and name
	base   request        // all of valid
	state  []string       // pages that show what the program knows
}

func (t *tries) reads() bool { return t.base.method == "GET" || t.base.method == "HEAD" }

// with is the base with another value of one field. Without a value, nothing is sent of what is within it either.
func (t *tries) with(f field, value any) (request, bool) {
	values := maps.Clone(t.valid)
	if value == nil {
		maps.DeleteFunc(values, func(key string, _ any) bool { return strings.HasPrefix(key, f.from+" "+f.name+"/") })
	}
	values[f.from+" "+f.name] = value
	return build(t.route, t.fields, values)
}

// broken are values of a field that do not fit, or just fit.
func (t *tries) broken(f field) (list []candidate) {
	for _, b := range broken(f) {
		q, ok := t.with(f, b.value)
		if !ok {
			continue
		}
		c := candidate{Name: identifier(f.name) + b.name, About: f.name + " " + b.about, request: q, law: b.law}
		if b.law == 0 {
			c.kind, c.base = "attack", t.base
		}
		list = append(list, c)
		if b.law == 0 && !t.reads() && len(t.state) > 0 {
			list = append(list, candidate{Name: identifier(f.name) + b.name + "Refused", About: f.name + " " + b.about + ", and looks whether something of it stays", request: q, kind: "refused", state: t.state})
		}
	}
	for _, a := range attempts(f, t.reads()) {
		if q, ok := t.with(f, a.value); ok {
			list = append(list, candidate{Name: identifier(f.name) + a.name, About: f.name + " " + a.about, request: q, base: t.base, kind: a.kind, rule: a.rule})
		}
	}
	if f.kind == "integer" && t.reads() && f.tag.Get("maximum") == "" && f.tag.Get("enum") == "" {
		wide, okWide := t.with(f, 4294967297.0)
		unknown, okUnknown := t.with(f, 4294967296.0+937.0)
		one, okOne := t.with(f, 1.0)
		if okWide && okUnknown && okOne {
			list = append(list, candidate{Name: identifier(f.name) + "Wide", About: f.name + " as a number of more than 32 bits", request: wide, base: one, other: unknown, kind: "truncated"})
		}
	}
	return list
}

// attacked are texts that mean something to an interpreter behind a field.
func (t *tries) attacked(f field) (list []candidate) {
	for _, a := range attacks {
		if q, ok := t.with(f, a.text); ok {
			list = append(list, candidate{Name: identifier(f.name) + a.name, About: a.about + " as " + f.name, request: q, base: t.base, kind: "attack", state: t.state})
		}
	}
	if q, ok := t.with(f, "%"); ok {
		list = append(list, candidate{Name: identifier(f.name) + "Pattern", About: "a sign for any text as " + f.name, request: q, base: t.base, kind: "pattern"})
	}
	return list
}

// repeated are requests by a method that the route does not have, at once and in bursts.
func (t *tries) repeated() (list []candidate) {
	if t.route.Method != "*" && !strings.Contains(t.route.Method, "DELETE") {
		other := t.base
		other.method, other.body, other.form = "PROPFIND", nil, nil
		list = append(list, candidate{Name: "WrongMethod", About: "a method that it does not have", request: other, law: 405})
	}
	if !t.reads() {
		list = append(list, candidate{Name: "AtOnce", About: "the same request 8 times at once and one by one: the end is the same", request: t.base, times: 8, state: t.state})
	}
	if t.route.Critical == "financial_core" {
		list = append(list, candidate{Name: "LoadBurst", About: "a burst of 200 requests, none of which ends in 5xx", request: t.base, times: 200})
	}
	return list
}

// aside are requests that fit and that look at something else than their answer: names of other hosts, goroutines and,
// where the database is watched, what happens to it.
func (t *tries) aside(watching bool) []candidate {
	foreign := t.base
	foreign.header = []string{"X-Forwarded-Host", "zq9-host.example"}
	if t.reads() {
		foreign.header = append(foreign.header, "Origin", "https://zq9.example")
	}
	list := []candidate{
		{Name: "Foreign", About: "the names of other hosts", request: foreign, kind: "attack", state: t.state},
		{Name: "Leak", About: "30 requests, which leave no goroutine behind", request: t.base, base: t.base, kind: "leak"},
	}
	if !watching {
		return list
	}
	list = append(list, candidate{Name: "Fault", About: "what fits while the database fails", request: t.base, base: t.base, kind: "fault"})
	if pages := slices.DeleteFunc(slices.Clone(t.state), func(page string) bool { return page == t.route.Pattern }); t.base.method == "GET" && len(pages) > 0 {
		list = append(list, candidate{Name: "Safe", About: "a request that reads, which changes nothing", request: t.base, base: t.base, kind: "safe", state: pages})
	}
	return list
}

// ofBody are bodies that a handler reads by itself, and broken ones of those that the framework reads.
func ofBody(route risk.Route, base request) []candidate {
	body := func(text, kind string) request {
		q := base
		q.body, q.form, q.raw, q.rawType = nil, nil, text, kind
		return q
	}
	reads := func(name string) bool { return slices.Contains(route.Reads, risk.Read{From: "body", Name: name}) }
	var list []candidate
	switch {
	case base.body != nil:
		list = append(list,
			candidate{Name: "BrokenJSON", About: "JSON that ends early", request: body("{", "application/json")},
			candidate{Name: "WrongType", About: "a content type that it does not take", request: body("x", "text/csv"), law: 415})
	case reads("json"):
		list = append(list, candidate{Name: "BrokenJSON", About: "JSON that ends early", request: body("{", "application/json"), kind: "taken"})
		for i, text := range []string{`{}`, `[]`, `null`, `{"zq9":[{}]}`} {
			list = append(list, candidate{Name: "JSON" + strconv.Itoa(i+1), About: "JSON of another shape", request: body(text, "application/json"), kind: "attack"})
		}
	case reads("bytes"):
		list = append(list, candidate{Name: "Markup", About: "a page as an upload", request: body(htmlMark, "text/html"), kind: "attack", state: near([]string{route.Pattern}, route.Pattern)})
	}
	return list
}

// ofPrincipals has others ask: nobody, somebody else, and whoever claims to be somebody.
func ofPrincipals(route risk.Route, fields []field, valid map[string]any, base request, state []string, s *setup) []candidate {
	var list []candidate
	claim := func(name, header, value string) {
		q := base
		q.header = []string{header, value}
		list = append(list, candidate{Name: "Claims" + identifier(name), About: "the claim to be somebody in " + name, request: q, base: base, kind: "spoof"})
	}
	for _, read := range route.Reads {
		switch {
		case read.From == "header" && strings.EqualFold(read.Name, "Authorization"): // {"alg":"none"}, {"sub":"ada","name":"ada","role":"admin"}
			claim(read.Name, read.Name, "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJuYW1lIjoiYWRhIiwicm9sZSI6ImFkbWluIn0.")
		case read.From == "header":
			claim(read.Name, read.Name, "root")
		case read.From == "cookie":
			for _, value := range []string{"admin", "true", "1"} {
				claim(read.Name+" "+value, "Cookie", read.Name+"="+value)
			}
		}
	}
	var name, password string
	for _, f := range fields {
		if names.MatchString(f.name) && f.kind == "string" {
			name = f.from + " " + f.name
		} else if passwords.MatchString(f.name) {
			password = f.from + " " + f.name
		}
	}
	if name != "" && password != "" {
		of := func(who string) request {
			values := maps.Clone(valid)
			values[name], values[password] = who, "zq9-wrong-password"
			q, _ := build(route, fields, values)
			return q
		}
		one, other := "ada", "zq9nobody"
		if strings.HasSuffix(strings.ToLower(name), "email") {
			one, other = "ada@example.com", "zq9nobody@example.com"
		}
		list = append(list, candidate{Name: "Known", About: "a name with an account and one without", request: of(one), other: of(other), base: base, kind: "known"})
	}
	if !s.signIn {
		return list
	}
	official := 0
	if officials.MatchString(route.Pattern) {
		official = 1
	}
	list = append(list, candidate{Name: "Matrix", About: "what fits as nobody, as one and as another", request: base, base: base, state: state, kind: "matrix", times: official})
	for _, f := range fields {
		if f.from == "path" && f.kind == "integer" || f.name == "id" && f.typed {
			for n := 1.0; n <= 2; n++ {
				values := maps.Clone(valid)
				values[f.from+" "+f.name] = n
				if q, ok := build(route, fields, values); ok {
					list = append(list, candidate{Name: "Matrix" + identifier(f.name) + strconv.Itoa(int(n)), About: "the same " + f.name + " as nobody, as one and as another",
						request: q, base: q, other: q, state: state, kind: "matrix", times: official})
				}
			}
		}
	}
	return list
}

// removal creates, reads, removes and reads again, where there are routes for that.
func removal(route risk.Route, routes []risk.Route, base request) []candidate {
	one := func(method string) (request, bool) {
		for _, r := range routes {
			rest, ok := strings.CutPrefix(r.Pattern, strings.TrimSuffix(route.Pattern, "/")+"/")
			if ok && strings.HasPrefix(r.Method, method) && strings.HasPrefix(rest, "<") && strings.HasSuffix(rest, ">") && !strings.Contains(rest, "/") {
				return request{method: method, path: strings.TrimSuffix(r.Pattern, rest) + "ZQID"}, true
			}
		}
		return request{}, false
	}
	read, okRead := one("GET")
	remove, okRemove := one("DELETE")
	if !okRead || !okRemove {
		return nil
	}
	return []candidate{{Name: "Removed", About: "a new one, which is removed and then gone", request: remove, base: base, other: read, kind: "removed"}}
}

// attempt is a value that must not be taken, or must not do harm.
type attempt struct {
	name, about, kind, rule string
	value                   any
}

// attempts are values that the name and the type of a field suggest.
func attempts(f field, reading bool) []attempt {
	var list []attempt
	if f.kind == "integer" || f.kind == "number" {
		if f.tag.Get("minimum") == "" && f.tag.Get("enum") == "" && amounts.MatchString(f.name) && !reading {
			list = append(list, attempt{"LessThanNone", "that is less than nothing", "taken", "negative", -5.0})
		}
		if f.tag.Get("maximum") == "" && f.tag.Get("enum") == "" && f.from != "path" {
			list = append(list, attempt{"Huge", "that is huge", "attack", "", 1e9})
			if sizes.MatchString(f.name) && reading {
				list = append(list, attempt{"Unbounded", "without a bound", "taken", "unbounded", 1e9})
			}
		}
		if !f.typed && f.from != "path" {
			list = append(list, attempt{"Zero", "that is zero", "attack", "", "0"}, attempt{"LessThanZero", "that is negative", "attack", "", "-1"}, attempt{"Word", "that is no number", "attack", "", "zq9"})
		}
		if f.kind == "number" && !f.typed {
			list = append(list, attempt{"NaN", "that is not a number", "taken", "not-a-number", "NaN"}, attempt{"Infinite", "without an end", "taken", "not-a-number", "Inf"})
		}
	}
	if f.tag.Get("format") == "rest" {
		list = append(list, attempt{"Env", "with a file of settings", "hidden", "", ".env"}, attempt{"Git", "with a file of settings", "hidden", "", ".git/config"})
	}
	return list
}

type brokenValue struct {
	name, about string
	value       any
	law         int
}

// broken are values one step beside what a field's tag allows.
func broken(f field) []brokenValue {
	if !f.typed {
		return nil
	}
	law := 422
	if f.from == "path" {
		law = 0 // the pattern may not match: 404
	}
	var list []brokenValue
	add := func(name string, value any, law int, format string, args ...any) {
		list = append(list, brokenValue{name, fmt.Sprintf(format, args...), value, law})
	}
	if f.kind == "integer" || f.kind == "number" {
		if n, ok := f.number("minimum"); ok {
			add("BelowMinimum", n-1, law, "one below its minimum of %g", n)
			add("AtMinimum", n, 0, "at its minimum of %g", n)
		}
		if n, ok := f.number("maximum"); ok {
			add("AboveMaximum", n+1, law, "one above its maximum of %g", n)
			add("AtMaximum", n, 0, "at its maximum of %g", n)
		}
		if f.from != "path" && f.tag.Get("enum") == "" {
			add("Text", "x", 422, "that is no number")
			add("Negative", -1.0, 0, "that is negative")
			add("Zero", 0.0, 0, "that is zero")
		}
	}
	if f.kind == "string" {
		if n, ok := f.number("minLength"); ok && n >= 1 {
			add("TooShort", strings.Repeat("a", int(n)-1), law, "a character shorter than its %g", n)
		}
		if n, ok := f.number("maxLength"); ok && n < 100_000 {
			add("TooLong", strings.Repeat("a", int(n)+1), law, "a character longer than its %g", n)
			if f.tag.Get("format") == "" {
				add("Longest", strings.Repeat("ü", int(n)), 0, "as long as its %g", n)
			}
		}
		if _, ok := f.tag.Lookup("enum"); ok {
			add("NotInList", "zq9", law, "that is not in its list")
		}
		if format := f.tag.Get("format"); format == "email" || format == "uuid" || format == "date" {
			add("Malformed", "zq9", law, "that is no %s", format)
		}
	}
	if f.required && f.from != "path" {
		add("Missing", nil, 422, "left out")
	}
	return list
}
