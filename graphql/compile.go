package graphql

import (
	"errors"
	"reflect"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ishaa-framework/ishaa/internal/memory"
	"github.com/ishaa-framework/ishaa/schema"
)

// Compiling turns a selection into a plan: for every object type that it may meet, the list of what is written and where
// it comes from. What @skip and @include leave out is decided here, so an operation has one plan for each combination of
// the variables they look at.

// objectPlan is a selection on one object type at one place of the operation.
type objectPlan struct {
	fields []fieldPlan
	early  bool // some field is resolved for all objects of the level before anything is written; see execute.go
}

// fieldPlan is one field of the answer.
type fieldPlan struct {
	name     string // as answered
	key      string // "name": with a comma in front of all but the first
	position *ast.Position
	nonNull  bool
	constant string // __typename
	offset   uintptr
	resolver *resolver
	args     *argumentPlan
	value    value
	early    bool
}

// value is how what lies at a pointer is written.
type value struct {
	// write appends it. It is false if there is nothing to append: the error is noted, and null goes to whatever is around
	// that may be null.
	write func(x *execution, p memory.Pointer) bool
	// gather finds the objects in it whose plans are early; nil if there are none.
	gather func(g *gathering, p memory.Pointer)
}

type compiler struct {
	schema *Schema
	vars   map[string]any // the switches
}

// mostPlans is how many combinations of switches an operation keeps plans for.
const mostPlans = 32

// plan returns the operation's plan for these variables.
func (e *engine) plan(op *operation, vars map[string]any) *objectPlan {
	key := make([]byte, len(op.switches))
	for i, name := range op.switches {
		key[i] = '0'
		if on, _ := vars[name].(bool); on {
			key[i] = '1'
		}
	}
	op.mu.Lock()
	known := op.plans[string(key)]
	op.mu.Unlock()
	if known != nil {
		return known
	}
	c := &compiler{schema: e.schema, vars: make(map[string]any, len(op.switches))}
	for _, name := range op.switches {
		c.vars[name] = vars[name]
	}
	plan := c.object(e.schema.objects[rootNames[op.root]], []ast.SelectionSet{op.ast.SelectionSet})
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.plans == nil {
		op.plans = map[string]*objectPlan{}
	}
	if len(op.plans) < mostPlans {
		op.plans[string(key)] = plan
	}
	return plan
}

// selected are the fields of a selection that have one name in the answer.
type selected struct {
	first *ast.Field
	sets  []ast.SelectionSet
}

// collect merges fields of the same name (section 6.3.2 of the specification, "CollectFields").
func (c *compiler) collect(def *ast.Definition, sets []ast.SelectionSet) []*selected {
	var order []*selected
	byName := map[string]*selected{}
	visited := map[string]bool{}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				if !c.included(s.Directives) {
					continue
				}
				known := byName[s.Alias]
				if known == nil {
					known = &selected{first: s}
					byName[s.Alias] = known
					order = append(order, known)
				}
				if s.SelectionSet != nil {
					known.sets = append(known.sets, s.SelectionSet)
				}
			case *ast.InlineFragment:
				if c.included(s.Directives) && c.applies(s.TypeCondition, def) {
					walk(s.SelectionSet)
				}
			case *ast.FragmentSpread:
				if !c.included(s.Directives) || visited[s.Name] {
					continue
				}
				visited[s.Name] = true
				if c.applies(s.Definition.TypeCondition, def) {
					walk(s.Definition.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		walk(set)
	}
	return order
}

func (c *compiler) included(list ast.DirectiveList) bool {
	if len(list) == 0 {
		return true
	}
	is := func(name string) (value, given bool) {
		d := list.ForName(name)
		if d == nil {
			return false, false
		}
		arg := d.Arguments.ForName("if")
		if arg == nil {
			return false, false
		}
		if arg.Value.Kind == ast.Variable {
			on, _ := c.vars[arg.Value.Raw].(bool)
			return on, true
		}
		return arg.Value.Raw == "true", true
	}
	if on, given := is("skip"); given && on {
		return false
	}
	on, given := is("include")
	return !given || on
}

func (c *compiler) applies(condition string, def *ast.Definition) bool {
	if condition == "" || condition == def.Name {
		return true
	}
	for _, possible := range c.schema.ast.PossibleTypes[condition] {
		if possible.Name == def.Name {
			return true
		}
	}
	return false
}

func (c *compiler) object(o *objectType, sets []ast.SelectionSet) *objectPlan {
	def := c.schema.ast.Types[o.name]
	groups := c.collect(def, sets)
	p := &objectPlan{fields: make([]fieldPlan, len(groups))}
	for i, group := range groups {
		f := &p.fields[i]
		f.name, f.position = group.first.Alias, group.first.Position
		f.key = string(append(appendString(nil, f.name), ':'))
		if i > 0 {
			f.key = "," + f.key
		}
		if group.first.Name == "__typename" {
			f.constant = `"` + o.name + `"`
			continue
		}
		field, fieldDef := o.fields[group.first.Name], def.Fields.ForName(group.first.Name)
		if meta := metaFields[group.first.Name]; meta != "" {
			field = c.schema.objects[metaHolder].fields[meta]
		}
		f.nonNull, f.offset, f.resolver = fieldDef.Type.NonNull, field.offset, field.resolver
		if f.resolver != nil {
			f.args = c.arguments(field.args, fieldDef, group.first)
		}
		f.value = c.value(field.typ, fieldDef.Type, group.sets)
		f.early = f.value.gather != nil || f.resolver != nil && f.resolver.waits()
		p.early = p.early || f.early
	}
	return p
}

var errNull = errors.New("the value is null where the schema says that it cannot be")

// value compiles what is written for a Go type in a place of a GraphQL type.
func (c *compiler) value(t reflect.Type, at *ast.Type, sets []ast.SelectionSet) value {
	if l := c.schema.leafOf(t); l != nil {
		return value{write: leafWriter(l, at.NonNull)}
	}
	if a := c.schema.kinds[t]; a != nil {
		return c.abstract(t, a, at, sets)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return pointerValue(c.value(t.Elem(), at, sets), at.NonNull)
	case reflect.Slice:
		return listValue(c.value(t.Elem(), at.Elem, sets), t.Elem().Size(), at)
	}
	p := c.object(c.schema.objects[at.NamedType], sets)
	v := value{write: p.write}
	if p.early {
		v.gather = func(g *gathering, obj memory.Pointer) { g.add(p, obj) }
	}
	return v
}

func leafWriter(l *leaf, nonNull bool) func(*execution, memory.Pointer) bool {
	write := l.append
	return func(x *execution, p memory.Pointer) bool {
		before := len(x.buf)
		out, err := write(x.buf, p)
		if err == nil {
			x.buf = out
			return true
		}
		x.buf = out[:before]
		x.fail(err)
		return x.null(nonNull)
	}
}

func pointerValue(inner value, nonNull bool) value {
	write := inner.write
	v := value{write: func(x *execution, p memory.Pointer) bool {
		to := memory.Pointee(p)
		if to != nil {
			return write(x, to)
		}
		if nonNull {
			x.fail(errNull)
		}
		return x.null(nonNull)
	}}
	if gather := inner.gather; gather != nil {
		v.gather = func(g *gathering, p memory.Pointer) {
			if to := memory.Pointee(p); to != nil {
				gather(g, to)
			}
		}
	}
	return v
}

func listValue(inner value, size uintptr, at *ast.Type) value {
	write, nonNull, elemNonNull := inner.write, at.NonNull, at.Elem.NonNull
	v := value{write: func(x *execution, p memory.Pointer) bool {
		first, length := memory.List(p)
		if first == nil && !nonNull {
			return x.null(false)
		}
		x.buf = append(x.buf, '[')
		x.path = append(x.path, step{})
		here := len(x.path) - 1
		for i := range length {
			if i > 0 {
				x.buf = append(x.buf, ',')
			}
			x.path[here].index = i
			before := len(x.buf)
			if !write(x, memory.Add(first, uintptr(i)*size)) {
				if elemNonNull {
					x.path = x.path[:here]
					return x.null(nonNull)
				}
				x.buf = append(x.buf[:before], "null"...)
			}
		}
		x.path = x.path[:here]
		x.buf = append(x.buf, ']')
		return true
	}}
	if gather := inner.gather; gather != nil {
		v.gather = func(g *gathering, p memory.Pointer) {
			first, length := memory.List(p)
			for i := range length {
				gather(g, memory.Add(first, uintptr(i)*size))
			}
		}
	}
	return v
}

// abstractPlans are the plans of the members of a union or interface at one place, compiled when they are first met.
type abstractPlans struct {
	*compiler
	typ     reflect.Type
	sets    []ast.SelectionSet
	members map[reflect.Type]*objectType // by the type of the pointer

	mu    sync.Mutex
	plans map[*objectType]*objectPlan
}

var errForeign = errors.New("the value is of a type that is no member of the union or interface")

// open returns the object in an interface value, and its plan. Without a plan it is nil, or no member.
func (a *abstractPlans) open(p memory.Pointer) (plan *objectPlan, obj memory.Pointer, foreign bool) {
	held := reflect.NewAt(a.typ, p).Elem().Elem()
	if !held.IsValid() || held.Kind() == reflect.Pointer && held.IsNil() {
		return nil, nil, false
	}
	o := a.members[held.Type()]
	if o == nil {
		return nil, nil, true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if plan = a.plans[o]; plan == nil {
		plan = a.object(o, a.sets)
		a.plans[o] = plan
	}
	return plan, held.UnsafePointer(), false
}

func (c *compiler) abstract(t reflect.Type, kind *abstract, at *ast.Type, sets []ast.SelectionSet) value {
	a := &abstractPlans{compiler: c, typ: t, sets: sets, members: map[reflect.Type]*objectType{}, plans: map[*objectType]*objectPlan{}}
	for _, possible := range c.schema.ast.PossibleTypes[at.NamedType] {
		o := c.schema.objects[possible.Name]
		a.members[reflect.PointerTo(o.typ)] = o
	}
	nonNull := at.NonNull
	v := value{write: func(x *execution, p memory.Pointer) bool {
		plan, obj, foreign := a.open(p)
		switch {
		case plan != nil:
			return plan.write(x, obj)
		case foreign:
			x.fail(errForeign)
		case nonNull:
			x.fail(errNull)
		}
		return x.null(nonNull)
	}}
	if c.schema.waiting {
		v.gather = func(g *gathering, p memory.Pointer) {
			if plan, obj, _ := a.open(p); plan != nil && plan.early {
				g.add(plan, obj)
			}
		}
	}
	return v
}

// argumentPlan makes the struct of arguments of a field.
type argumentPlan struct {
	schema  *Schema
	in      *inputType
	defs    ast.ArgumentDefinitionList
	given   ast.ArgumentList
	settled bool // nothing depends on variables, and copies share no memory
	value   memory.Pointer
	err     error
}

func (c *compiler) arguments(in *inputType, def *ast.FieldDefinition, f *ast.Field) *argumentPlan {
	a := &argumentPlan{schema: c.schema, in: in, defs: def.Arguments, given: f.Arguments}
	if in.shares {
		return a
	}
	for _, arg := range f.Arguments {
		if dependsOnVariables(arg.Value) {
			return a
		}
	}
	a.value, a.err = a.make(nil)
	a.settled = true
	return a
}

func dependsOnVariables(v *ast.Value) bool {
	if v.Kind == ast.Variable {
		return true
	}
	for _, child := range v.Children {
		if dependsOnVariables(child.Value) {
			return true
		}
	}
	return false
}

func (a *argumentPlan) of(vars map[string]any) (memory.Pointer, error) {
	if a.settled {
		return a.value, a.err
	}
	return a.make(vars)
}

// make binds the arguments (section 6.4.1 of the specification, "CoerceArgumentValues").
func (a *argumentPlan) make(vars map[string]any) (memory.Pointer, error) {
	object := make(map[string]any, len(a.given))
	for _, def := range a.defs {
		given := a.given.ForName(def.Name)
		if given == nil || absent(given.Value, vars) {
			if def.DefaultValue == nil && def.Type.NonNull {
				return nil, Errorf(CodeBadUserInput, "Argument %s of required type %s was not provided.", def.Name, def.Type)
			}
			continue
		}
		value, ok := a.schema.literal(def.Type, given.Value, vars)
		if !ok {
			return nil, Errorf(CodeBadUserInput, "Argument %s is not of type %s.", def.Name, def.Type)
		}
		object[def.Name] = value
	}
	dst := reflect.New(a.in.typ)
	var wrong []schema.Violation
	a.in.fill(dst.Elem(), object, "", &wrong)
	if len(wrong) > 0 {
		return nil, violated(wrong)
	}
	return dst.UnsafePointer(), nil
}
