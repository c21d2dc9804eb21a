package risk

import (
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// Data flow by summaries. Each function is read once for what its inputs, which are its parameters and free variables, get
// into; a caller puts its own values in their places. Functions are read again when one that they call has changed, until
// none does: sets only grow, so that there is an end.

// hit is a dangerous place that inputs get into.
type hit struct {
	kind  Kind
	from  set
	pos   token.Pos
	what  string
	chain []token.Pos // the calls that lead there, the outermost first
}

// write is a write without a lock to memory that is reached through inputs.
type write struct {
	from   set
	direct bool // to a captured variable itself
	pos    token.Pos
	chain  []token.Pos
}

// summary is what a function does with its inputs.
type summary struct {
	results []taint
	inputs  []taint // what gets into the memory behind each input
	hits    []hit
	writes  []write
}

// longestChain is how many calls a finding is followed through.
const longestChain = 8

func (s *summary) addHit(h hit) bool {
	for i := range s.hits {
		if s.hits[i].kind == h.kind && s.hits[i].pos == h.pos {
			before := s.hits[i].from
			s.hits[i].from |= h.from
			return s.hits[i].from != before
		}
	}
	s.hits = append(s.hits, h)
	return true
}

func (s *summary) addWrite(w write) bool {
	for i := range s.writes {
		if s.writes[i].pos == w.pos && s.writes[i].direct == w.direct {
			before := s.writes[i].from
			s.writes[i].from |= w.from
			return s.writes[i].from != before
		}
	}
	s.writes = append(s.writes, w)
	return true
}

// flows are the summaries of an application.
type flows struct {
	app     *application
	numeric map[string]bool // parameters of patterns that are numbers wherever they stand
	sums    map[*ssa.Function]*summary
	targets map[ssa.CallInstruction][]*ssa.Function
	outside map[ssa.CallInstruction][]callee // of other modules, for calls of values
}

// newFlows computes the summaries of all functions.
func newFlows(app *application, numeric map[string]bool) *flows {
	fs := &flows{app, numeric, map[*ssa.Function]*summary{}, map[ssa.CallInstruction][]*ssa.Function{}, map[ssa.CallInstruction][]callee{}}
	users := map[*ssa.Function][]*ssa.Function{}
	for _, fn := range app.funcs {
		sum := &summary{inputs: make([]taint, len(fn.Params)+len(fn.FreeVars))}
		sum.results = make([]taint, fn.Signature.Results().Len())
		fs.sums[fn] = sum
		fs.resolve(fn, users)
	}
	queue := slices.Clone(app.funcs)
	queued := map[*ssa.Function]bool{}
	for _, fn := range queue {
		queued[fn] = true
	}
	for len(queue) > 0 {
		fn := queue[0]
		queue = queue[1:]
		queued[fn] = false
		if !fs.read(fn) {
			continue
		}
		for _, user := range append(users[fn], fn) {
			if !queued[user] {
				queued[user] = true
				queue = append(queue, user)
			}
		}
	}
	return fs
}

// resolve notes what each call of a function may call, and who uses whom.
func (fs *flows) resolve(fn *ssa.Function, users map[*ssa.Function][]*ssa.Function) {
	if node := fs.app.graph.Nodes[fn]; node != nil {
		for _, edge := range node.Out {
			if callee := edge.Callee.Func; fs.app.own[callee] {
				fs.targets[edge.Site] = append(fs.targets[edge.Site], callee)
				users[callee] = append(users[callee], fn)
			} else if object := callee.Object(); object != nil && edge.Site != nil {
				c, _ := nameOf(object)
				fs.outside[edge.Site] = append(fs.outside[edge.Site], c)
			}
		}
	}
	for _, list := range fs.targets {
		slices.SortFunc(list, func(a, b *ssa.Function) int { return int(a.Pos()) - int(b.Pos()) })
	}
	for _, block := range fn.Blocks {
		for _, instruction := range block.Instrs {
			if made, ok := instruction.(*ssa.MakeClosure); ok {
				closure := made.Fn.(*ssa.Function)
				users[closure] = append(users[closure], fn)
			}
		}
	}
}

// flow is the reading of one function.
type flow struct {
	*flows
	fn      *ssa.Function
	sum     *summary
	index   map[ssa.Value]int // of the inputs
	values  map[ssa.Value]taint
	memory  map[ssa.Value]taint // what is in the memory of a base
	tuples  map[ssa.Value][]taint
	checks  map[checked][]placed
	locks   []lockCall
	changed bool // something local
	news    bool // something in the summary
}

// read reads a function and reports whether its summary has grown.
func (fs *flows) read(fn *ssa.Function) bool {
	f := &flow{
		flows: fs, fn: fn, sum: fs.sums[fn], index: map[ssa.Value]int{}, values: map[ssa.Value]taint{}, memory: map[ssa.Value]taint{},
		tuples: map[ssa.Value][]taint{}, checks: placedChecks(fn), locks: locksOf(fn),
	}
	i := 0
	input := func(v ssa.Value) {
		if i < mostInputs {
			f.index[v] = i
			f.values[v] = everyKind(1 << i).only(v.Type())
		}
		i++
	}
	for _, p := range fn.Params {
		input(p)
	}
	for _, v := range fn.FreeVars {
		input(v)
	}
	for f.changed = true; f.changed; {
		f.changed = false
		for _, block := range fn.Blocks {
			for _, instruction := range block.Instrs {
				f.step(block, instruction)
			}
		}
	}
	return f.news
}

// get is the taint of a value where a block uses it.
func (f *flow) get(v ssa.Value, block *ssa.BasicBlock) taint {
	if _, ok := v.(*ssa.Global); ok {
		return taint{shared: anyGlobal}
	}
	t := f.values[v]
	if t.data() != (taint{}) {
		t = t.without(f.cleared(throughLocal(v), block)...)
	}
	return t
}

// full is get with what is in the memory that the value points to.
func (f *flow) full(v ssa.Value, block *ssa.BasicBlock) taint {
	b := base(v)
	t := f.get(v, block)
	if carries(v.Type()) {
		t = t.or(f.memory[b].data())
		if b != v {
			t = t.or(f.memory[v].data())
		}
	}
	return t
}

func (f *flow) set(v ssa.Value, t taint) {
	if before := f.values[v]; before.or(t) != before {
		f.values[v] = before.or(t)
		f.changed = true
	}
}

// put stores into the memory that an address belongs to, through variables that hold the address.
func (f *flow) put(address ssa.Value, t taint) {
	for range 4 {
		b := base(address)
		if before := f.memory[b]; before.or(t) != before {
			f.memory[b] = before.or(t)
			f.changed = true
		}
		if i, ok := f.index[b]; ok {
			self := set(1) << i
			grown := t
			for k := range grown {
				grown[k] &^= self
			}
			if before := f.sum.inputs[i]; before.or(grown) != before {
				f.sum.inputs[i] = before.or(grown)
				f.news = true
			}
		}
		load, ok := b.(*ssa.UnOp)
		if !ok || load.Op != token.MUL {
			return
		}
		address = load.X
	}
}

// load is what an address holds.
func (f *flow) load(address ssa.Value, block *ssa.BasicBlock) taint {
	b := base(address)
	t := f.get(b, block).or(f.memory[b])
	if field, ok := address.(*ssa.FieldAddr); ok && checkedField(field.X.Type(), field.Field) {
		t = taint{shared: t[shared]}
	}
	return t
}

func (f *flow) step(block *ssa.BasicBlock, instruction ssa.Instruction) {
	switch x := instruction.(type) {
	case *ssa.Phi:
		var t taint
		for i, edge := range x.Edges {
			value := f.get(edge, block.Preds[i])
			t = t.or(value.without(f.clearedOn(throughLocal(edge), block.Preds[i], block)...))
		}
		f.set(x, t)
	case *ssa.UnOp:
		if x.Op == token.MUL {
			f.set(x, f.load(x.X, block).only(x.Type()))
		} else {
			f.set(x, f.full(x.X, block).only(x.Type()))
		}
	case *ssa.BinOp:
		f.set(x, f.concatenated(x, block).only(x.Type()))
	case *ssa.FieldAddr:
		f.set(x, f.get(x.X, block))
	case *ssa.Field:
		if !checkedField(x.X.Type(), x.Field) {
			f.set(x, f.full(x.X, block).only(x.Type()))
		}
	case *ssa.IndexAddr:
		f.set(x, f.get(x.X, block))
	case *ssa.Index:
		f.set(x, f.full(x.X, block).only(x.Type()))
	case *ssa.Lookup:
		f.set(x, f.full(x.X, block).only(x.Type()))
	case *ssa.Extract:
		if list, ok := f.tuples[x.Tuple]; ok && x.Index < len(list) {
			f.set(x, list[x.Index].only(x.Type()))
		} else if !ok {
			f.set(x, f.get(x.Tuple, block).only(x.Type()))
		}
	case *ssa.Store:
		f.put(x.Addr, f.full(x.Val, block))
		f.written(x, base(x.Addr), block)
	case *ssa.MapUpdate:
		f.put(x.Map, f.full(x.Key, block).or(f.full(x.Value, block)))
		f.written(x, x.Map, block)
	case *ssa.Send:
		f.put(x.Chan, f.full(x.X, block))
	case *ssa.Return:
		f.returns(x, block)
	case *ssa.MakeClosure:
		f.closure(x, block)
	case ssa.CallInstruction:
		f.call(x, block)
	case ssa.Value: // conversions and the like
		for _, operand := range instruction.Operands(nil) {
			if *operand != nil {
				f.set(x, f.full(*operand, block).only(x.Type()))
			}
		}
	}
}

// concatenated is a sum of texts: behind a fixed beginning an address stays where it is.
func (f *flow) concatenated(x *ssa.BinOp, block *ssa.BasicBlock) taint {
	if x.Op != token.ADD {
		return taint{}
	}
	left, right := f.get(x.X, block), f.get(x.Y, block)
	first := leftmost(x.X)
	if text, ok := constantText(first); ok {
		right = right.without(fixedBy(text)...)
	} else if f.get(first, block).data() == (taint{}) {
		right = right.without(Redirect, URL)
	}
	return left.or(right)
}

func leftmost(v ssa.Value) ssa.Value {
	for {
		sum, ok := v.(*ssa.BinOp)
		if !ok {
			return v
		}
		v = sum.X
	}
}

// fixedBy is what the beginning of a text settles.
func fixedBy(prefix string) []Kind {
	switch {
	case fixedHost.MatchString(prefix):
		return []Kind{Redirect, URL, Argument}
	case localPath.MatchString(prefix):
		return []Kind{Redirect, Argument}
	case prefix != "" && !strings.HasPrefix(prefix, "-"):
		return []Kind{Argument}
	}
	return nil
}

func (f *flow) returns(x *ssa.Return, block *ssa.BasicBlock) {
	for i, value := range x.Results {
		t := f.full(value, block).only(value.Type())
		if i < len(f.sum.results) && f.sum.results[i].or(t) != f.sum.results[i] {
			f.sum.results[i] = f.sum.results[i].or(t)
			f.news = true
		}
	}
	for _, s := range returnSinks(f.fn, x) {
		f.reach(s, x.Pos(), block)
	}
}

// reach notes what gets into a dangerous place.
func (f *flow) reach(s sink, pos token.Pos, block *ssa.BasicBlock) {
	if from := f.full(s.arg, block)[s.kind]; from != 0 && f.sum.addHit(hit{s.kind, from, pos, s.what, nil}) {
		f.news = true
	}
}

// written notes a write through a base.
func (f *flow) written(at ssa.Instruction, b ssa.Value, block *ssa.BasicBlock) {
	if _, ok := b.(*ssa.Alloc); ok || f.locked(at) {
		return
	}
	from := f.get(b, block)[shared]
	_, direct := b.(*ssa.FreeVar)
	if from != 0 && f.sum.addWrite(write{from, direct, at.Pos(), nil}) {
		f.news = true
	}
}

// lockCall is a call of Lock, and whether it is the opposite.
type lockCall struct {
	at     ssa.Instruction
	unlock bool
}

func locksOf(fn *ssa.Function) []lockCall {
	var list []lockCall
	for call := range calls(fn) {
		plain, ok := call.(*ssa.Call)
		if !ok {
			continue
		}
		if c, _ := calleeOf(call.Common()); c.pkg == "sync" && (c.name == "Lock" || c.name == "Unlock") {
			list = append(list, lockCall{plain, c.name == "Unlock"})
		}
	}
	return list
}

// locked reports whether a lock is held at an instruction on every way to it.
func (f *flow) locked(at ssa.Instruction) bool {
	for _, lock := range f.locks {
		if lock.unlock || !before(lock.at, at) {
			continue
		}
		released := slices.ContainsFunc(f.locks, func(other lockCall) bool {
			return other.unlock && before(lock.at, other.at) && before(other.at, at)
		})
		if !released {
			return true
		}
	}
	return false
}

// before reports whether an instruction is run before another on every way to that.
func before(a, b ssa.Instruction) bool {
	if a.Block() != b.Block() {
		return a.Block().Dominates(b.Block())
	}
	return slices.Index(a.Block().Instrs, a) < slices.Index(a.Block().Instrs, b)
}
