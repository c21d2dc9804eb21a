package risk

import (
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// call takes over what the callees do, or what is known of functions of other modules.
func (f *flow) call(call ssa.CallInstruction, block *ssa.BasicBlock) {
	common := call.Common()
	for _, s := range sinks(call) {
		if s.kind == URL && len(common.Args) > 0 && isNamed(common.Args[0].Type(), "net/http", "Client") && f.app.onlyOutbound(common.Args[0]) {
			continue
		}
		f.reach(s, call.Pos(), block)
	}
	if builtin, ok := common.Value.(*ssa.Builtin); ok {
		f.builtin(builtin.Name(), call, block)
		return
	}
	targets := f.targets[call]
	if callee := common.StaticCallee(); callee != nil && f.app.own[callee] && !slices.Contains(targets, callee) {
		targets = []*ssa.Function{callee}
	}
	if len(targets) == 0 {
		f.foreign(call, block)
		return
	}
	for _, callee := range targets {
		arguments := common.Args
		if common.IsInvoke() {
			arguments = append([]ssa.Value{common.Value}, arguments...)
		}
		if len(arguments) != len(callee.Params) {
			continue
		}
		given := slices.Clone(arguments)
		if made, ok := common.Value.(*ssa.MakeClosure); ok && made.Fn == callee {
			given = append(given, made.Bindings...)
		}
		f.apply(callee, given, call, block)
	}
}

// apply puts values in the places of a callee's inputs; those that there are no values for have none.
func (f *flow) apply(callee *ssa.Function, given []ssa.Value, at ssa.Instruction, block *ssa.BasicBlock) {
	sum := f.sums[callee]
	in := make([]taint, len(given))
	for i, v := range given {
		if v != nil {
			in[i] = f.full(v, block)
		}
	}
	if value, ok := at.(ssa.Value); ok {
		list := make([]taint, len(sum.results))
		for i, t := range sum.results {
			list[i] = translate(t, in)
		}
		switch {
		case len(list) == 1:
			f.set(value, list[0].only(value.Type()))
		case len(list) > 1:
			f.setTuple(value, list)
		}
	}
	for i, t := range sum.inputs {
		if i < len(given) && given[i] != nil {
			if t = translate(t, in); t != (taint{}) {
				f.put(given[i], t)
			}
		}
	}
	f.takeOver(sum, given, in, at, block)
}

// takeOver takes over the dangerous places that values get into, and the writes.
func (f *flow) takeOver(sum *summary, given []ssa.Value, in []taint, at ssa.Instruction, block *ssa.BasicBlock) {
	for _, h := range sum.hits {
		from := translateSet(h.from, in, int(h.kind))
		if from != 0 && len(h.chain) < longestChain && f.sum.addHit(hit{h.kind, from, h.pos, h.what, prepend(at.Pos(), h.chain)}) {
			f.news = true
		}
	}
	if f.locked(at) {
		return
	}
	for _, w := range sum.writes {
		from, direct := w.from&anyGlobal, false
		for i, v := range given {
			if v == nil || w.from&(1<<i) == 0 {
				continue
			}
			if _, free := base(v).(*ssa.FreeVar); free {
				direct = w.direct
			} else if w.direct {
				continue // a variable of this function
			}
			from |= f.get(v, block)[shared]
		}
		if from != 0 && len(w.chain) < longestChain && f.sum.addWrite(write{from, direct, w.pos, prepend(at.Pos(), w.chain)}) {
			f.news = true
		}
	}
}

func prepend(pos token.Pos, chain []token.Pos) []token.Pos {
	return append([]token.Pos{pos}, chain...)
}

func translate(t taint, in []taint) taint {
	var out taint
	for k := range t {
		out[k] = translateSet(t[k], in, k)
	}
	return out
}

func translateSet(s set, in []taint, kind int) set {
	out := s & (anyRequest | anyGlobal)
	for i := range in {
		if i < mostInputs && s&(1<<i) != 0 {
			out |= in[i][kind]
		}
	}
	return out
}

func (f *flow) setTuple(v ssa.Value, list []taint) {
	before := f.tuples[v]
	if before == nil {
		f.tuples[v] = list
		f.changed = true
		return
	}
	for i := range before {
		if grown := before[i].or(list[i]); grown != before[i] {
			before[i] = grown
			f.changed = true
		}
	}
}

// closure takes over what a closure does with what it captured, whoever calls it.
func (f *flow) closure(made *ssa.MakeClosure, block *ssa.BasicBlock) {
	fn := made.Fn.(*ssa.Function)
	var t taint
	for _, binding := range made.Bindings {
		t[shared] |= f.get(binding, block)[shared]
	}
	f.set(made, t)
	sum := f.sums[fn]
	if sum == nil {
		return
	}
	given := append(make([]ssa.Value, len(fn.Params)), made.Bindings...)
	in := make([]taint, len(given))
	for i, v := range given {
		if v != nil {
			in[i] = f.full(v, block)
			in[i][shared] |= f.memory[base(v)][shared]
		}
	}
	for _, result := range sum.results {
		f.set(made, translate(result, in).data())
	}
	for i, grown := range sum.inputs {
		if grown = translate(grown, in); i < len(given) && given[i] != nil && grown != (taint{}) {
			f.put(given[i], grown)
		}
	}
	if onlyOnce(made) {
		sum = &summary{hits: sum.hits}
	}
	f.takeOver(sum, given, in, made, block)
}

// onlyOnce reports whether a closure is for a sync.Once.
func onlyOnce(made *ssa.MakeClosure) bool {
	for _, user := range *made.Referrers() {
		if call, ok := user.(ssa.CallInstruction); ok {
			if c, _ := calleeOf(call.Common()); c.pkg == "sync" && strings.HasPrefix(c.recv+c.name, "Once") {
				return true
			}
		}
	}
	return false
}

func (f *flow) builtin(name string, call ssa.CallInstruction, block *ssa.BasicBlock) {
	args := call.Common().Args
	value, _ := call.(*ssa.Call)
	switch name {
	case "append", "min", "max":
		var t taint
		for _, argument := range args {
			t = t.or(f.full(argument, block))
			t[shared] |= f.memory[base(argument)][shared]
		}
		if value != nil {
			f.set(value, t.only(value.Type()))
		}
	case "copy":
		f.put(args[0], f.full(args[1], block))
	case "delete", "clear":
		f.written(call, args[0], block)
	}
}

// foreign is a call of a function whose body is not the application's: what it gets is in what it gives, unless its
// package or its type says otherwise.
func (f *flow) foreign(call ssa.CallInstruction, block *ssa.BasicBlock) {
	common := call.Common()
	c, known := calleeOf(common)
	args := common.Args
	if common.IsInvoke() {
		args = append([]ssa.Value{common.Value}, args...)
	}
	var all taint
	for _, argument := range args {
		all = all.or(f.full(argument, block).data())
	}
	if !common.IsInvoke() {
		all = all.or(f.get(common.Value, block).data())
	}
	if decoder(c) {
		for _, argument := range args {
			all = all.or(f.values[argument].data())
		}
	}
	if i, ok := fillers[c]; ok && i < len(args) {
		f.put(args[i], all)
	}
	value, ok := call.(*ssa.Call)
	if !ok {
		return
	}
	switch {
	case c == callee{framework, "", "FromContext"}:
		all = everyKind(anyRequest).data()
	case c.pkg == framework && c.recv == "Request" && c.name == "Param":
		if name, ok := constantText(args[1]); ok && f.numeric[name] {
			all = taint{}
		}
	case silent(c), !known && len(f.outside[call]) > 0 && !slices.ContainsFunc(f.outside[call], func(c callee) bool { return !silent(c) }):
		all = taint{}
	}
	all = all.without(f.cleans(c, args)...)
	f.set(value, all.only(value.Type()))
}

// cleans is what the result of a call is clear of.
func (f *flow) cleans(c callee, args []ssa.Value) []Kind {
	list := cleaners[c]
	switch {
	case c.pkg == "fmt" && c.name == "Sprintf":
		if format, ok := constantText(args[0]); ok {
			prefix, _, _ := strings.Cut(format, "%")
			list = append(slices.Clone(list), fixedBy(prefix)...)
		}
	case (c.pkg == "path" || c.pkg == "path/filepath") && c.name == "Clean":
		if first, ok := constantText(leftmost(args[0])); ok && strings.HasPrefix(first, "/") {
			if sum, ok := args[0].(*ssa.BinOp); ok && sum.Op == token.ADD && len(first) == 1 {
				return []Kind{File}
			}
		}
	case (c.pkg == "path" || c.pkg == "path/filepath") && c.name == "Join":
		if parts := elements(args[0]); len(parts) > 0 {
			if first, ok := constantText(parts[0]); ok && first == "/" {
				return []Kind{File}
			}
		}
	}
	return list
}

// onlyOutbound reports whether a client is one of package outbound wherever it comes from.
func (a *application) onlyOutbound(client ssa.Value) bool {
	if load, ok := client.(*ssa.UnOp); ok && load.Op == token.MUL {
		if field, ok := load.X.(*ssa.FieldAddr); ok {
			stored := a.storedInField(field)
			return len(stored) > 0 && !slices.ContainsFunc(stored, func(v ssa.Value) bool { return !a.isOutbound(v) })
		}
	}
	return a.isOutbound(client)
}

func (a *application) isOutbound(v ssa.Value) bool {
	list := a.origins(v, 0)
	return len(list) > 0 && !slices.ContainsFunc(list, func(origin ssa.Value) bool {
		call, ok := origin.(*ssa.Call)
		if !ok {
			return true
		}
		c, _ := calleeOf(call.Common())
		return c.pkg != framework+"/outbound"
	})
}

// storedInField are the values that the application stores in a field of a struct, of whatever variable.
func (a *application) storedInField(field *ssa.FieldAddr) []ssa.Value {
	var list []ssa.Value
	for _, fn := range a.funcs {
		for _, block := range fn.Blocks {
			for _, instruction := range block.Instrs {
				store, ok := instruction.(*ssa.Store)
				if !ok {
					continue
				}
				if to, ok := store.Addr.(*ssa.FieldAddr); ok && to.Field == field.Field && types.Identical(to.X.Type(), field.X.Type()) {
					list = append(list, store.Val)
				}
			}
		}
	}
	return list
}
