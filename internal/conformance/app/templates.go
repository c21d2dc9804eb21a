package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/template"
)

//go:embed pages
var pages embed.FS

// addTemplates adds a page with a value of the request, and the engine on whatever templates it is given.
func addTemplates(app *ishaa.App, _ options) {
	files, err := fs.Sub(pages, "pages")
	if err != nil {
		panic(err)
	}
	app.Install(template.New(files))
	app.Get("/_x/tpl", func(r *ishaa.Request) (any, error) {
		return template.Page("tpl.html", map[string]any{"q": r.Query("q")}), nil
	})
	app.Post("/_x/render", renderGiven)
}

// rendering is a template with all that it needs.
type rendering struct {
	Template  *string           `json:"template"`  // the text; or
	Main      string            `json:"main"`      // its name among the others
	Templates map[string]string `json:"templates"` // by name
	Context   json.RawMessage   `json:"context"`
	Options   *jinjaOptions     `json:"opts"` // absent, everything is as this framework has it
}

// jinjaOptions are those of Jinja's Environment, with its defaults: nothing is escaped unless it says so.
type jinjaOptions struct {
	Autoescape          bool   `json:"autoescape"`
	TrimBlocks          bool   `json:"trim_blocks"`
	LstripBlocks        bool   `json:"lstrip_blocks"`
	KeepTrailingNewline bool   `json:"keep_trailing_newline"`
	BlockStart          string `json:"block_start_string"`
	BlockEnd            string `json:"block_end_string"`
	VariableStart       string `json:"variable_start_string"`
	VariableEnd         string `json:"variable_end_string"`
	CommentStart        string `json:"comment_start_string"`
	CommentEnd          string `json:"comment_end_string"`
	LineStatement       string `json:"line_statement_prefix"`
	LineComment         string `json:"line_comment_prefix"`
}

// rendered is what came of it.
type rendered struct {
	Output  *string `json:"output,omitempty"`
	Error   string  `json:"error,omitempty"` // its class, as Jinja calls it
	Message string  `json:"message,omitempty"`
}

// givenName is the name of a template that has none, chosen so that no other has it.
const givenName = "given template"

func renderGiven(r *ishaa.Request) (any, error) {
	var in rendering
	if err := r.DecodeJSON(&in); err != nil {
		return nil, err
	}
	data, err := contextOf(in.Context)
	if err != nil {
		return nil, ishaa.BadRequest("context: %s", err)
	}
	files := fstest.MapFS{}
	for name, text := range in.Templates {
		files[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(text)}
	}
	name := strings.TrimPrefix(in.Main, "/")
	if in.Template != nil {
		name = givenName
		files[name] = &fstest.MapFile{Data: []byte(*in.Template)}
	}
	var page bytes.Buffer
	if err := template.New(files, in.Options.engine()).RenderContext(r.Context(), &page, name, data); err != nil {
		return rendered{Error: classOf(err), Message: err.Error()}, nil
	}
	output := page.String()
	return rendered{Output: &output}, nil
}

func (o *jinjaOptions) engine() template.Options {
	if o == nil {
		return template.Options{}
	}
	escape := template.EscapeNone
	if o.Autoescape {
		escape = template.EscapeHTML
	}
	return template.Options{
		Escape: func(string) template.Escape { return escape },
		Syntax: template.Syntax{
			BlockStart: o.BlockStart, BlockEnd: o.BlockEnd, VariableStart: o.VariableStart, VariableEnd: o.VariableEnd,
			CommentStart: o.CommentStart, CommentEnd: o.CommentEnd, LineStatement: o.LineStatement, LineComment: o.LineComment,
			TrimBlocks: o.TrimBlocks, LstripBlocks: o.LstripBlocks, KeepTrailingNewline: o.KeepTrailingNewline,
		},
	}
}

// classOf is the class of Jinja's exceptions that an error belongs to.
func classOf(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "TemplateNotFound"
	}
	var mistake *template.Error
	if errors.As(err, &mistake) {
		switch mistake.Kind {
		case template.KindSyntax:
			return "TemplateSyntaxError"
		case template.KindUndefined:
			return "UndefinedError"
		}
	}
	return "TemplateRuntimeError"
}

// contextOf reads the values of a template. Whole numbers stay whole, as they do in Python.
func contextOf(text json.RawMessage) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var data map[string]any
	if len(text) == 0 {
		return data, nil
	}
	if err := decoder.Decode(&data); err != nil {
		return nil, err
	}
	for name, v := range data {
		data[name] = withNumbers(v)
	}
	return data, nil
}

func withNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // the largest there is, for one that is larger
		return f
	case []any:
		for i := range v {
			v[i] = withNumbers(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = withNumbers(v[name])
		}
	}
	return v
}
