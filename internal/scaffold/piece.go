package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Piece is what was written into a project that is there.
type Piece struct {
	Files []string // relative to the project
	Next  []string // what is left to do, in words or as a command
}

var wordName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// names are the ways to write a name: "BlogPost", "blogPost", "blog_post".
type names struct {
	Module, Exported, Local, File string
}

func namesOf(root, what, name string) (names, error) {
	n := names{}
	if !wordName.MatchString(name) || len(name) > 64 || strings.Trim(name, "_") == "" {
		return n, fmt.Errorf("%q is no name for a %s: use letters, digits and \"_\", beginning with a letter", name, what)
	}
	module, err := moduleOf(root)
	if err != nil {
		return n, err
	}
	var exported, file []rune
	upper := true
	for i, c := range name {
		if c == '_' {
			upper = true
			continue
		}
		if unicode.IsUpper(c) || upper {
			if i > 0 && len(file) > 0 && (upper || !unicode.IsUpper(rune(name[i-1]))) {
				file = append(file, '_')
			}
			c = unicode.ToUpper(c)
		}
		upper = false
		exported, file = append(exported, c), append(file, unicode.ToLower(c))
	}
	local := slices.Clone(exported)
	for i := range local { // as ID becomes id, and HTMLPage htmlPage
		if i > 0 && i+1 < len(local) && unicode.IsLower(local[i+1]) || !unicode.IsUpper(local[i]) {
			break
		}
		local[i] = unicode.ToLower(local[i])
	}
	n = names{module, string(exported), string(local), string(file)}
	if token.IsKeyword(n.Local) {
		n.Local += "Value"
	}
	if strings.HasSuffix(n.File, "_test") || slices.Contains([]string{"models"}, n.File) && what == "model" {
		return n, fmt.Errorf("%q is no name for a %s: Go, or the project, gives the file %s.go a meaning of its own", name, what, n.File)
	}
	return n, nil
}

// moduleOf reads the module path of a project.
func moduleOf(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", errors.New("there is no go.mod in this folder or above it: go into a project, or make one with ishaa create project NAME")
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			path, _, _ = strings.Cut(path, "//")
			return strings.Trim(strings.TrimSpace(path), `"`), nil
		}
	}
	return "", errors.New("go.mod names no module")
}

// fieldTypes are the types of fields by the words for them.
var fieldTypes = map[string]string{
	"text": "string", "string": "string", "int": "int64", "float": "float64", "bool": "bool", "time": "time.Time", "decimal": "orm.Decimal",
	"bytes": "[]byte", "duration": "time.Duration",
}

// FieldTypes are the words for types that Model takes.
func FieldTypes() []string {
	return []string{"text", "int", "float", "bool", "time", "decimal", "bytes", "duration"}
}

type field struct {
	Name, Type, Tag string
}

// fieldOf reads "title:text", "price:decimal:null" or "email:text:unique".
func fieldOf(text string) (field, error) {
	name, rest, _ := strings.Cut(text, ":")
	kind, options, _ := strings.Cut(rest, ":")
	if kind == "" {
		kind = "text"
	}
	fail := func(format string, args ...any) (field, error) {
		return field{}, fmt.Errorf("the field %q: %s; write NAME:TYPE, such as title:text or email:text:unique", text, fmt.Sprintf(format, args...))
	}
	if !wordName.MatchString(name) || strings.Contains(name, "__") || strings.HasSuffix(name, "_") {
		return fail("%q is no name: use letters, digits and single \"_\"", name)
	}
	f := field{Name: exportedField(name), Type: fieldTypes[kind]}
	if f.Type == "" {
		return fail("there is no type %q: there are %s", kind, strings.Join(FieldTypes(), ", "))
	}
	if slices.Contains([]string{"ID", "CreatedAt", "UpdatedAt", "Model"}, f.Name) {
		return fail("every model has a field %s already", f.Name)
	}
	var tag []string
	if options != "" {
		for option := range strings.SplitSeq(options, ":") {
			switch option {
			case "null":
				f.Type = "*" + f.Type
			case "unique", "index":
				tag = append(tag, option)
			default:
				return fail("there is no option %q: there are null, unique and index", option)
			}
		}
	}
	if kind == "text" || kind == "string" {
		tag = append([]string{"size:200"}, tag...)
	}
	if len(tag) > 0 {
		f.Tag = " `db:\"" + strings.Join(tag, ",") + "\"`"
	}
	return f, nil
}

// exportedField writes a field's name as Go has it: author_id is AuthorID.
func exportedField(name string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		switch {
		case part == "":
		case slices.Contains([]string{"id", "url", "html", "json", "uuid", "ip"}, part):
			out.WriteString(strings.ToUpper(part))
		default:
			out.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return out.String()
}

// Model writes a model into the folder models, and a line into its function Register.
func Model(root, name string, fields []string) (Piece, error) {
	n, err := namesOf(root, "model", name)
	if err != nil {
		return Piece{}, err
	}
	data := struct {
		names
		Fields []field
		Times  bool
	}{names: n}
	seen := map[string]bool{}
	for _, text := range fields {
		f, err := fieldOf(text)
		if err != nil {
			return Piece{}, err
		}
		if seen[f.Name] {
			return Piece{}, fmt.Errorf("the field %s is named twice", f.Name)
		}
		seen[f.Name] = true
		data.Times = data.Times || strings.Contains(f.Type, "time.")
		data.Fields = append(data.Fields, f)
	}
	if len(data.Fields) == 0 {
		data.Fields = []field{{"Name", "string", " `db:\"size:200\"`"}}
	}
	file := filepath.Join("models", n.File+".go")
	if err := writeGo(root, file, "templates/piece/model.go.tmpl", data); err != nil {
		return Piece{}, err
	}
	piece := Piece{Files: []string{file}}
	line := "orm.Register[" + n.Exported + "](db)"
	changed, err := register(filepath.Join(root, "models"), n.Exported)
	if err != nil {
		return piece, err
	}
	if changed != "" {
		piece.Files = append(piece.Files, filepath.Join("models", changed))
	} else {
		piece.Next = append(piece.Next, "register it where the others are: "+line)
	}
	piece.Next = append(piece.Next, "ishaa migrate create add_"+n.File)
	return piece, nil
}

// register adds a line to the function Register of package models, which takes a *orm.DB. It returns the file's name, or
// "" if there is no such function.
func register(dir, model string) (string, error) {
	list, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, name := range list {
		source, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
		if err != nil {
			continue // the compiler will say it better
		}
		for _, d := range tree.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Name.Name != "Register" || fn.Body == nil || len(fn.Type.Params.List) != 1 || len(fn.Type.Params.List[0].Names) != 1 {
				continue
			}
			end := set.Position(fn.Body.Rbrace).Offset
			line := fmt.Sprintf("\torm.Register[%s](%s)\n", model, fn.Type.Params.List[0].Names[0].Name)
			changed := slices.Concat(source[:end], []byte(line), source[end:])
			if changed, err = format.Source(changed); err != nil {
				return "", nil
			}
			return filepath.Base(name), os.WriteFile(name, changed, 0o644)
		}
	}
	return "", nil
}

// Blueprint writes a blueprint into the folder routes.
func Blueprint(root, name string) (Piece, error) {
	n, err := namesOf(root, "blueprint", name)
	if err != nil {
		return Piece{}, err
	}
	file := filepath.Join("routes", n.File+".go")
	if err := writeGo(root, file, "templates/piece/blueprint.go.tmpl", n); err != nil {
		return Piece{}, err
	}
	return Piece{[]string{file}, []string{fmt.Sprintf("register it in main.go, which imports %q: app.Register(routes.%s())", n.Module+"/routes", n.Exported)}}, nil
}

// Task writes a background task into the folder jobs.
func Task(root, name string) (Piece, error) {
	n, err := namesOf(root, "task", name)
	if err != nil {
		return Piece{}, err
	}
	file := filepath.Join("jobs", n.File+".go")
	if err := writeGo(root, file, "templates/piece/task.go.tmpl", n); err != nil {
		return Piece{}, err
	}
	return Piece{[]string{file}, []string{
		fmt.Sprintf("in main.go, which imports %q and %q:\n  queue := tasks.New(db, tasks.Options{})\n  %s := jobs.%s(queue)\n  app.Install(queue)",
			Path+"/tasks", n.Module+"/jobs", n.Local, n.Exported),
		fmt.Sprintf("enqueue it from a handler: %s.Delay(ctx, jobs.%sInput{})", n.Local, n.Exported),
		"go mod tidy, since the tasks bring modules of their own",
	}}, nil
}

func writeGo(root, file, template string, data any) error {
	text, err := render(template, data)
	if err != nil {
		return err
	}
	formatted, err := format.Source(bytes.TrimLeft(text, "\n"))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := writeNew(filepath.Join(root, file), formatted); err != nil {
		return fmt.Errorf("%w", err)
	}
	return nil
}
