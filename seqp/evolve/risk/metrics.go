package risk

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/uudashr/gocognit"
	"golang.org/x/tools/go/ssa"
)

// Metrics are what is counted of the functions that a route reaches.
type Metrics struct {
	Functions       int     `json:"functions"`
	Lines           int     `json:"lines"`
	Cyclomatic      int     `json:"cyclomatic"` // of the most tangled function (McCabe 1976)
	CyclomaticSum   int     `json:"cyclomatic_sum"`
	Cognitive       int     `json:"cognitive"` // of the most tangled function (Campbell 2018)
	Nesting         int     `json:"nesting"`
	BranchDensity   float64 `json:"branch_density"` // branches a line
	SharedWrites    int     `json:"shared_writes"`  // without a lock
	LooseGoroutines int     `json:"loose_goroutines"`
	DBReads         int     `json:"db_reads"`
	DBWrites        int     `json:"db_writes"`
	ExternalCalls   int     `json:"external_calls"`
	UncheckedErrors int     `json:"unchecked_errors"`
	Inputs          int     `json:"inputs"`             // values that a client chooses
	Churn           float64 `json:"churn"`              // Σ lines·2^(−age/90 d) of the files, from git log
	Coverage        float64 `json:"coverage,omitempty"` // share of the statements that tests run; -1 unknown
	Mutation        float64 `json:"mutation,omitempty"` // share of the mutants that tests kill; -1 unknown
}

// evidencePlace is a place that a part of a score stands on.
type evidencePlace struct {
	pos  token.Pos
	text string
}

// measured are the metrics with the places that they come from.
type measured struct {
	Metrics
	reached  []*ssa.Function
	tangled  evidencePlace
	nested   evidencePlace
	hard     evidencePlace
	writes   []evidencePlace
	loose    []evidencePlace
	reads    []evidencePlace
	changes  []evidencePlace
	external []evidencePlace
	ignored  []evidencePlace
	ignoreDB []evidencePlace // ignored errors of the database
}

// reach lists the functions of the application that handlers reach, in the order of their places.
func (a *application) reach(roots []*ssa.Function) []*ssa.Function {
	seen := map[*ssa.Function]bool{}
	var visit func(fn *ssa.Function)
	visit = func(fn *ssa.Function) {
		if fn == nil || seen[fn] || !a.own[fn] {
			return
		}
		seen[fn] = true
		if node := a.graph.Nodes[fn]; node != nil {
			for _, edge := range node.Out {
				visit(edge.Callee.Func)
			}
		}
		for _, block := range fn.Blocks {
			for _, instruction := range block.Instrs {
				for _, operand := range instruction.Operands(nil) {
					switch v := (*operand).(type) {
					case *ssa.Function:
						visit(v)
					case *ssa.MakeClosure:
						visit(v.Fn.(*ssa.Function))
					}
				}
			}
		}
	}
	for _, root := range roots {
		visit(root)
	}
	var list []*ssa.Function
	for fn := range seen {
		list = append(list, fn)
	}
	slices.SortFunc(list, func(x, y *ssa.Function) int {
		if d := int(x.Pos()) - int(y.Pos()); d != 0 {
			return d
		}
		return strings.Compare(x.String(), y.String())
	})
	return list
}

// measure counts what is in the functions.
func (a *application) measure(reached []*ssa.Function) *measured {
	m := &measured{reached: reached}
	m.Metrics.Coverage, m.Metrics.Mutation = -1, -1
	branches := 0
	for _, fn := range reached {
		a.measureCalls(m, fn)
		syntax := fn.Syntax()
		if syntax == nil || fn.Synthetic != "" && fn.Origin() == nil {
			continue
		}
		m.Functions++
		shape := shapeOf(syntax)
		m.CyclomaticSum += shape.cyclomatic
		branches += shape.cyclomatic - 1
		if shape.cyclomatic > m.Cyclomatic {
			m.Cyclomatic, m.tangled = shape.cyclomatic, evidencePlace{fn.Pos(), fn.Name()}
		}
		if shape.nesting > m.Nesting {
			m.Nesting, m.nested = shape.nesting, evidencePlace{fn.Pos(), fn.Name()}
		}
		if enclosed(fn, reached) {
			continue // its lines and what is hard to read about it are its function's
		}
		m.Lines += a.fset.Position(syntax.End()).Line - a.fset.Position(syntax.Pos()).Line + 1
		if hard := cognitive(syntax); hard > m.Cognitive {
			m.Cognitive, m.hard = hard, evidencePlace{fn.Pos(), fn.Name()}
		}
	}
	if m.Lines > 0 {
		m.BranchDensity = float64(branches) / float64(m.Lines)
	}
	m.DBReads, m.DBWrites, m.ExternalCalls = len(m.reads), len(m.changes), len(m.external)
	m.UncheckedErrors, m.LooseGoroutines = len(m.ignored), len(m.loose)
	return m
}

func enclosed(fn *ssa.Function, reached []*ssa.Function) bool {
	for outer := fn.Parent(); outer != nil; outer = outer.Parent() {
		if slices.Contains(reached, outer) {
			return true
		}
	}
	return false
}

func cognitive(syntax ast.Node) int {
	switch fn := syntax.(type) {
	case *ast.FuncDecl:
		return gocognit.Complexity(fn)
	case *ast.FuncLit:
		return gocognit.Complexity(&ast.FuncDecl{Name: ast.NewIdent("_"), Type: fn.Type, Body: fn.Body})
	}
	return 0
}

type shape struct{ cyclomatic, nesting int }

// shapeOf counts the branches of a function without those of functions within it.
func shapeOf(syntax ast.Node) shape {
	s := shape{cyclomatic: 1}
	body := bodyOf(syntax)
	if body == nil {
		return s
	}
	var visit func(n ast.Node, depth int)
	inside := func(depth int, nodes ...ast.Node) {
		s.nesting = max(s.nesting, depth)
		for _, n := range nodes {
			visit(n, depth)
		}
	}
	visit = func(n ast.Node, depth int) {
		ast.Inspect(n, func(child ast.Node) bool {
			switch x := child.(type) {
			case *ast.FuncLit:
				return false
			case *ast.IfStmt:
				if x != n {
					s.cyclomatic++
					if x.Init != nil {
						visit(x.Init, depth)
					}
					visit(x.Cond, depth)
					inside(depth+1, x.Body)
					if next, ok := x.Else.(*ast.IfStmt); ok {
						visit(&ast.BlockStmt{List: []ast.Stmt{next}}, depth)
					} else if x.Else != nil {
						inside(depth+1, x.Else)
					}
					return false
				}
			case *ast.ForStmt:
				s.cyclomatic++
				inside(depth+1, x.Body)
				return false
			case *ast.RangeStmt:
				s.cyclomatic++
				inside(depth+1, x.Body)
				return false
			case *ast.CaseClause:
				if x.List != nil {
					s.cyclomatic++
				}
				s.nesting = max(s.nesting, depth+1)
			case *ast.CommClause:
				if x.Comm != nil {
					s.cyclomatic++
				}
			case *ast.BinaryExpr:
				if x.Op == token.LAND || x.Op == token.LOR {
					s.cyclomatic++
				}
			}
			return true
		})
	}
	visit(body, 0)
	return s
}

func bodyOf(syntax ast.Node) *ast.BlockStmt {
	switch fn := syntax.(type) {
	case *ast.FuncDecl:
		return fn.Body
	case *ast.FuncLit:
		return fn.Body
	}
	return nil
}

var ormReads = map[string]bool{"All": true, "One": true, "Get": true, "First": true, "Count": true, "Exists": true, "Values": true,
	"Page": true, "Iter": true, "Aggregate": true, "Raw": true}

var ormWrites = map[string]bool{"Create": true, "CreateMany": true, "Save": true, "Update": true, "Delete": true, "Destroy": true,
	"Upsert": true, "UpsertMany": true, "GetOrCreate": true, "Exec": true, "Add": true, "Remove": true, "Set": true}

// measureCalls counts calls by what they are.
func (a *application) measureCalls(m *measured, fn *ssa.Function) {
	for call := range calls(fn) {
		c, ok := calleeOf(call.Common())
		at := evidencePlace{call.Pos(), c.name}
		if g, loose := call.(*ssa.Go); loose && !hasContext(g) {
			m.loose = append(m.loose, at)
		}
		if !ok {
			continue
		}
		database := true
		switch {
		case c.pkg == framework+"/orm" && ormReads[c.name]:
			m.reads = append(m.reads, at)
		case c.pkg == framework+"/orm" && ormWrites[c.name]:
			m.changes = append(m.changes, at)
		case c.pkg == "database/sql" && strings.HasPrefix(c.name, "Query"):
			m.reads = append(m.reads, at)
		case c.pkg == "database/sql" && strings.HasPrefix(c.name, "Exec"):
			m.changes = append(m.changes, at)
		default:
			database = c.pkg == framework+"/orm" && (c.name == "Tx" || c.name == "TxWith") || c.pkg == "database/sql" && c.name == "Commit"
		}
		if external(c) {
			m.external = append(m.external, at)
		}
		if plain, ok := call.(*ssa.Call); ok && ignoresError(plain) && !harmless(c) {
			m.ignored = append(m.ignored, at)
			if database {
				m.ignoreDB = append(m.ignoreDB, at)
			}
		}
	}
}

func external(c callee) bool {
	switch c.pkg {
	case "net/http":
		return c.recv == "Client" || c.recv == "Transport" || c.recv == "" && (c.name == "Get" || c.name == "Post" || c.name == "Head" || c.name == "PostForm")
	case "net":
		return strings.HasPrefix(c.name, "Dial") || strings.HasPrefix(c.name, "Lookup")
	case "os/exec":
		return c.recv == "Cmd" && (c.name == "Run" || c.name == "Start" || c.name == "Output" || c.name == "CombinedOutput")
	case "net/smtp", framework + "/mail":
		return strings.HasPrefix(c.name, "Send")
	case framework + "/outbound":
		return c.recv != ""
	}
	return false
}

// hasContext reports whether a goroutine is given a context.
func hasContext(g *ssa.Go) bool {
	values := slices.Clone(g.Call.Args)
	if made, ok := g.Call.Value.(*ssa.MakeClosure); ok {
		values = append(values, made.Bindings...)
	}
	for _, v := range values {
		t := v.Type()
		if pointer, ok := t.Underlying().(*types.Pointer); ok {
			t = pointer.Elem()
		}
		if isNamed(t, "context", "Context") || isNamed(t, framework, "Request") {
			return true
		}
	}
	return false
}

// ignoresError reports whether nobody looks at the error that a call returns last.
func ignoresError(call *ssa.Call) bool {
	results := call.Call.Signature().Results()
	if results.Len() == 0 {
		return false
	}
	last := results.Len() - 1
	if named, ok := results.At(last).Type().(*types.Named); !ok || named.Obj().Pkg() != nil || named.Obj().Name() != "error" {
		return false
	}
	if results.Len() == 1 {
		return len(*call.Referrers()) == 0
	}
	for _, user := range *call.Referrers() {
		if extract, ok := user.(*ssa.Extract); ok && extract.Index == last && len(*extract.Referrers()) > 0 {
			return false
		}
		if _, ok := user.(*ssa.Return); ok {
			return false
		}
	}
	return true
}

// harmless are errors that cannot be or that nobody can do anything about.
func harmless(c callee) bool {
	switch c.pkg {
	case "fmt", "strings", "bytes", "crypto/rand", "hash", "math/rand", "text/tabwriter":
		return true
	case "io":
		return c.name == "WriteString" || c.name == "Write"
	case "net/http":
		return c.recv == "ResponseWriter"
	}
	return c.name == "Close" || c.name == "Rollback"
}

// readsOf are the values that functions ask a request for by constant names, sorted.
func readsOf(reached []*ssa.Function) []Read {
	from := map[string]string{"Query": "query", "Header": "header", "Cookie": "cookie", "Value": "form", "FormValue": "form", "PostFormValue": "form"}
	bodies := map[string]string{"DecodeJSON": "json", "Bytes": "bytes", "Text": "bytes"}
	var list []Read
	add := func(read Read) {
		i := slices.IndexFunc(list, func(r Read) bool { return r.From == read.From && r.Name == read.Name })
		if i < 0 {
			list = append(list, read)
		} else if list[i].Kind == "" {
			list[i].Kind = read.Kind
		}
	}
	for _, fn := range reached {
		for call := range calls(fn) {
			c, ok := calleeOf(call.Common())
			if ok && c.pkg == framework && c.recv == "Request" && bodies[c.name] != "" {
				add(Read{From: "body", Name: bodies[c.name]})
			}
			if !ok || from[c.name] == "" || !(c.pkg == framework && (c.recv == "Request" || c.recv == "Form") || c.pkg == "net/http" && c.recv == "Request") {
				continue
			}
			if len(call.Common().Args) < 2 {
				continue
			}
			if name, ok := constantText(call.Common().Args[1]); ok {
				add(Read{from[c.name], name, convertedTo(call)})
			}
		}
	}
	slices.SortFunc(list, func(x, y Read) int { return strings.Compare(x.From+x.Name, y.From+y.Name) })
	return list
}

// convertedTo is the kind of number that a text becomes, or "".
func convertedTo(call ssa.CallInstruction) string {
	value := call.Value()
	if value == nil || value.Referrers() == nil {
		return ""
	}
	for _, user := range *value.Referrers() {
		if next, ok := user.(ssa.CallInstruction); ok {
			switch c, _ := calleeOf(next.Common()); c {
			case callee{"strconv", "", "Atoi"}, callee{"strconv", "", "ParseInt"}, callee{"strconv", "", "ParseUint"}:
				return "integer"
			case callee{"strconv", "", "ParseFloat"}:
				return "number"
			}
		}
	}
	return ""
}
