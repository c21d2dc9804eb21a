package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa/internal/memory"
)

// Execution writes the answer in one walk, depth first, as the specification orders it: what a field's error takes with it
// is cut off the end of what is written.
//
// Fields that wait for something else cannot be resolved on that walk without waiting for every object in turn. So the parts
// of the answer that have any are resolved before, level by level: all objects that are at the same place of the operation
// together, a batch resolver once, a concurrent one for all objects at the same time. The walk then finds the results, and
// tells of their errors when it comes by, so the answer is the same as if it had called them.

// execution is one run of an operation, or of one event of a subscription.
type execution struct {
	ctx    context.Context
	engine *engine
	vars   map[string]any
	buf    []byte
	path   []step
	errs   []*Error
	frames map[*objectPlan]*frame
}

// step is a field, or an index in a list.
type step struct {
	field *fieldPlan
	index int
}

// result is what a resolver returned for one object.
type result struct {
	p   memory.Pointer
	err error
}

// frame holds what was resolved early for the objects of one plan.
type frame struct {
	plan    *objectPlan
	objects []memory.Pointer
	rows    map[memory.Pointer]int
	columns [][]result // by field, then by row
}

// gathering are the objects of a level, by their plans, in the order they were found.
type gathering struct {
	frames []*frame
	byPlan map[*objectPlan]*frame
}

func (g *gathering) add(p *objectPlan, obj memory.Pointer) {
	f := g.byPlan[p]
	if f == nil {
		f = &frame{plan: p, rows: map[memory.Pointer]int{}, columns: make([][]result, len(p.fields))}
		g.byPlan[p] = f
		g.frames = append(g.frames, f)
	}
	if _, known := f.rows[obj]; !known {
		f.rows[obj] = len(f.objects)
		f.objects = append(f.objects, obj)
	}
}

// null appends null where that is allowed.
func (x *execution) null(nonNull bool) bool {
	if nonNull {
		return false
	}
	x.buf = append(x.buf, "null"...)
	return true
}

// fail notes an error at the current path.
func (x *execution) fail(err error) {
	var field *fieldPlan
	path := make([]any, len(x.path))
	for i, s := range x.path {
		if s.field != nil {
			field = s.field
			path[i] = field.name
		} else {
			path[i] = s.index
		}
	}
	shown := present(x.ctx, x.engine.logger, fmt.Sprint(path), err)
	shown.Path = path
	if field != nil && field.position != nil {
		shown.Locations = []Location{{field.position.Line, field.position.Column}}
	}
	x.errs = append(x.errs, shown)
}

// write appends an object.
func (p *objectPlan) write(x *execution, obj memory.Pointer) bool {
	var f *frame
	row := 0
	if p.early {
		if f = x.frames[p]; f != nil {
			known := false
			if row, known = f.rows[obj]; !known {
				f = nil // a resolver has changed what another had returned
			}
		}
	}
	x.buf = append(x.buf, '{')
	for i := range p.fields {
		if !x.field(&p.fields[i], i, obj, f, row) {
			return false
		}
	}
	x.buf = append(x.buf, '}')
	return true
}

// field appends one field of an object. It is false if the object cannot be.
func (x *execution) field(f *fieldPlan, i int, obj memory.Pointer, early *frame, row int) bool {
	x.buf = append(x.buf, f.key...)
	if f.constant != "" {
		x.buf = append(x.buf, f.constant...)
		return true
	}
	before, depth := len(x.buf), len(x.path)
	x.path = append(x.path, step{field: f})
	var ok bool
	if f.resolver == nil {
		ok = f.value.write(x, memory.Add(obj, f.offset))
	} else {
		var r result
		if early != nil && early.columns[i] != nil {
			r = early.columns[i][row]
		} else {
			r = x.call(f, obj)
		}
		if r.err != nil {
			x.fail(r.err)
		} else {
			ok = f.value.write(x, r.p)
		}
	}
	x.path = x.path[:depth]
	if !ok {
		if f.nonNull {
			return false
		}
		x.buf = append(x.buf[:before], "null"...)
	}
	return true
}

// call runs a field's resolver for one object.
func (x *execution) call(f *fieldPlan, obj memory.Pointer) result {
	args, err := f.args.of(x.vars)
	if err != nil {
		return result{err: err}
	}
	return x.callWith(f, obj, args)
}

func (x *execution) callWith(f *fieldPlan, obj, args memory.Pointer) (r result) {
	defer recovered(&r.err)
	if r.err = x.allowed(f); r.err != nil {
		return r
	}
	if f.resolver.batch != nil {
		return x.callBatch(f, []memory.Pointer{obj}, args)[0]
	}
	r.p, r.err = f.resolver.call(x.ctx, obj, args)
	return r
}

func (x *execution) allowed(f *fieldPlan) error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	for _, allow := range f.resolver.authorize {
		if err := allow(x.ctx); err != nil {
			return err
		}
	}
	return nil
}

// callBatch runs a batch resolver; there is a result for each object, whatever happens.
func (x *execution) callBatch(f *fieldPlan, objects []memory.Pointer, args memory.Pointer) []result {
	out := make([]result, len(objects))
	found, err := func() (found []memory.Pointer, err error) {
		defer recovered(&err)
		if err := x.allowed(f); err != nil {
			return nil, err
		}
		return f.resolver.batch(x.ctx, objects, args)
	}()
	var each BatchError
	if errors.As(err, &each) && len(each) == len(objects) {
		err = nil
	} else {
		each = nil
	}
	if err == nil && len(found) != len(objects) {
		err = fmt.Errorf("the batch resolver of %s returned %d results for %d objects", f.resolver.name, len(found), len(objects))
	}
	for i := range out {
		switch {
		case err != nil:
			out[i].err = err
		case each != nil && each[i] != nil:
			out[i].err = each[i]
		default:
			out[i].p = found[i]
		}
	}
	return out
}

// mostCalls is how many resolvers of an operation wait at the same time.
const mostCalls = 32

// prepare resolves what is early, beginning with one frame, level by level.
func (x *execution) prepare(first *frame, only int) {
	if x.frames == nil {
		x.frames = map[*objectPlan]*frame{}
	}
	x.frames[first.plan] = first
	level := []*frame{first}
	for len(level) > 0 && x.ctx.Err() == nil {
		var calls []func()
		for _, f := range level {
			for i := range f.plan.fields {
				if f == first && only >= 0 && i != only {
					continue
				}
				calls = x.resolve(f, i, calls)
			}
		}
		together(calls)
		next := &gathering{byPlan: map[*objectPlan]*frame{}}
		for _, f := range level {
			for i := range f.plan.fields {
				if f != first || only < 0 || i == only {
					f.gather(i, next)
				}
			}
		}
		for _, f := range next.frames {
			x.frames[f.plan] = f
		}
		level = next.frames
	}
}

// resolve fills the column of a field: now if it does not wait, else by the calls it adds.
func (x *execution) resolve(f *frame, i int, calls []func()) []func() {
	field := &f.plan.fields[i]
	if !field.early || field.resolver == nil || f.columns[i] != nil {
		return calls
	}
	column := make([]result, len(f.objects))
	f.columns[i] = column
	args, err := field.args.of(x.vars)
	switch {
	case err != nil:
		for row := range column {
			column[row].err = err
		}
	case field.resolver.batch != nil:
		calls = append(calls, func() { copy(column, x.callBatch(field, f.objects, args)) })
	case field.resolver.concurrent:
		for row, obj := range f.objects {
			calls = append(calls, func() { column[row] = x.callWith(field, obj, args) })
		}
	default:
		for row, obj := range f.objects {
			column[row] = x.callWith(field, obj, args)
		}
	}
	return calls
}

func (f *frame) gather(i int, next *gathering) {
	field := &f.plan.fields[i]
	if field.value.gather == nil {
		return
	}
	for row, obj := range f.objects {
		if field.resolver == nil {
			field.value.gather(next, memory.Add(obj, field.offset))
		} else if r := f.columns[i][row]; r.err == nil && r.p != nil {
			field.value.gather(next, r.p)
		}
	}
}

// together runs calls at the same time and returns when all have ended.
func together(calls []func()) {
	if len(calls) == 1 {
		calls[0]()
		return
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(calls), mostCalls) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(calls)); i = next.Add(1) - 1 {
				calls[i]()
			}
		})
	}
	workers.Wait()
}

// Response is the answer to an operation.
type Response struct {
	Data   json.RawMessage // nil if nothing was executed: the request itself was wrong
	Errors []*Error
	body   []byte
}

// MarshalJSON writes it as the specification says: {"data": …, "errors": …}.
func (r *Response) MarshalJSON() ([]byte, error) { return r.bytes(), nil }

func (r *Response) bytes() []byte {
	if r.body == nil {
		r.body = append(append([]byte(nil), `{"errors":`...), errorsText(r.Errors)...)
		r.body = append(r.body, '}')
	}
	return r.body
}

func errorsText(errs []*Error) []byte {
	text, err := json.Marshal(errs)
	if err != nil { // extensions that JSON cannot hold
		for i, e := range errs {
			errs[i] = &Error{Message: e.Message, Path: e.Path, Locations: e.Locations}
		}
		text, _ = json.Marshal(errs)
	}
	return text
}

func refused(errs ...*Error) *Response { return &Response{Errors: errs} }

const dataPrefix = `{"data":`

// root is what the fields of Query, Mutation and Subscription are fields of.
var root struct{ _ int }

// run executes a query or a mutation.
func (e *engine) run(ctx context.Context, op *operation, vars map[string]any) (answer *Response) {
	var err error
	func() {
		defer recovered(&err) // of a scalar's Encode, for instance: resolvers are watched one by one
		answer = e.execute(begin(ctx), op, vars)
	}()
	if err != nil {
		answer = refused(present(ctx, e.logger, "", err))
	}
	return answer
}

func (e *engine) execute(ctx context.Context, op *operation, vars map[string]any) *Response {
	plan := e.plan(op, vars)
	x := &execution{ctx: ctx, engine: e, vars: vars, path: make([]step, 0, 16)}
	x.buf = append(make([]byte, 0, max(256, int(op.usual.Load()))), dataPrefix...)
	obj := memory.Pointer(memory.Of(&root))
	ok := true
	switch {
	case op.root == rootMutation:
		ok = x.serially(plan, obj)
	default:
		if plan.early {
			g := &gathering{byPlan: map[*objectPlan]*frame{}}
			g.add(plan, obj)
			x.prepare(g.frames[0], -1)
		}
		ok = plan.write(x, obj)
	}
	answer := x.response(ok)
	if length := int64(len(answer.body)); length > op.usual.Load() && length < 1<<20 {
		op.usual.Store(length + length/8)
	}
	return answer
}

// serially runs each field of a mutation to its end before the next.
func (x *execution) serially(plan *objectPlan, obj memory.Pointer) bool {
	g := &gathering{byPlan: map[*objectPlan]*frame{}}
	g.add(plan, obj)
	x.buf = append(x.buf, '{')
	for i := range plan.fields {
		f := &plan.fields[i]
		if f.early {
			x.prepare(g.frames[0], i)
		}
		if !x.field(f, i, obj, g.frames[0], 0) {
			return false
		}
	}
	x.buf = append(x.buf, '}')
	return true
}

func (x *execution) response(ok bool) *Response {
	if !ok {
		x.buf = append(x.buf[:len(dataPrefix)], "null"...)
	}
	r := &Response{Errors: x.errs}
	end := len(x.buf)
	if len(x.errs) > 0 {
		x.buf = append(append(x.buf, `,"errors":`...), errorsText(x.errs)...)
	}
	x.buf = append(x.buf, '}')
	r.body, r.Data = x.buf, json.RawMessage(x.buf[len(dataPrefix):end:end])
	return r
}

// events executes a subscription: it calls send for each event until that says no, or the source ends.
func (e *engine) events(ctx context.Context, op *operation, vars map[string]any, send func(*Response) bool) {
	ctx = begin(ctx)
	plan := e.plan(op, vars)
	if len(plan.fields) != 1 || plan.fields[0].resolver == nil {
		send(refused(Errorf(CodeBadRequest, "A subscription has one field, which is not skipped.")))
		return
	}
	f := &plan.fields[0]
	failure := func() (failure error) {
		defer recovered(&failure)
		args, err := f.args.of(vars)
		if err == nil {
			err = (&execution{ctx: ctx, engine: e}).allowed(f)
		}
		if err != nil {
			return err
		}
		for p, err := range f.resolver.stream(ctx, args) {
			if ctx.Err() != nil || !send(e.event(ctx, plan, vars, result{p, err})) {
				return nil
			}
		}
		return nil
	}()
	if failure != nil && ctx.Err() == nil {
		x := &execution{ctx: ctx, engine: e, path: []step{{field: f}}}
		x.fail(failure)
		send(refused(x.errs...))
	}
}

// event answers with one event of a subscription.
func (e *engine) event(ctx context.Context, plan *objectPlan, vars map[string]any, r result) *Response {
	x := &execution{ctx: ctx, engine: e, vars: vars, path: make([]step, 0, 16), buf: []byte(dataPrefix)}
	obj := memory.Pointer(memory.Of(&root))
	early := &frame{plan: plan, objects: []memory.Pointer{obj}, rows: map[memory.Pointer]int{obj: 0}, columns: [][]result{{r}}}
	if plan.early {
		x.prepare(early, -1)
	}
	x.buf = append(x.buf, '{')
	ok := x.field(&plan.fields[0], 0, obj, early, 0)
	x.buf = append(x.buf, '}')
	return x.response(ok)
}
