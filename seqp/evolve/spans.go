package evolve

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// spans are the functions of a module, by file: import path and name, as coverage profiles have them. Their names are those
// that risk.Route.Functions has.
type spans map[string][]span

// span is a function's place, from its first character to behind its last. Literals are functions of their own.
type span struct {
	name     string
	from, to place
}

// place is a line and a column, from 1.
type place struct{ line, column int }

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.line, q.line), cmp.Compare(p.column, q.column))
}

// at is the innermost function around a place, "" outside of all.
func (s spans) at(file string, p place) string {
	name, begin := "", place{}
	for _, one := range s[file] {
		if one.from.compare(p) <= 0 && p.compare(one.to) < 0 && one.from.compare(begin) >= 0 {
			name, begin = one.name, one.from
		}
	}
	return name
}

// listed is a package as "go list -json" has it.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
}

// readSpans reads the functions of the packages of a module.
func readSpans(ctx context.Context, dir string) (spans, []listed, error) {
	command := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,GoFiles", "./...")
	command.Dir = dir
	output, err := command.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("evolve: go list: %w", err)
	}
	all := spans{}
	var list []listed
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var pkg listed
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			return all, list, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("evolve: go list: %w", err)
		}
		list = append(list, pkg)
		for _, name := range pkg.GoFiles {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, nil, fmt.Errorf("evolve: %w", err)
			}
			all[pkg.ImportPath+"/"+name] = functions(fset, file, pkg.ImportPath)
		}
	}
}

// functions are those of a file, with the names that package ssa gives them: "p.F", "(p.T).M", "(*p.T).M", and "p.F$1" for
// the first literal in F.
func functions(fset *token.FileSet, file *ast.File, pkg string) []span {
	var list []span
	placeOf := func(p token.Pos) place { at := fset.PositionFor(p, false); return place{at.Line, at.Column} }
	var literals func(name string, node ast.Node)
	literals = func(name string, node ast.Node) {
		n := 0
		ast.Inspect(node, func(child ast.Node) bool {
			literal, ok := child.(*ast.FuncLit)
			if !ok || child == node {
				return true
			}
			n++
			inner := name + "$" + strconv.Itoa(n)
			list = append(list, span{inner, placeOf(literal.Pos()), placeOf(literal.End())})
			literals(inner, literal)
			return false
		})
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			literals(pkg+".init", decl)
			continue
		}
		name := pkg + "." + fn.Name.Name
		if fn.Recv != nil && len(fn.Recv.List) > 0 {
			t := fn.Recv.List[0].Type
			star := ""
			if pointer, ok := t.(*ast.StarExpr); ok {
				star, t = "*", pointer.X
			}
			name = "(" + star + pkg + "." + typeName(t) + ")." + fn.Name.Name
		}
		list = append(list, span{name, placeOf(fn.Pos()), placeOf(fn.End())})
		literals(name, fn)
	}
	slices.SortFunc(list, func(a, b span) int { return a.from.compare(b.from) })
	return list
}

// typeName is a receiver's type without its parameters.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	}
	return ""
}

// reached is a set of functions, those of a route. Instances of generic functions count as the function.
func reached(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		if open, rest, ok := strings.Cut(name, "["); ok {
			if _, behind, ok := strings.Cut(rest, "]"); ok {
				name = open + behind
			}
		}
		set[name] = true
	}
	return set
}
