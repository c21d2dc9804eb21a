//go:build unix

package examples_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// tableRows reads the rows of the table whose heading begins with the given cells, code marks taken off.
func tableRows(t *testing.T, document string, heading ...string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testenv.Root(), document))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	within := false
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			within = false
		case len(cells) >= len(heading) && slices.Equal(cells[:len(heading)], heading):
			within = true
		case within && strings.Trim(cells[0], "-") != "":
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table of %q", document, heading)
	}
	return rows
}

// The table of settings lists every field of Config with its default; the variable and the flag set that field and no
// other.
func TestConfigurationTable(t *testing.T) {
	t.Chdir(t.TempDir()) // no .env there
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "ISHAA_") {
			t.Setenv(name, "")
		}
	}
	quiet := ishaa.Config{Logger: slog.New(slog.DiscardHandler)}
	withTLS := quiet
	withTLS.TLSCert, withTLS.TLSKey = "cert.pem", "key.pem" // one is refused without the other
	defaults := ishaa.New("shop", quiet).Config()

	listed := map[string]bool{"Logger": true, "LogTo": true} // have no variable
	for _, row := range tableRows(t, "docs/running.md", "field", "variable") {
		field, variable, fallback, sample := row[0], row[1], row[2], row[3]
		listed[field] = true
		if !reflect.ValueOf(defaults).FieldByName(field).IsValid() {
			t.Errorf("Config has no field %s", field)
			continue
		}
		if got := shown(defaults, field); got != fallback {
			t.Errorf("%s: the default is %q, the table says %q", field, got, fallback)
		}
		given := quiet
		if strings.HasPrefix(field, "TLS") {
			given = withTLS
		}
		before := ishaa.New("shop", given).Config()
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, sample)
			setsOnly(t, field, before, ishaa.New("shop", given).Config())
		})
		flag := "-" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "ISHAA_"), "_", "-"))
		t.Run(flag, func(t *testing.T) {
			app := ishaa.New("shop", given)
			app.Command(ishaa.Command{Name: "nothing", Run: func(context.Context, *ishaa.App, []string, io.Writer) error { return nil }})
			if err := app.RunArgs(t.Context(), []string{flag + "=" + sample, "nothing"}); err != nil {
				t.Fatal(err)
			}
			setsOnly(t, field, before, app.Config())
		})
	}
	for field := range reflect.TypeFor[ishaa.Config]().Fields() {
		if !listed[field.Name] {
			t.Errorf("the table does not list %s", field.Name)
		}
	}
}

// shown is a field as the table has it.
func shown(config ishaa.Config, field string) string {
	value := reflect.ValueOf(config).FieldByName(field).Interface()
	if list, ok := value.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(value)
}

// setsOnly checks that one field differs and no other.
func setsOnly(t *testing.T, field string, before, after ishaa.Config) {
	t.Helper()
	for f := range reflect.TypeFor[ishaa.Config]().Fields() {
		was, is := shown(before, f.Name), shown(after, f.Name)
		if (was != is) != (f.Name == field) {
			t.Errorf("%s was %q and is %q", f.Name, was, is)
		}
	}
}

// The table of middleware lists every function of the package that makes some.
func TestMiddlewareTable(t *testing.T) {
	var listed []string
	for _, row := range tableRows(t, "docs/middleware.md", "function", "does") {
		listed = append(listed, row[0])
	}
	files, err := filepath.Glob(filepath.Join(testenv.Root(), "middleware", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.IsExported() && makesMiddleware(fn) {
				made = append(made, fn.Name.Name)
			}
		}
	}
	slices.Sort(made)
	if !slices.Equal(listed, made) {
		t.Errorf("the table lists %v\nthe package has %v", listed, made)
	}
}

func makesMiddleware(fn *ast.FuncDecl) bool {
	if fn.Recv != nil || fn.Type.Results == nil || len(fn.Type.Results.List) != 1 {
		return false
	}
	result, ok := fn.Type.Results.List[0].Type.(*ast.SelectorExpr)
	return ok && result.Sel.Name == "Middleware"
}

// The table of secure defaults has the names that can be taken away, in the order in which the program has them.
func TestDefaultsTable(t *testing.T) {
	var listed []string
	for _, row := range tableRows(t, "docs/middleware.md", "name", "does") {
		listed = append(listed, row[0])
	}
	want := []string{
		ishaa.DefaultRecover, ishaa.DefaultRequestID, ishaa.DefaultAccessLog,
		ishaa.DefaultSecurityHeaders, ishaa.DefaultCSRF, ishaa.DefaultBodyLimit,
	}
	if !slices.Equal(listed, want) {
		t.Errorf("the table lists %v, want %v", listed, want)
	}
	for _, name := range listed {
		ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)}).Without(name) // panics on one that is not there
	}
}
