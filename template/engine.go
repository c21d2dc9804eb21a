package template

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Escape says how values are written into a page.
type Escape uint8

const (
	Contextual Escape = iota // by the place in the HTML: text, attribute, URL, script, style
	EscapeHTML               // &, <, >, " and ' everywhere, as Jinja's autoescape
	EscapeNone               // nothing
)

// Limits bound what one rendering may do. Zero fields have the defaults.
type Limits struct {
	MaxOutput int // bytes of the page, and of any value made on the way; 16 MiB
	MaxLoops  int // turns of all loops together; 1,000,000
	MaxDepth  int // calls, includes and blocks within each other; 100
}

// Options are what New may be told. The zero value is a good default.
type Options struct {
	Syntax Syntax
	Limits Limits
	// Escape gives the escaping for a template's name. The default is EscapeNone for names that end in .txt or .txt.j2 and
	// Contextual for all others.
	Escape func(name string) Escape
	// Reload looks for changed files at each rendering. An application in debug mode sets it at Install.
	Reload bool
	// Filters, Tests and Globals are Go functions, or for Globals any values. A filter's or test's first argument is
	// the value it is applied to; a test returns a bool. An error as last result stops the page.
	Filters map[string]any
	Tests   map[string]any
	Globals map[string]any
	// PerRequest are further names that pages may read, such as the signed-in user or the messages of a session: each is
	// asked for once in a page that reads it, and not at all in others.
	PerRequest map[string]func(*ishaa.Request) any
	// Nonce gives the nonce of a request's content security policy for csp_nonce: middleware.Nonce.
	Nonce func(*ishaa.Request) string
	// Extensions of files that Check compiles; the default is .html, .htm, .xml, .svg, .txt and .j2.
	Extensions []string
}

// Engine compiles and renders the templates of a file system. It is safe for concurrent use.
type Engine struct {
	fsys    fs.FS
	options Options
	filters map[string]*builtin
	tests   map[string]*builtin
	globals map[string]value
	attrs   attrCache
	pool    sync.Pool

	mu     sync.RWMutex
	loaded map[string]*loadedFile
	reload bool
}

type loadedFile struct {
	t        *compiled
	modified time.Time
	size     int64
}

// New makes an engine for the templates in fsys: an embed.FS, os.DirFS, or the FS of an os.Root, which does not follow
// links out of its folder. It panics if a filter, test or option is unusable, as that is a mistake in the program.
func New(fsys fs.FS, options ...Options) *Engine {
	e := &Engine{fsys: fsys, filters: builtinFilters(), tests: builtinTests(), globals: builtinGlobals(), loaded: map[string]*loadedFile{}}
	if len(options) > 1 {
		panic("template: New takes one Options")
	}
	if len(options) == 1 {
		e.options = options[0]
	}
	o := &e.options
	o.Syntax = o.Syntax.withDefaults()
	o.Limits = o.Limits.withDefaults()
	e.reload = o.Reload
	if o.Escape == nil {
		o.Escape = func(name string) Escape {
			if strings.HasSuffix(strings.TrimSuffix(name, ".j2"), ".txt") {
				return EscapeNone
			}
			return Contextual
		}
	}
	if o.Extensions == nil {
		o.Extensions = []string{".html", ".htm", ".xml", ".svg", ".txt", ".j2"}
	}
	for name, fn := range o.Filters {
		e.filters[name] = goBuiltin("filter", name, fn)
	}
	for name, fn := range o.Tests {
		e.tests[name] = goBuiltin("test", name, fn)
	}
	for name, v := range o.Globals {
		e.globals[name] = fromGo(v)
	}
	e.pool.New = func() any { return new(render) }
	return e
}

func (l Limits) withDefaults() Limits {
	if l.MaxOutput <= 0 {
		l.MaxOutput = 16 << 20
	}
	if l.MaxLoops <= 0 {
		l.MaxLoops = 1_000_000
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = 100
	}
	return l
}

func goBuiltin(what, name string, fn any) *builtin {
	rv := reflect.ValueOf(fn)
	if rv.Kind() != reflect.Func || rv.IsNil() || rv.Type().NumIn() == 0 || rv.Type().NumOut() == 0 {
		panic(fmt.Sprintf("template: the %s %q has to be a function of at least one argument with a result", what, name))
	}
	if what == "test" && rv.Type().Out(0).Kind() != reflect.Bool {
		panic(fmt.Sprintf("template: the test %q has to return a bool", name))
	}
	return &builtin{name: name, raw: func(f *frame, v value, a args) value {
		if len(a.kw) > 0 {
			raise(KindRuntime, "%s is a Go function: its arguments have no names", name)
		}
		return callGo(name, rv, append([]value{v}, a.pos...))
	}}
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// load gives a template, compiled.
func (e *Engine) load(name string) (*compiled, error) {
	name = strings.TrimPrefix(name, "/")
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	e.mu.RLock()
	known, reload := e.loaded[name], e.reload
	e.mu.RUnlock()
	if known != nil && !reload {
		return known.t, nil
	}
	info, err := fs.Stat(e.fsys, name)
	if err != nil {
		return nil, err
	}
	if known != nil && known.modified.Equal(info.ModTime()) && known.size == info.Size() {
		return known.t, nil
	}
	text, err := fs.ReadFile(e.fsys, name)
	if err != nil {
		return nil, err
	}
	t, err := e.parse(name, string(text))
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.loaded[name] = &loadedFile{t, info.ModTime(), info.Size()}
	e.mu.Unlock()
	return t, nil
}

func (e *Engine) parse(name, text string) (*compiled, error) {
	src := &source{name, text}
	tree, err := parse(src, e.options.Syntax)
	if err != nil {
		return nil, err
	}
	t := &compiled{name: name, engine: e, tree: tree, mode: e.options.Escape(name), blocks: map[string]*unit{}}
	start := &position{src, 1, 1}
	t.root = &unit{t: t, body: tree.body, required: start}
	for name, b := range tree.blocks {
		t.blocks[name] = &unit{t: t, name: name, body: b.body, required: b.pos}
	}
	_, err = t.root.in(escContext{})
	return t, err
}

func (t *compiled) escapes() bool { return t.mode != EscapeNone }

// Names lists the templates that Check compiles, sorted.
func (e *Engine) Names() []string {
	var names []string
	_ = fs.WalkDir(e.fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.ContainsFunc(e.options.Extensions, func(ext string) bool { return strings.HasSuffix(path, ext) }) {
			names = append(names, path)
		}
		return nil
	})
	return names
}

// Check compiles all templates and gives all their errors. Blocks are compiled for where their layout puts them, if
// extends names it by a string; for a layout chosen by an expression that happens when the page is first rendered.
func (e *Engine) Check() error {
	var all []error
	for _, name := range e.Names() {
		t, err := e.load(name)
		if err != nil {
			all = append(all, err)
			continue
		}
		if err := e.checkBlocks(t); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// checkBlocks compiles a template's blocks where its layout puts them, as far as the layout is named by a string.
func (e *Engine) checkBlocks(t *compiled) error {
	places := map[string]escContext{}
	for layout, level := t, 0; layout != nil && level < 32; level++ {
		for name, u := range layout.blocks {
			u.mu.RLock()
			for esc := range u.variants {
				places[name] = esc
			}
			u.mu.RUnlock()
		}
		layout = layout.parentByName()
	}
	for _, name := range slices.Sorted(maps.Keys(t.blocks)) {
		if esc, ok := places[name]; ok || t.parentByName() == nil {
			if _, err := t.blocks[name].in(esc); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *compiled) parentByName() *compiled {
	for _, s := range t.tree.body {
		if ex, ok := s.(*extendsS); ok {
			if k, ok := ex.name.(*constX); ok && k.v.isText() {
				parent, _ := t.engine.load(k.v.s)
				return parent
			}
		}
	}
	return nil
}

// Render writes a template with data: a struct, a pointer to one, or a map with string keys. Nothing is written if
// there is an error, which is an *Error for mistakes in templates and wraps fs.ErrNotExist for a missing one.
func (e *Engine) Render(w io.Writer, name string, data any) error {
	return e.RenderContext(context.Background(), w, name, data)
}

// RenderContext is Render that stops when the context ends.
func (e *Engine) RenderContext(ctx context.Context, w io.Writer, name string, data any) error {
	return e.render(ctx, name, "", data, nil, func(page []byte) error {
		_, err := w.Write(page)
		return err
	})
}

// RenderBlock writes one block of a template, as it stands in the page but without what is around it.
func (e *Engine) RenderBlock(ctx context.Context, w io.Writer, name, block string, data any) error {
	return e.render(ctx, name, block, data, nil, func(page []byte) error {
		_, err := w.Write(page)
		return err
	})
}

func (e *Engine) render(ctx context.Context, name, block string, data any, page *pageGlobals, done func([]byte) error) error {
	t, err := e.load(name)
	if err != nil {
		if isMissing(err) {
			return fmt.Errorf("there is no template %q%s: %w", name, suggest(name, slices.Values(e.Names())), err)
		}
		return err
	}
	st := e.pool.Get().(*render)
	*st = render{engine: e, limits: e.options.Limits, ctx: ctx, page: page, out: st.out[:0], at: t.root.required}
	defer func() {
		if cap(st.out) <= 1<<20 {
			*st = render{out: st.out[:0]}
			e.pool.Put(st)
		}
	}()
	if err := st.run(t, block, fromGo(data)); err != nil {
		return err
	}
	return done(st.out)
}

func (r *render) run(t *compiled, block string, data value) (err error) {
	defer func() { caught(recover(), &err, r.at) }()
	if data.k != kObject && data.k != kNone {
		raise(KindRuntime, "the data is a %s: a struct or a map was expected", typeName(data))
	}
	if err := r.ctx.Err(); err != nil {
		raise(KindLimit, "stopped: %v", err)
	}
	n := &names{data: data, st: r}
	if block == "" {
		t.runRoot(r, n, escContext{})
	} else {
		r.runBlock(t, n, block)
	}
	r.grow(0)
	return nil
}

// runBlock runs the roots for what they assign, drops what they write, and then runs the block.
func (r *render) runBlock(t *compiled, n *names, block string) {
	f := &frame{st: r, names: n}
	r.capture(func() { f = t.runRoot(r, n, escContext{}) })
	chain := n.chain(block)
	if chain == nil {
		var known iter.Seq[string] = maps.Keys(n.blocks)
		raise(KindRuntime, "%s has no block %q%s", t.name, block, suggest(block, known))
	}
	ref := &blockRef{chain, 0, n, block}
	ref.run(f, escContext{})
}
