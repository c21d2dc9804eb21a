package graphql

import (
	"container/list"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// A document is a text that was parsed, measured and checked, with the plans of its operations. Documents are kept by their
// text, since clients send the same few again and again.
type document struct {
	ast        *ast.QueryDocument
	text       string
	operations []*operation
}

// operation is one operation of a document.
type operation struct {
	ast      *ast.OperationDefinition
	doc      *document
	root     int
	switches []string     // variables that @skip and @include look at
	dynamic  bool         // its cost depends on variables
	usual    atomic.Int64 // how long its answers are

	mu    sync.Mutex
	plans map[string]*objectPlan // by the values of the switches
}

// mostErrors is how many errors of a document are told.
const mostErrors = 20

// parse makes a document of a text.
func (e *engine) parse(text string) (*document, []*Error) {
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, e.limits.tokens)
	if err != nil {
		code, list := CodeParseFailed, gqlerror.List{}
		if wrapped, ok := err.(*gqlerror.Error); ok {
			list = append(list, wrapped)
		} else {
			list = append(list, gqlerror.Errorf("%s", err))
		}
		if strings.HasPrefix(list[0].Message, "exceeded ") {
			code = CodeTooComplex
		}
		return nil, fromParser(code, list, 1)
	}
	if len(parsed.Operations) == 0 {
		return nil, []*Error{Errorf(CodeParseFailed, "The document has no operation.")}
	}
	if err := e.measure(parsed); err != nil {
		return nil, []*Error{err}
	}
	if list := e.validate(parsed); len(list) > 0 {
		return nil, fromParser(CodeValidationFailed, list, mostErrors)
	}
	doc := &document{ast: parsed, text: text}
	switches := switchesOf(parsed)
	for _, op := range parsed.Operations {
		o := &operation{ast: op, doc: doc, switches: switches, dynamic: e.schema.costly && len(op.VariableDefinitions) > 0}
		switch op.Operation {
		case ast.Mutation:
			o.root = rootMutation
		case ast.Subscription:
			o.root = rootSubscription
		}
		if e.schema.costly && !o.dynamic {
			if err := e.weigh(o, nil); err != nil {
				return nil, []*Error{err}
			}
		}
		doc.operations = append(doc.operations, o)
	}
	return doc, nil
}

// operation finds the one to run.
func (d *document) operation(name string) (*operation, *Error) {
	if name == "" {
		if len(d.operations) > 1 {
			return nil, Errorf(CodeBadRequest, "The document has several operations: operationName must say which to run.")
		}
		return d.operations[0], nil
	}
	for _, op := range d.operations {
		if op.ast.Name == name {
			return op, nil
		}
	}
	return nil, Errorf(CodeBadRequest, "The document has no operation of that name.")
}

func (e *engine) validate(doc *ast.QueryDocument) (list gqlerror.List) {
	observers := &core.Events{}
	for _, rule := range e.rules {
		rule.RuleFunc(observers, func(options ...core.ErrorOption) {
			if len(list) >= mostErrors {
				return
			}
			err := &gqlerror.Error{Rule: rule.Name}
			for _, option := range options {
				option(err)
			}
			if !e.introspection {
				err.Message, _, _ = strings.Cut(err.Message, " Did you mean")
			}
			list = append(list, err)
		})
	}
	validator.Walk(e.schema.ast, doc, observers)
	return list
}

// rulesOf are the rules of section 5 of the specification. Those that make suggestions make none where introspection is
// off, since a suggestion tells what the schema holds.
func (s *Schema) rulesOf(suggest bool) []core.Rule {
	list := []core.Rule{
		rules.FragmentsOnCompositeTypesRule, rules.KnownDirectivesRule, rules.KnownFragmentNamesRule, rules.KnownRootTypeRule,
		rules.LoneAnonymousOperationRule, rules.MaxIntrospectionDepth, rules.NoFragmentCyclesRule, rules.NoUndefinedVariablesRule,
		rules.NoUnusedFragmentsRule, rules.NoUnusedVariablesRule, rules.OverlappingFieldsCanBeMergedRule,
		rules.PossibleFragmentSpreadsRule, rules.ProvidedRequiredArgumentsRule, rules.SingleFieldSubscriptionsRule,
		rules.UniqueArgumentNamesRule, rules.UniqueDirectivesPerLocationRule, rules.UniqueFragmentNamesRule,
		rules.UniqueInputFieldNamesRule, rules.UniqueOperationNamesRule, rules.UniqueVariableNamesRule,
		rules.VariablesAreInputTypesRule, rules.VariablesInAllowedPositionRule, {Name: "ValuesOfCorrectType", RuleFunc: s.checkValues},
	}
	if suggest {
		return append(list, rules.FieldsOnCorrectTypeRule, rules.KnownArgumentNamesRule, rules.KnownTypeNamesRule, rules.ScalarLeafsRule)
	}
	return append(list, rules.FieldsOnCorrectTypeRuleWithoutSuggestions, rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRuleWithoutSuggestions, rules.ScalarLeafsRuleWithoutSuggestions)
}

// checkValues is the rule that literals are what their place takes, by the very coercion that will read them.
func (s *Schema) checkValues(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, v *ast.Value) {
		if v.Kind == ast.Variable || v.ExpectedType == nil || v.Definition == nil {
			return
		}
		fail := func(format string, args ...any) { addError(core.Message(format, args...), core.At(v.Position)) }
		t := v.ExpectedType
		if v.Kind == ast.NullValue {
			if t.NonNull {
				fail(`Expected value of type "%s", found null.`, t)
			}
			return
		}
		for t.Elem != nil && v.Kind != ast.ListValue {
			t = t.Elem
		}
		if t.Elem != nil {
			return // its elements are values of their own
		}
		def := s.ast.Types[t.NamedType]
		if def == nil || !def.IsInputType() {
			return
		}
		switch def.Kind {
		case ast.Enum:
			if v.Kind != ast.EnumValue || def.EnumValues.ForName(v.Raw) == nil {
				fail(`Enum "%s" cannot represent the value %s.`, def.Name, v)
			}
		case ast.Scalar:
			if _, ok := literalScalar(def.Name, v, nil); !ok {
				fail(`%s cannot represent the value %s.`, def.Name, v)
			}
		case ast.InputObject:
			s.checkObject(def, v, fail)
		}
	})
}

func (s *Schema) checkObject(def *ast.Definition, v *ast.Value, fail func(string, ...any)) {
	if v.Kind != ast.ObjectValue {
		fail(`Expected value of type "%s", found %s.`, def.Name, v)
		return
	}
	for _, child := range v.Children {
		if def.Fields.ForName(child.Name) == nil {
			fail(`Field "%s" is not defined by type "%s".`, child.Name, def.Name)
		}
	}
	for _, f := range def.Fields {
		if f.Type.NonNull && f.DefaultValue == nil && v.Children.ForName(f.Name) == nil {
			fail(`Field "%s.%s" of required type "%s" was not provided.`, def.Name, f.Name, f.Type)
		}
	}
	if def.Directives.ForName("oneOf") != nil && (len(v.Children) != 1 || v.Children[0].Value.Kind == ast.NullValue) {
		fail(`"%s" takes exactly one field, which is not null.`, def.Name)
	}
}

// switchesOf lists the variables that decide what is included.
func switchesOf(doc *ast.QueryDocument) (names []string) {
	note := func(list ast.DirectiveList) {
		for _, d := range list {
			if d.Name != "skip" && d.Name != "include" {
				continue
			}
			if arg := d.Arguments.ForName("if"); arg != nil && arg.Value.Kind == ast.Variable && !slices.Contains(names, arg.Value.Raw) {
				names = append(names, arg.Value.Raw)
			}
		}
	}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch selection := selection.(type) {
			case *ast.Field:
				note(selection.Directives)
				walk(selection.SelectionSet)
			case *ast.InlineFragment:
				note(selection.Directives)
				walk(selection.SelectionSet)
			case *ast.FragmentSpread:
				note(selection.Directives)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		walk(f.SelectionSet)
	}
	return names
}

// documents keeps the documents used last, by their text or by a hash of it.
type documents struct {
	mu    sync.Mutex
	most  int // entries
	room  int // bytes of text
	used  int
	order list.List // of keptDocument, the one used last in front
	named map[string]*list.Element
}

type keptDocument struct {
	key string
	doc *document
}

func newDocuments(most int) *documents {
	return &documents{most: most, room: 4 << 20, named: map[string]*list.Element{}}
}

func (d *documents) get(key string) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	element := d.named[key]
	if element == nil {
		return nil
	}
	d.order.MoveToFront(element)
	return element.Value.(keptDocument).doc
}

func (d *documents) put(key string, doc *document) {
	if len(doc.text) > d.room/16 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.named[key] != nil {
		return
	}
	d.named[key] = d.order.PushFront(keptDocument{key, doc})
	d.used += len(doc.text)
	for d.order.Len() > d.most || d.used > d.room {
		last := d.order.Remove(d.order.Back()).(keptDocument)
		delete(d.named, last.key)
		d.used -= len(last.doc.text)
	}
}
