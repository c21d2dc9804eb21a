package risk

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/callgraph"
	"golang.org/x/tools/go/callgraph/cha"
	"golang.org/x/tools/go/callgraph/vta"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// framework is the import path of the framework.
const framework = "github.com/ishaa-framework/ishaa"

// application is a program as the analysis sees it.
type application struct {
	dir     string
	fset    *token.FileSet
	pkgs    []*packages.Package
	program *ssa.Program
	graph   *callgraph.Graph
	funcs   []*ssa.Function            // of the application, with a body, in the order of their places
	own     map[*ssa.Function]bool     // the same as a set
	callers map[*ssa.Function][]caller // static calls within the application
}

// caller is a call whose callee is known.
type caller struct {
	in   *ssa.Function
	call ssa.CallInstruction
}

const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedSyntax | packages.NeedTypes |
	packages.NeedTypesInfo | packages.NeedTypesSizes | packages.NeedImports | packages.NeedModule

// load reads the packages with their types and builds SSA form and call graph of them.
func load(ctx context.Context, dir string, patterns []string) (*application, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("risk: %w", err)
	}
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		dir = resolved
	}
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	a := &application{dir: dir, fset: token.NewFileSet(), own: map[*ssa.Function]bool{}, callers: map[*ssa.Function][]caller{}}
	a.pkgs, err = packages.Load(&packages.Config{Context: ctx, Dir: dir, Mode: loadMode, Fset: a.fset, Env: os.Environ()}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("risk: %w", err)
	}
	for _, pkg := range a.pkgs {
		for _, problem := range pkg.Errors {
			return nil, fmt.Errorf("risk: %s does not compile, and only what compiles can be analysed: %s", pkg.PkgPath, problem)
		}
	}
	if len(a.pkgs) == 0 {
		return nil, errors.New("risk: no package matches: name folders such as \".\" or \"./...\"")
	}
	a.build()
	return a, ctx.Err()
}

func (a *application) build() {
	var list []*ssa.Package
	a.program, list = ssautil.Packages(a.pkgs, ssa.InstantiateGenerics)
	mine := map[*types.Package]bool{}
	for _, pkg := range list {
		if pkg != nil {
			pkg.Build()
			mine[pkg.Pkg] = true
		}
	}
	all := ssautil.AllFunctions(a.program)
	bodies := map[*ssa.Function]bool{}
	for fn := range all {
		if len(fn.Blocks) == 0 {
			continue
		}
		bodies[fn] = true
		if home := packageOf(fn); home != nil && mine[home] {
			a.own[fn] = true
			a.funcs = append(a.funcs, fn)
		}
	}
	slices.SortStableFunc(a.funcs, func(x, y *ssa.Function) int {
		if d := int(x.Pos()) - int(y.Pos()); d != 0 {
			return d
		}
		return strings.Compare(x.String(), y.String())
	})
	a.graph = vta.CallGraph(bodies, cha.CallGraph(a.program))
	for _, fn := range a.funcs {
		for call := range calls(fn) {
			if callee := call.Common().StaticCallee(); callee != nil {
				a.callers[callee] = append(a.callers[callee], caller{fn, call})
			}
		}
	}
}

// packageOf is the package whose source a function's body is in.
func packageOf(fn *ssa.Function) *types.Package {
	for outer := fn; outer != nil; outer = outer.Parent() {
		if origin := outer.Origin(); origin != nil {
			outer = origin
		}
		if outer.Pkg != nil {
			return outer.Pkg.Pkg
		}
		if object := outer.Object(); object != nil { // wrappers of methods
			return object.Pkg()
		}
	}
	return nil
}

// calls are the calls of a function's body, go and defer among them.
func calls(fn *ssa.Function) func(yield func(ssa.CallInstruction) bool) {
	return func(yield func(ssa.CallInstruction) bool) {
		for _, block := range fn.Blocks {
			for _, instruction := range block.Instrs {
				if call, ok := instruction.(ssa.CallInstruction); ok && !yield(call) {
					return
				}
			}
		}
	}
}

// callee names what a call calls: the package, the type of the receiver without its pointer, and the name. Interface
// methods have the interface's name. Calls of values have none.
type callee struct{ pkg, recv, name string }

func (c callee) String() string {
	if c.recv == "" {
		return c.pkg + "." + c.name
	}
	return c.pkg + "." + c.recv + "." + c.name
}

func calleeOf(common *ssa.CallCommon) (callee, bool) {
	var object types.Object
	if common.IsInvoke() {
		object = common.Method
	} else if fn := common.StaticCallee(); fn != nil {
		if object = fn.Object(); object == nil && fn.Origin() != nil {
			object = fn.Origin().Object()
		}
	}
	return nameOf(object)
}

func nameOf(object types.Object) (callee, bool) {
	method, ok := object.(*types.Func)
	if !ok || method.Pkg() == nil {
		if ok && method.Name() == "Error" {
			return callee{"", "error", "Error"}, true
		}
		return callee{}, false
	}
	c := callee{pkg: method.Pkg().Path(), name: method.Name()}
	if recv := method.Signature().Recv(); recv != nil {
		c.recv = typeName(recv.Type())
	}
	return c, true
}

// typeName is the name of a type without pointers and type arguments.
func typeName(t types.Type) string {
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj().Name()
	}
	return ""
}

// isNamed reports whether a type, or what it points to, is that of a package.
func isNamed(t types.Type, pkg, name string) bool {
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == pkg
}

// Place is a line of the application's source.
type Place struct {
	File string `json:"file"` // relative to the analysed folder, with slashes
	Line int    `json:"line"`
}

// String gives the place as "file.go:12".
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

func (a *application) place(pos token.Pos) Place {
	position := a.fset.Position(pos)
	name := position.Filename
	if relative, err := filepath.Rel(a.dir, name); err == nil && !strings.HasPrefix(relative, "..") {
		name = relative
	}
	return Place{filepath.ToSlash(name), position.Line}
}
