package openapitest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ishaa-framework/ishaa/openapi"
)

// book is a document made ready to be asked.
type book struct {
	operations map[string]*operation // by method and path with the names of its parameters taken out

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

type operation struct {
	label      string // "GET /users/{id}"
	pointer    string // of the operation in the document
	parameters []parameter
	body       node // requestBody, or nil
	answers    node
}

type parameter struct {
	name, in string
	required bool
	explode  bool
	schema   node
	pointer  string // of the schema
}

// node is a JSON object.
type node = map[string]any

const location = "https://document.invalid/openapi.json"

func read(document *openapi.Document) (*book, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document.JSON()))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseRegexpEngine(compile)
	if err := compiler.AddResource(location, parsed); err != nil {
		return nil, err
	}
	b := &book{operations: map[string]*operation{}, compiler: compiler, schemas: map[string]*jsonschema.Schema{}}
	for path, item := range child(parsed.(node), "paths") {
		for method, op := range item.(node) {
			b.add(path, method, op.(node))
		}
	}
	return b, nil
}

func (b *book) add(path, method string, doc node) {
	op := &operation{
		label: strings.ToUpper(method) + " " + path, pointer: "/paths/" + escaped(path) + "/" + method,
		body: child(doc, "requestBody"), answers: child(doc, "responses"),
	}
	list, _ := doc["parameters"].([]any)
	for i, p := range list {
		p := p.(node)
		explode, given := p["explode"].(bool)
		op.parameters = append(op.parameters, parameter{
			name: p["name"].(string), in: p["in"].(string), required: p["required"] == true, explode: explode || !given,
			schema: child(p, "schema"), pointer: fmt.Sprintf("%s/parameters/%d/schema", op.pointer, i),
		})
	}
	b.operations[strings.ToUpper(method)+" "+nameless(path)] = op
}

var parameterName = regexp.MustCompile(`\{[^{}/]*\}`)

// nameless takes the names of parameters out of a path.
func nameless(path string) string { return parameterName.ReplaceAllString(path, "{}") }

func child(doc node, name string) node {
	found, _ := doc[name].(node)
	return found
}

// escaped writes a name as a part of a JSON pointer (RFC 6901 §3).
func escaped(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// schema compiles what stands at a place of the document.
func (b *book) schema(pointer string) (*jsonschema.Schema, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.schemas[pointer]; known != nil {
		return known, nil
	}
	compiled, err := b.compiler.Compile(location + "#" + fragment(pointer))
	if err == nil {
		b.schemas[pointer] = compiled
	}
	return compiled, err
}

// fragment writes a pointer as a part of a URL.
func fragment(pointer string) string {
	var out strings.Builder
	for i := range len(pointer) {
		if c := pointer[i]; strings.IndexByte("/~-._", c) >= 0 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

// fits reports what is wrong with a value, or "".
func (b *book) fits(pointer string, value any) string {
	schema, err := b.schema(pointer)
	if err != nil {
		return fmt.Sprintf("the document's schema at %s is none: %v", pointer, err)
	}
	err = schema.Validate(value)
	if err == nil {
		return ""
	}
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimSpace(line), "- ")
	}
	if len(lines) > 1 {
		lines = lines[1:] // the first one says only where the schema is
	}
	return strings.Join(lines, "; ")
}

// jsPattern runs the expressions of documents, which are JavaScript's, as Go's.
type jsPattern struct{ *regexp.Regexp }

func compile(text string) (jsonschema.Regexp, error) {
	compiled, err := regexp.Compile(strings.ReplaceAll(text, `\u{`, `\x{`))
	if err != nil {
		return nil, err
	}
	return jsPattern{compiled}, nil
}
