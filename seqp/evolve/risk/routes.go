package risk

import (
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// entry is a route as its registration has it.
type entry struct {
	methods  []string // nil is every one
	pattern  string
	name     string
	level    string
	guarded  bool // an option or a middleware lets only some in
	mounted  bool
	input    types.Type // of a typed handler: the struct
	handlers []*ssa.Function
	foreign  string // what the handler is called where it is not the application's
	pos      token.Pos
}

// verbs are the methods that register, and what they answer to.
var verbs = map[string][]string{
	"Get": {"GET"}, "Post": {"POST"}, "Put": {"PUT"}, "Patch": {"PATCH"}, "Delete": {"DELETE"}, "Head": {"HEAD"},
	"Options": {"OPTIONS"}, "Any": nil, "Route": {"GET"}, "Mount": nil,
}

// routes finds the registrations in the application's source, in their order.
func (a *application) routes() []entry {
	var list []entry
	for _, fn := range a.funcs {
		if fn.Synthetic != "" && fn.Origin() == nil && fn.Parent() == nil && !strings.Contains(fn.Synthetic, "package init") {
			continue
		}
		for call := range calls(fn) {
			list = append(list, a.registration(call)...)
		}
	}
	return list
}

// registration reads a call as a registration; there is one entry for each prefix that its blueprint is found to have.
func (a *application) registration(call ssa.CallInstruction) []entry {
	common := call.Common()
	c, ok := calleeOf(common)
	if !ok || c.pkg != framework || len(common.Args) < 3 {
		return nil
	}
	methods, ok := verbs[c.name]
	if !ok || c.recv != "" && c.recv != "group" && c.recv != "App" && c.recv != "Blueprint" {
		return nil
	}
	pattern, ok := constantText(common.Args[1])
	if !ok {
		return nil
	}
	e := entry{methods: methods, pos: call.Pos(), mounted: c.name == "Mount"}
	if c.recv == "" {
		if e.input = inputOf(common.Args[2]); e.input == nil {
			return nil
		}
	}
	e.handlers = a.functionsOf(common.Args[2], 0)
	if len(e.handlers) == 0 {
		e.foreign = a.foreignName(common.Args[2])
	}
	if len(common.Args) > 3 {
		a.readOptions(&e, common.Args[3], 0)
	}
	var list []entry
	for _, home := range a.homes(common.Args[0], 0) {
		one := e
		one.pattern = home.prefix + pattern
		one.guarded = e.guarded || home.guarded
		if one.name != "" && home.name != "" {
			one.name = home.name + "." + one.name
		}
		list = append(list, one)
	}
	return list
}

// inputOf is the struct that a typed handler takes.
func inputOf(handler ssa.Value) types.Type {
	signature, ok := handler.Type().Underlying().(*types.Signature)
	if !ok || signature.Params().Len() != 2 {
		return nil
	}
	pointer, ok := signature.Params().At(1).Type().Underlying().(*types.Pointer)
	if !ok {
		return nil
	}
	return pointer.Elem()
}

func constantText(v ssa.Value) (string, bool) {
	c, ok := v.(*ssa.Const)
	if !ok || c.Value == nil || c.Value.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(c.Value), true
}

// home is what routes are registered on.
type home struct {
	prefix, name string
	guarded      bool
}

// deepest is how many steps a value is followed back.
const deepest = 12

// homes follows a router back to where it was made: the application has no prefix, a blueprint its own and those of the
// routers it is registered on.
func (a *application) homes(v ssa.Value, depth int) []home {
	if depth > deepest {
		return []home{{}}
	}
	var list []home
	for _, origin := range a.origins(v, depth) {
		call, ok := origin.(*ssa.Call)
		if !ok {
			list = append(list, home{})
			continue
		}
		c, _ := calleeOf(call.Common())
		if c.pkg != framework || c.name != "NewBlueprint" {
			list = append(list, home{})
			continue
		}
		one := home{}
		one.name, _ = constantText(call.Call.Args[0])
		one.prefix, _ = constantText(call.Call.Args[1])
		guard := entry{}
		a.readOptions(&guard, call.Call.Args[2], 0)
		one.guarded = guard.guarded
		parents := a.registeredOn(call, depth+1)
		if len(parents) == 0 {
			parents = []home{{}}
		}
		for _, parent := range parents {
			full := home{parent.prefix + one.prefix, one.name, one.guarded || parent.guarded}
			if parent.name != "" {
				full.name = parent.name + "." + one.name
			}
			list = append(list, full)
		}
	}
	slices.SortFunc(list, func(x, y home) int { return strings.Compare(x.prefix, y.prefix) })
	return slices.Compact(list)
}

// registeredOn finds the routers that a blueprint is registered on.
func (a *application) registeredOn(blueprint *ssa.Call, depth int) []home {
	var list []home
	if depth > deepest {
		return nil
	}
	for _, fn := range a.funcs {
		for call := range calls(fn) {
			c, ok := calleeOf(call.Common())
			if !ok || c.pkg != framework || c.name != "Register" || len(call.Common().Args) != 2 {
				continue
			}
			if slices.Contains(a.origins(call.Common().Args[1], depth), ssa.Value(blueprint)) {
				list = append(list, a.homes(call.Common().Args[0], depth+1)...)
			}
		}
	}
	return list
}

// origins follows a value back through variables, parameters and results to the values that it may be.
func (a *application) origins(v ssa.Value, depth int) []ssa.Value {
	seen := map[ssa.Value]bool{}
	var list []ssa.Value
	var follow func(v ssa.Value, depth int)
	follow = func(v ssa.Value, depth int) {
		if v == nil || seen[v] || depth > 2*deepest {
			return
		}
		seen[v] = true
		switch v := v.(type) {
		case *ssa.MakeInterface:
			follow(v.X, depth)
		case *ssa.ChangeType:
			follow(v.X, depth)
		case *ssa.ChangeInterface:
			follow(v.X, depth)
		case *ssa.FieldAddr:
			if isNamed(v.X.Type(), framework, "App") || isNamed(v.X.Type(), framework, "Blueprint") { // the embedded group
				follow(v.X, depth)
				return
			}
			list = append(list, v)
		case *ssa.Phi:
			for _, edge := range v.Edges {
				follow(edge, depth+1)
			}
		case *ssa.UnOp:
			if stored := storedIn(v.X); v.Op == token.MUL && len(stored) > 0 {
				for _, value := range stored {
					follow(value, depth+1)
				}
				return
			}
			if free, ok := v.X.(*ssa.FreeVar); ok && v.Op == token.MUL {
				for _, value := range storedIn(bindingOf(free)) {
					follow(value, depth+1)
				}
				return
			}
			list = append(list, v)
		case *ssa.FreeVar:
			follow(bindingOf(v), depth+1)
		case *ssa.Parameter:
			given := a.given(v)
			for _, value := range given {
				follow(value, depth+1)
			}
			if len(given) == 0 {
				list = append(list, v)
			}
		case *ssa.Call:
			callee := v.Call.StaticCallee()
			c, _ := calleeOf(v.Common())
			switch {
			case c.pkg == framework && c.name == "With" && c.recv == "Blueprint":
				follow(v.Call.Args[0], depth)
			case callee != nil && a.own[callee]:
				for _, result := range returned(callee, 0) {
					follow(result, depth+1)
				}
			default:
				list = append(list, v)
			}
		case *ssa.Extract:
			if call, ok := v.Tuple.(*ssa.Call); ok {
				if callee := call.Call.StaticCallee(); callee != nil && a.own[callee] {
					for _, result := range returned(callee, v.Index) {
						follow(result, depth+1)
					}
					return
				}
			}
			list = append(list, v)
		default:
			list = append(list, v)
		}
	}
	follow(v, depth)
	return list
}

// given are the values that the application's calls give a parameter.
func (a *application) given(p *ssa.Parameter) []ssa.Value {
	var list []ssa.Value
	i := slices.Index(p.Parent().Params, p)
	for _, c := range a.callers[p.Parent()] {
		if i < len(c.call.Common().Args) {
			list = append(list, c.call.Common().Args[i])
		}
	}
	return list
}

// storedIn are the values that are stored in a variable.
func storedIn(address ssa.Value) []ssa.Value {
	var list []ssa.Value
	switch address.(type) {
	case *ssa.Alloc, *ssa.Global:
	default:
		return nil
	}
	if address.Referrers() == nil {
		return nil
	}
	for _, user := range *address.Referrers() {
		if store, ok := user.(*ssa.Store); ok && store.Addr == address {
			list = append(list, store.Val)
		}
	}
	return list
}

// bindingOf is what a closure's free variable is in the function that made the closure.
func bindingOf(free *ssa.FreeVar) ssa.Value {
	closure := free.Parent()
	if closure.Parent() == nil {
		return nil
	}
	for _, block := range closure.Parent().Blocks {
		for _, instruction := range block.Instrs {
			if made, ok := instruction.(*ssa.MakeClosure); ok && made.Fn == closure {
				if i := slices.Index(closure.FreeVars, free); i < len(made.Bindings) {
					return made.Bindings[i]
				}
			}
		}
	}
	return nil
}

// returned are the values that a function returns at a place.
func returned(fn *ssa.Function, index int) []ssa.Value {
	var list []ssa.Value
	for _, block := range fn.Blocks {
		if ret, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return); ok && index < len(ret.Results) {
			list = append(list, ret.Results[index])
		}
	}
	return list
}

// functionsOf are the functions that a handler's value may be, with those that wrap another.
func (a *application) functionsOf(v ssa.Value, depth int) []*ssa.Function {
	var list []*ssa.Function
	if depth > 4 {
		return nil
	}
	for _, origin := range a.origins(v, depth) {
		switch origin := origin.(type) {
		case *ssa.Function:
			list = append(list, origin)
		case *ssa.MakeClosure:
			list = append(list, origin.Fn.(*ssa.Function))
			for _, binding := range origin.Bindings { // a wrapper calls the one it wraps
				if _, ok := binding.Type().Underlying().(*types.Signature); ok {
					list = append(list, a.functionsOf(binding, depth+1)...)
				}
			}
		case *ssa.Call: // of another module: what is given to it
			if c, _ := calleeOf(origin.Common()); c == (callee{"net/http", "", "NewServeMux"}) {
				list = append(list, a.muxHandlers(origin, depth+1)...)
			}
			for _, argument := range origin.Call.Args {
				if _, ok := argument.Type().Underlying().(*types.Signature); ok {
					list = append(list, a.functionsOf(argument, depth+1)...)
				}
				if made, ok := argument.(*ssa.MakeInterface); ok {
					list = append(list, a.functionsOf(made, depth+1)...)
				}
			}
		}
	}
	var own []*ssa.Function
	for _, fn := range list {
		if a.own[fn] && !slices.Contains(own, fn) {
			own = append(own, fn)
		}
	}
	return own
}

// foreignName is what a handler of another module is called, such as "net/http.FileServer".
func (a *application) foreignName(v ssa.Value) string {
	for _, origin := range a.origins(v, 0) {
		switch origin := origin.(type) {
		case *ssa.Function:
			return strings.TrimSuffix(origin.RelString(nil), "$bound")
		case *ssa.MakeClosure:
			return strings.TrimSuffix(origin.Fn.(*ssa.Function).RelString(nil), "$bound")
		case *ssa.Call:
			if c, ok := calleeOf(origin.Common()); ok {
				return c.String()
			}
		}
	}
	return v.Type().String()
}

// muxHandlers are the handlers that a net/http mux is given.
func (a *application) muxHandlers(mux *ssa.Call, depth int) []*ssa.Function {
	var list []*ssa.Function
	for _, fn := range a.funcs {
		for call := range calls(fn) {
			c, _ := calleeOf(call.Common())
			if c.pkg != "net/http" || c.recv != "ServeMux" || c.name != "HandleFunc" && c.name != "Handle" {
				continue
			}
			if slices.Contains(a.origins(call.Common().Args[0], depth), ssa.Value(mux)) {
				list = append(list, a.functionsOf(call.Common().Args[2], depth)...)
			}
		}
	}
	return list
}

// guards are options and middleware that let only some in.
var guards = regexp.MustCompile(`^(LoginRequired|RoleRequired|Require|RequireRole|BearerAuth|BasicAuth|APIKey|Guard)`)

// readOptions reads the options of a registration out of its variadic argument.
func (a *application) readOptions(e *entry, v ssa.Value, depth int) {
	if depth > 3 {
		return
	}
	for _, value := range elements(v) {
		for _, origin := range a.origins(value, depth) {
			call, ok := origin.(*ssa.Call)
			if !ok {
				continue
			}
			c, _ := calleeOf(call.Common())
			args := call.Call.Args
			switch {
			case c == callee{framework, "", "Name"}:
				e.name, _ = constantText(args[0])
			case c == callee{framework, "", "Methods"}:
				e.methods = nil
				for _, element := range elements(args[0]) {
					if text, ok := constantText(element); ok {
						e.methods = append(e.methods, text)
					}
				}
			case c == callee{framework, "", "Options"}:
				a.readOptions(e, args[0], depth+1)
			case c == callee{framework + "/seqp", "", "Critical"}:
				e.level, _ = constantText(args[0])
			case c.pkg == framework && c.recv == "Annotation" && c.name == "On" && isNamed(args[1].Type(), framework, "Level"):
				if level, ok := args[1].(*ssa.Const); ok {
					names := []string{"standard", "data_critical", "security_critical", "financial_core"}
					if i := level.Uint64(); i < uint64(len(names)) {
						e.level = names[i]
					}
				}
			case guards.MatchString(c.name):
				e.guarded = true
			}
		}
	}
}

// elements are the values of a variadic argument that the call wrote out.
func elements(v ssa.Value) []ssa.Value {
	slice, ok := v.(*ssa.Slice)
	if !ok || slice.X.Referrers() == nil {
		return nil
	}
	var list []ssa.Value
	for _, user := range *slice.X.Referrers() {
		address, ok := user.(*ssa.IndexAddr)
		if !ok || address.Referrers() == nil {
			continue
		}
		for _, user := range *address.Referrers() {
			if store, ok := user.(*ssa.Store); ok {
				list = append(list, store.Val)
			}
		}
	}
	return list
}
