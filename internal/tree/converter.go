package tree

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/uuid"
)

// A converter decides which segments a parameter accepts. The built-in ones are known to the matcher by their kind; re
// and the converters that a program registers are functions on the decoded segment.

// kind is what a segment of a pattern accepts, in the order of precedence: a smaller kind is more specific.
type kind uint8

const (
	kindStatic kind = iota
	kindInt
	kindFloat
	kindUUID
	kindSlug
	kindCustom // re, and registered converters
	kindStr
	kindPath
	kindRest
)

// builtins are the names that need no registration, and the kinds they stand for.
var builtins = map[string]kind{
	"int": kindInt, "float": kindFloat, "uuid": kindUUID, "slug": kindSlug, "re": kindCustom, "str": kindStr, "path": kindPath,
}

// Converter decides which segments a parameter such as <hex:digest> accepts.
type Converter struct {
	// Name is what patterns call it: a lower-case letter, then lower-case letters, digits and underscores.
	Name string
	// Rank orders re (whose rank is 0) and the registered converters among each other: where two of them stand at
	// the same place, the one of higher rank is tried first.
	Rank int
	// Match says whether a segment, unescaped, is accepted; nil accepts any. It is never asked about an empty
	// segment. Many goroutines call it at once.
	Match func(segment string) bool
}

// Converters are the converters that patterns may name: the built-in ones and those registered. The zero value, and
// a nil pointer, have the built-in ones only. Register before serving: it must not run together with Parse.
type Converters struct {
	registered map[string]*matcher
}

// matcher is a converter as the tree uses it. Two parameters at the same place accept the same segments if they have
// the same kind and, for kindCustom, the same matcher or the same expression.
type matcher struct {
	kind  kind
	name  string
	expr  string // of re
	rank  int
	match func(string) bool // of kindCustom; nil accepts any
}

// builtinMatchers holds one matcher for each built-in converter but re, which has one for each expression.
var builtinMatchers = func() map[string]*matcher {
	all := make(map[string]*matcher)
	for name, k := range builtins {
		if name != "re" {
			all[name] = &matcher{kind: k, name: name}
		}
	}
	return all
}()

// Register adds a converter. It refuses a name that is malformed, built in or taken.
func (c *Converters) Register(conv Converter) error {
	switch _, builtin := builtins[conv.Name]; {
	case !isConverterName(conv.Name):
		return fmt.Errorf("converter name %q: use a lower-case letter, then lower-case letters, digits and underscores", conv.Name)
	case builtin:
		return fmt.Errorf("converter %q is built in; register yours under another name", conv.Name)
	case c == nil:
		return errors.New("converters cannot be registered on a nil *Converters")
	case c.registered[conv.Name] != nil:
		return fmt.Errorf("converter %q is already registered; use another name for the second one", conv.Name)
	}
	if c.registered == nil {
		c.registered = make(map[string]*matcher)
	}
	c.registered[conv.Name] = &matcher{kind: kindCustom, name: conv.Name, rank: conv.Rank, match: conv.Match}
	return nil
}

// Lookup returns the converter of a name, built in or registered. The Match of re, which needs an expression, accepts
// nothing; that of path is asked about a whole rest of a path, unescaped.
func (c *Converters) Lookup(name string) (Converter, bool) {
	m := c.find(name)
	switch {
	case m != nil:
		return Converter{Name: name, Rank: m.rank, Match: m.accepts}, true
	case name == "re":
		return Converter{Name: name, Match: func(string) bool { return false }}, true
	}
	return Converter{}, false
}

// Names returns the names of all converters, sorted.
func (c *Converters) Names() []string {
	var names []string
	for name := range builtins {
		names = append(names, name)
	}
	if c != nil {
		for name := range c.registered {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// find returns the matcher of a name, or nil. There is none for re.
func (c *Converters) find(name string) *matcher {
	if m := builtinMatchers[name]; m != nil {
		return m
	}
	if c == nil {
		return nil
	}
	return c.registered[name]
}

// compileExpr makes the matcher of a re converter. The expression is compiled on its own first, so that one such as
// "a)(b" cannot break out of the group that anchors it.
func compileExpr(expr string) (*matcher, error) {
	if _, err := regexp.Compile(expr); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
	if err != nil {
		return nil, err
	}
	return &matcher{kind: kindCustom, name: "re", expr: expr, match: re.MatchString}, nil
}

// same reports whether m and other accept the same segments, as far as can be known without comparing functions.
func (m *matcher) same(other *matcher) bool {
	return m == other || m.kind == other.kind && (m.kind != kindCustom || m.name == "re" && other.name == "re" && m.expr == other.expr)
}

// String returns the converter as a pattern writes it.
func (m *matcher) String() string {
	if m.name == "re" {
		return "re(" + strconv.Quote(m.expr) + ")"
	}
	return m.name
}

// accepts reports whether the parameter takes the unescaped text: a segment, or for path a whole rest.
func (m *matcher) accepts(text string) bool {
	if text == "" {
		return false
	}
	switch m.kind {
	case kindInt:
		_, ok := parseInt(text)
		return ok
	case kindFloat:
		_, ok := parseFloat(text)
		return ok
	case kindUUID:
		return uuid.Valid(text)
	case kindSlug:
		return isSlug(text)
	case kindPath:
		return text[0] != '/' && !strings.Contains(text, "//") && !strings.Contains(text, `\`)
	case kindCustom:
		return m.match == nil || m.match(text)
	}
	return true
}

// parseInt accepts what -?[0-9]+ describes and an int64 can hold.
func parseInt(s string) (int64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" {
		return 0, false
	}
	negative := len(digits) < len(s)
	var n uint64
	for i := range len(digits) {
		d := uint64(digits[i] - '0')
		if d > 9 || n > math.MaxInt64/10 {
			return 0, false
		}
		n = n*10 + d
	}
	switch {
	case !negative && n <= math.MaxInt64:
		return int64(n), true
	case negative && n <= math.MaxInt64+1:
		return -int64(n), true
	}
	return 0, false
}

// parseFloat accepts what -?[0-9]+(\.[0-9]+)? describes and a float64 can hold.
func parseFloat(s string) (float64, bool) {
	digits := strings.TrimPrefix(s, "-")
	point := -1
	for i := range len(digits) {
		switch c := digits[i]; {
		case '0' <= c && c <= '9':
		case c == '.' && point < 0:
			point = i
		default:
			return 0, false
		}
	}
	if digits == "" || point == 0 || point == len(digits)-1 {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// isSlug accepts what [A-Za-z0-9_-]+ describes.
func isSlug(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

func isConverterName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z') && (i == 0 || c != '_' && !('0' <= c && c <= '9')) {
			return false
		}
	}
	return s != ""
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
