package graphql

import (
	"math"

	"github.com/vektah/gqlparser/v2/ast"
)

// limits are those of Options, with the defaults filled in. What is over one is refused before the document is checked
// against the schema, which is what costs: measuring is one walk over what was parsed, and a fragment is measured once
// however often it is spread.
type limits struct {
	depth, complexity, tokens, aliases, directives int
}

func (o Options) limits() limits {
	pick := func(value, usual int) int {
		switch {
		case value < 0:
			return math.MaxInt32
		case value == 0:
			return usual
		}
		return value
	}
	l := limits{
		depth: pick(o.MaxDepth, 12), complexity: pick(o.MaxComplexity, 1000), tokens: pick(o.MaxTokens, 10_000),
		aliases: pick(o.MaxAliases, 100), directives: pick(o.MaxDirectives, 100),
	}
	return l
}

// mostFragments is how many a document may define: all pairs that meet are compared.
const mostFragments = 200

// introspection is measured by itself, so that tools work whatever the limits of the data are.
const (
	introspectionDepth      = 20
	introspectionComplexity = 2000
)

// extent is how deep a selection goes and how many fields it has, those of its fragments for each time they are spread.
type extent struct{ depth, fields int }

func (x extent) beside(y extent) extent {
	return extent{max(x.depth, y.depth), plus(x.fields, y.fields)}
}

func plus(a, b int) int {
	if a > math.MaxInt32-b {
		return math.MaxInt32
	}
	return a + b
}

func times(a, b int) int {
	if a > 0 && b > math.MaxInt32/a {
		return math.MaxInt32
	}
	return a * b
}

type measuring struct {
	*engine
	doc                 *ast.QueryDocument
	fragments           map[string]*extent // nil while it is measured: a circle, which the rules refuse
	named               map[string]*ast.FragmentDefinition
	aliases, directives int
	introspective       bool // inside of __schema or __type
	introspected        extent
	found               bool
}

// measure holds a document to the limits.
func (e *engine) measure(doc *ast.QueryDocument) *Error {
	m := &measuring{engine: e, doc: doc, fragments: map[string]*extent{}, named: map[string]*ast.FragmentDefinition{}}
	for _, f := range doc.Fragments {
		m.named[f.Name] = f
	}
	var whole extent
	for _, op := range doc.Operations {
		m.directives += len(op.Directives)
		whole = whole.beside(m.set(op.SelectionSet))
	}
	for _, f := range doc.Fragments {
		if _, known := m.fragments[f.Name]; !known {
			whole = whole.beside(m.fragment(f.Name)) // those that are not spread are checked too
		}
	}
	for _, limit := range []struct {
		is, most int
		what     string
	}{
		{whole.depth, e.limits.depth, "levels"}, {whole.fields, e.limits.complexity, "fields"},
		{m.aliases, e.limits.aliases, "aliases and repeated names"}, {len(doc.Fragments), mostFragments, "fragments"},
		{m.directives, e.limits.directives, "directives"},
		{m.introspected.depth, introspectionDepth, "levels of introspection"},
		{m.introspected.fields, introspectionComplexity, "fields of introspection"},
	} {
		if limit.is > limit.most {
			return Errorf(CodeTooComplex, "The document has more than %d %s.", limit.most, limit.what)
		}
	}
	if m.found && !e.introspection {
		return Errorf(CodeNoIntrospection, "Introspection is off here.")
	}
	return nil
}

func (m *measuring) set(set ast.SelectionSet) (sum extent) {
	var seen map[string]bool
	if len(set) > m.limits.aliases {
		seen = make(map[string]bool, len(set))
	}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			m.directives += len(s.Directives)
			if s.Alias != s.Name || seen[s.Alias] {
				m.aliases++ // a repeated name costs the same: all pairs of one are compared
			}
			if seen != nil {
				seen[s.Alias] = true
			}
			if (s.Name == "__schema" || s.Name == "__type") && !m.introspective {
				m.found, m.introspective = true, true
				m.introspected = m.introspected.beside(m.set(s.SelectionSet))
				m.introspective = false
				sum = sum.beside(extent{1, 1})
				continue
			}
			below := m.set(s.SelectionSet)
			sum = sum.beside(extent{below.depth + 1, plus(below.fields, 1)})
		case *ast.InlineFragment:
			m.directives += len(s.Directives)
			below := m.set(s.SelectionSet)
			sum = sum.beside(extent{below.depth, plus(below.fields, 1)})
		case *ast.FragmentSpread:
			m.directives += len(s.Directives)
			below := m.fragment(s.Name)
			sum = sum.beside(extent{below.depth, plus(below.fields, 1)})
		}
	}
	return sum
}

func (m *measuring) fragment(name string) extent {
	f := m.named[name]
	if f == nil {
		return extent{}
	}
	if known, ok := m.fragments[name]; ok {
		if known == nil {
			return extent{}
		}
		return *known
	}
	m.fragments[name] = nil
	m.directives += len(f.Directives)
	x := m.set(f.SelectionSet)
	m.fragments[name] = &x
	return x
}

// weigh holds an operation of a schema with costs to the limit of complexity.
func (e *engine) weigh(op *operation, vars map[string]any) *Error {
	w := &weighing{schema: e.schema, vars: vars, fragments: map[*ast.FragmentDefinition]int{}}
	if w.set(op.ast.SelectionSet) > e.limits.complexity {
		return Errorf(CodeTooComplex, "The operation costs more than %d.", e.limits.complexity)
	}
	return nil
}

type weighing struct {
	schema    *Schema
	vars      map[string]any
	fragments map[*ast.FragmentDefinition]int
}

func (w *weighing) set(set ast.SelectionSet) (sum int) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			sum = plus(sum, w.field(s))
		case *ast.InlineFragment:
			sum = plus(sum, w.set(s.SelectionSet))
		case *ast.FragmentSpread:
			cost, known := w.fragments[s.Definition]
			if !known {
				cost = w.set(s.Definition.SelectionSet)
				w.fragments[s.Definition] = cost
			}
			sum = plus(sum, cost)
		}
	}
	return sum
}

func (w *weighing) field(f *ast.Field) int {
	if f.Name == "__schema" || f.Name == "__type" || f.ObjectDefinition == nil {
		return 1
	}
	below, most := w.set(f.SelectionSet), 0
	for _, def := range w.schema.possible(f.ObjectDefinition) {
		field := w.schema.objects[def.Name].fields[f.Name]
		if field == nil || field.resolver == nil || field.resolver.cost == nil {
			most = max(most, plus(below, 1))
			continue
		}
		c := field.resolver.cost
		most = max(most, plus(c.own, times(w.factor(f, c), below)))
	}
	return most
}

func (w *weighing) factor(f *ast.Field, c *cost) int {
	if f.Definition == nil {
		return c.fixed
	}
	for _, name := range c.args {
		def := f.Definition.Arguments.ForName(name)
		if def == nil {
			continue
		}
		value := def.DefaultValue
		if given := f.Arguments.ForName(name); given != nil && !absent(given.Value, w.vars) {
			value = given.Value
		}
		n, _ := w.schema.literal(def.Type, value, w.vars)
		if count, ok := n.(int64); ok {
			return int(min(max(count, 0), math.MaxInt32))
		}
	}
	return c.fixed
}

// possible lists the object types that a type stands for.
func (s *Schema) possible(def *ast.Definition) []*ast.Definition {
	if def.IsAbstractType() {
		return s.ast.PossibleTypes[def.Name]
	}
	return []*ast.Definition{def}
}
