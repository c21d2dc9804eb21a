package mutation

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// rewriter writes one file anew, with every mutant in it. A place that can be changed becomes a call of one of the
// functions in support.go, which asks at run time whether its mutant is the chosen one. Line numbers stay what they are.
type rewriter struct {
	pkg      *packages.Package
	source   []byte
	file     *ast.File
	name     string                          // of the file, as mutants give it
	skip     map[int]bool                    // lines that the compiler refused to have changed
	only     func(int) bool                  // lines that are wanted, or nil
	wanted   func(pkg, function string) bool // functions that are wanted, or nil
	conds    map[ast.Expr]bool               // conditions of if and for
	function string
	mutants  *[]Mutant
}

// rewrite returns the file's new source.
func (w *rewriter) rewrite() string {
	w.conds = map[ast.Expr]bool{}
	ast.Inspect(w.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			w.conds[n.Cond] = true
		case *ast.ForStmt:
			if n.Cond != nil {
				w.conds[n.Cond] = true
			}
		}
		return true
	})
	var edits []edit
	for _, decl := range w.file.Decls {
		w.function = functionName(decl)
		if w.wanted != nil && !w.wanted(w.pkg.PkgPath, w.function) {
			continue
		}
		edits = append(edits, edit{w.offset(decl.Pos()), w.offset(decl.End()), w.text(decl)})
	}
	return w.apply(0, len(w.source), edits)
}

// functionName is how a mutant names the declaration it is in.
func functionName(decl ast.Decl) string {
	function, ok := decl.(*ast.FuncDecl)
	if !ok {
		return ""
	}
	if function.Recv == nil || len(function.Recv.List) == 0 {
		return function.Name.Name
	}
	receiver := types.ExprString(function.Recv.List[0].Type)
	if strings.HasPrefix(receiver, "*") {
		receiver = "(" + receiver + ")"
	}
	return receiver + "." + function.Name.Name
}

// edit replaces the source from one offset to another.
type edit struct {
	from, to int
	text     string
}

func (w *rewriter) apply(from, to int, edits []edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out strings.Builder
	for _, e := range edits {
		out.Write(w.source[from:e.from])
		out.WriteString(e.text)
		from = e.to
	}
	out.Write(w.source[from:to])
	return out.String()
}

func (w *rewriter) offset(p token.Pos) int { return w.pkg.Fset.PositionFor(p, false).Offset }

func (w *rewriter) original(n ast.Node) string {
	return string(w.source[w.offset(n.Pos()):w.offset(n.End())])
}

// text is the new source of a node.
func (w *rewriter) text(n ast.Node) string {
	if text, ok := w.replacement(n); ok {
		return text
	}
	return w.within(n)
}

// within is the new source of a node that is not itself replaced.
func (w *rewriter) within(n ast.Node) string {
	var edits []edit
	ast.Inspect(n, func(child ast.Node) bool {
		if child == nil || child == n {
			return true
		}
		if decl, ok := child.(*ast.GenDecl); ok && (decl.Tok == token.CONST || decl.Tok == token.IMPORT || decl.Tok == token.TYPE) {
			return false
		}
		if text, ok := w.replacement(child); ok {
			edits = append(edits, edit{w.offset(child.Pos()), w.offset(child.End()), text})
			return false
		}
		return true
	})
	return w.apply(w.offset(n.Pos()), w.offset(n.End()), edits)
}

// replacement is the new source of a node that has mutants of its own.
func (w *rewriter) replacement(n ast.Node) (string, bool) {
	if line := w.pkg.Fset.PositionFor(n.Pos(), false).Line; w.skip[line] || w.only != nil && !w.only(line) {
		return "", false
	}
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return w.binary(n)
	case *ast.UnaryExpr:
		if n.Op == token.SUB && !w.constant(n) && w.numeric(n) {
			id := w.add(Sign, n.Pos(), w.original(n), w.original(n.X))
			return fmt.Sprintf("%sSign(%d, %s)", prefix, id, w.text(n.X)), true
		}
	case *ast.IncDecStmt:
		return w.step(n)
	case *ast.AssignStmt:
		return w.assignment(n)
	case *ast.ReturnStmt:
		return w.returned(n)
	case *ast.ExprStmt:
		return w.call(n)
	case *ast.Ident, *ast.CallExpr, *ast.SelectorExpr, *ast.ParenExpr:
		if e := n.(ast.Expr); w.conds[e] && w.plainBool(e) {
			id := w.add(Negation, n.Pos(), w.original(n), "!"+w.original(n))
			return fmt.Sprintf("(%s) != %sIs(%d)", w.within(n), prefix, id), true
		}
	}
	return "", false
}

// add makes a mutant and returns its number.
func (w *rewriter) add(kind Kind, at token.Pos, original, mutated string) int {
	position := w.pkg.Fset.PositionFor(at, false)
	*w.mutants = append(*w.mutants, Mutant{
		ID: len(*w.mutants) + 1, Kind: kind, Package: w.pkg.PkgPath, Function: w.function,
		File: w.name, Line: position.Line, Column: position.Column,
		Original: oneLine(original), Mutated: oneLine(mutated),
	})
	return len(*w.mutants)
}

// oneLine is source as a report shows it.
func oneLine(source string) string {
	text := []rune(strings.Join(strings.Fields(source), " "))
	if len(text) > 100 {
		return string(text[:99]) + "…"
	}
	return string(text)
}

// opposite is what an operator becomes.
var opposite = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.GEQ, token.LEQ: token.GTR, token.GTR: token.LEQ, token.GEQ: token.LSS,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
	token.LAND: token.LOR, token.LOR: token.LAND,
}

// neighbour is the comparison that differs at the boundary only.
var neighbour = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
}

// support names the function of support.go for an operator.
var support = map[token.Token]string{
	token.LSS: "Less", token.LEQ: "LessEqual", token.GTR: "Greater", token.GEQ: "GreaterEqual",
	token.ADD: "Add", token.SUB: "Subtract", token.MUL: "Multiply", token.QUO: "Divide", token.REM: "Remainder",
	token.LAND: "And", token.LOR: "Or",
}

func (w *rewriter) binary(n *ast.BinaryExpr) (string, bool) {
	if w.constant(n) {
		return "", false
	}
	with := func(op token.Token) string { return w.original(n.X) + " " + op.String() + " " + w.original(n.Y) }
	switch n.Op {
	case token.EQL, token.NEQ:
		id := w.add(Negation, n.OpPos, w.original(n), with(opposite[n.Op]))
		return fmt.Sprintf("((%s %s %s) != %sIs(%d))", w.text(n.X), n.Op, w.text(n.Y), prefix, id), true
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		if !w.ordered(n.X) && !w.ordered(n.Y) {
			return "", false
		}
		edge := w.add(Boundary, n.OpPos, w.original(n), with(neighbour[n.Op]))
		not := w.add(Negation, n.OpPos, w.original(n), with(opposite[n.Op]))
		return fmt.Sprintf("%s%s(%d, %d, %s, %s)", prefix, support[n.Op], edge, not, w.text(n.X), w.text(n.Y)), true
	case token.ADD, token.SUB, token.MUL, token.QUO, token.REM:
		if !w.numeric(n) {
			return "", false
		}
		id := w.add(Arithmetic, n.OpPos, w.original(n), with(opposite[n.Op]))
		return fmt.Sprintf("%s%s(%d, %s, %s)", prefix, support[n.Op], id, w.text(n.X), w.text(n.Y)), true
	case token.LAND, token.LOR:
		if !w.plainBool(n) {
			return "", false
		}
		id := w.add(Logic, n.OpPos, w.original(n), with(opposite[n.Op]))
		return fmt.Sprintf("%s%s(%d, %t, %s, func() bool { return %s })", prefix, support[n.Op], id, w.pure(n.Y), w.text(n.X), w.text(n.Y)), true
	}
	return "", false
}

// pure reports whether an expression only looks: it calls nothing, but for conversions and the length of something, and
// receives nothing.
func (w *rewriter) pure(e ast.Expr) bool {
	pure := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			called := w.pkg.TypesInfo.Types[ast.Unparen(n.Fun)]
			name, _ := ast.Unparen(n.Fun).(*ast.Ident)
			pure = pure && (called.IsType() || called.IsBuiltin() && name != nil && (name.Name == "len" || name.Name == "cap"))
		case *ast.UnaryExpr:
			pure = pure && n.Op != token.ARROW
		}
		return pure
	})
	return pure
}

// step rewrites i++ and i--, whose operand may be written twice.
func (w *rewriter) step(n *ast.IncDecStmt) (string, bool) {
	if !w.numeric(n.X) || !repeatable(n.X) {
		return "", false
	}
	to, op := "--", "+="
	if n.Tok == token.DEC {
		to, op = "++", "-="
	}
	id := w.add(Increment, n.Pos(), w.original(n), w.original(n.X)+to)
	return fmt.Sprintf("%s %s %sOne(%d, %s)", w.within(n.X), op, prefix, id, w.original(n.X)), true
}

// assigned is the operator of an assignment.
var assigned = map[token.Token]token.Token{
	token.ADD_ASSIGN: token.ADD, token.SUB_ASSIGN: token.SUB, token.MUL_ASSIGN: token.MUL,
	token.QUO_ASSIGN: token.QUO, token.REM_ASSIGN: token.REM,
}

func (w *rewriter) assignment(n *ast.AssignStmt) (string, bool) {
	op, ok := assigned[n.Tok]
	if !ok || !w.numeric(n.Lhs[0]) || !repeatable(n.Lhs[0]) {
		return "", false
	}
	left := w.original(n.Lhs[0])
	id := w.add(Assignment, n.TokPos, w.original(n), fmt.Sprintf("%s %s= %s", left, opposite[op], w.original(n.Rhs[0])))
	return fmt.Sprintf("%s = %s%s(%d, %s, %s)", w.within(n.Lhs[0]), prefix, support[op], id, left, w.text(n.Rhs[0])), true
}

// repeatable reports whether evaluating an expression twice does what once does.
func repeatable(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return repeatable(e.X)
	case *ast.StarExpr:
		return repeatable(e.X)
	case *ast.ParenExpr:
		return repeatable(e.X)
	}
	return false
}

// returned rewrites a return whose last value is an error by name or made on the spot.
func (w *rewriter) returned(n *ast.ReturnStmt) (string, bool) {
	if len(n.Results) == 0 {
		return "", false
	}
	last := n.Results[len(n.Results)-1]
	if t := w.pkg.TypesInfo.TypeOf(last); t == nil || !types.Identical(t, errorType) {
		return "", false
	}
	if call, ok := last.(*ast.CallExpr); ok && len(n.Results) == 1 && !makesError(call) {
		return "", false // a tail call: what it returns is its own business
	}
	id := w.add(Error, last.Pos(), w.original(n), strings.TrimSuffix(w.original(n), w.original(last))+"nil")
	var edits []edit
	for _, result := range n.Results[:len(n.Results)-1] {
		edits = append(edits, edit{w.offset(result.Pos()), w.offset(result.End()), w.text(result)})
	}
	edits = append(edits, edit{w.offset(last.Pos()), w.offset(last.End()), fmt.Sprintf("%sError(%d, %s)", prefix, id, w.text(last))})
	return w.apply(w.offset(n.Pos()), w.offset(n.End()), edits), true
}

var errorType = types.Universe.Lookup("error").Type()

// makesError reports whether a call is one of those that make an error.
func makesError(call *ast.CallExpr) bool {
	name := types.ExprString(call.Fun)
	return name == "fmt.Errorf" || name == "errors.New" || name == "errors.Join"
}

// call rewrites a call that is a statement. Builtins, except delete, and calls that end the function stay.
func (w *rewriter) call(n *ast.ExprStmt) (string, bool) {
	call, ok := n.X.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	if name, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if _, builtin := w.pkg.TypesInfo.Uses[name].(*types.Builtin); builtin && name.Name != "delete" && name.Name != "close" {
			return "", false
		}
	}
	switch types.ExprString(call.Fun) {
	case "os.Exit", "log.Fatal", "log.Fatalf", "runtime.Goexit":
		return "", false // without it the function may not return a value
	}
	id := w.add(Call, n.Pos(), w.original(n), "")
	return fmt.Sprintf("if !%sIs(%d) { %s }", prefix, id, w.within(n.X)), true
}

func (w *rewriter) constant(e ast.Expr) bool {
	value, ok := w.pkg.TypesInfo.Types[e]
	return ok && value.Value != nil
}

// basic reports whether an expression's type has one of the properties.
func (w *rewriter) basic(e ast.Expr, info types.BasicInfo) bool {
	t := w.pkg.TypesInfo.TypeOf(e)
	if t == nil {
		return false
	}
	if _, parameter := t.(*types.TypeParam); parameter {
		return false
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&info != 0
}

func (w *rewriter) numeric(e ast.Expr) bool { return w.basic(e, types.IsInteger|types.IsFloat) }
func (w *rewriter) ordered(e ast.Expr) bool { return w.basic(e, types.IsOrdered) }

// plainBool reports whether an expression is a bool, and not of a type that merely is one.
func (w *rewriter) plainBool(e ast.Expr) bool {
	basic, ok := types.Unalias(w.pkg.TypesInfo.TypeOf(e)).(*types.Basic)
	return ok && basic.Info()&types.IsBoolean != 0
}

// relative is a path as reports show it.
func relative(dir, path string) string {
	if short, err := filepath.Rel(dir, path); err == nil && !strings.HasPrefix(short, "..") {
		return filepath.ToSlash(short)
	}
	return path
}
