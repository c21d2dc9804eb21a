package testgen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// FileName is the file that tests are written to, in the folder of the application's package main.
const FileName = "seqp_test.go"

// setup is how a test makes the application.
type setup struct {
	pkg      string
	code     string // of the function that returns a client
	watching bool   // statements are seen
	signIn   bool   // a client can act as somebody
}

// ErrNoSetup is the error of Generate where no way to make the application is found.
var ErrNoSetup = errors.New("no way to make the application in a test was found")

// findSetup looks for one of the functions that make an application.
func findSetup(dir string) (*setup, error) {
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("testgen: %w", err)
	}
	found := map[string]string{}
	name := ""
	for _, path := range paths {
		if filepath.Base(path) == FileName {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("testgen: %w", err)
		}
		if strings.HasSuffix(file.Name.Name, "_test") {
			continue
		}
		name = file.Name.Name
		for _, declaration := range file.Decls {
			if fn, ok := declaration.(*ast.FuncDecl); ok && fn.Recv == nil {
				found[fn.Name.Name] = signature(fn.Type)
			}
		}
	}
	signIn := found["signIn"] == "*testing.T,*ishaatest.Client,string:*ishaatest.Client"
	const open = "func seqpClient(t *testing.T) (*ishaatest.Client, *seqpWatch) {\n\tt.Helper()\n"
	switch {
	case found["furnish"] == "*ishaa.App,*orm.DB:" && found["openDatabase"] == "string:*orm.DB,error":
		return &setup{name, open + `	db, err := openDatabase("sqlite://" + filepath.Join(t.TempDir(), "seqp.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	watch := &seqpWatch{db: db}
	db.OnQuery(watch.note)
	app := ishaa.New("seqp")
	furnish(app, db)
	return ishaatest.New(t, app), watch
}`, true, signIn}, nil
	case found["furnish"] == "*ishaa.App:":
		return &setup{name, open + "\tapp := ishaa.New(\"seqp\")\n\tfurnish(app)\n\treturn ishaatest.New(t, app), &seqpWatch{}\n}", false, signIn}, nil
	case found["newApp"] == ":*ishaa.App":
		return &setup{name, open + "\treturn ishaatest.New(t, newApp()), &seqpWatch{}\n}", false, signIn}, nil
	case found["newClient"] == "*testing.T:*ishaatest.Client,*orm.DB":
		return &setup{name, open + "\tclient, db := newClient(t)\n\twatch := &seqpWatch{db: db}\n\tdb.OnQuery(watch.note)\n\treturn client, watch\n}", true, signIn}, nil
	case slices.Contains([]string{"*testing.T:*ishaatest.Client", "testing.TB:*ishaatest.Client"}, found["newClient"]):
		return &setup{name, open + "\treturn newClient(t), &seqpWatch{}\n}", false, signIn}, nil
	}
	return nil, fmt.Errorf("testgen: %w: write func furnish(app *ishaa.App), which puts the application together, or func newApp() *ishaa.App into a file of %s", ErrNoSetup, filepath.Clean(dir))
}

// signature gives the types of a function as "in,in:out".
func signature(t *ast.FuncType) string {
	return typeList(t.Params) + ":" + typeList(t.Results)
}

func typeList(fields *ast.FieldList) string {
	var list []string
	if fields == nil {
		return ""
	}
	for _, field := range fields.List {
		for range max(len(field.Names), 1) {
			list = append(list, typeText(field.Type))
		}
	}
	return strings.Join(list, ",")
}

func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + typeText(e.X)
	case *ast.SelectorExpr:
		return typeText(e.X) + "." + e.Sel.Name
	}
	return "?"
}
