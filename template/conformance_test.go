package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// decodeOrdered reads JSON into values that keep the order of objects and tell 1 from 1.0, as Python does.
func decodeOrdered(t testing.TB, data []byte) value {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	var read func() value
	token := func() json.Token {
		tok, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	read = func() value {
		switch tok := token().(type) {
		case json.Delim:
			if tok == '[' {
				items := []value{}
				for dec.More() {
					items = append(items, read())
				}
				token()
				return listValue(items)
			}
			d := newDict()
			for dec.More() {
				k := token().(string)
				d.set(stringValue(k), read())
			}
			token()
			return object(d)
		case json.Number:
			if n, err := tok.Int64(); err == nil {
				return intValue(n)
			}
			f, _ := tok.Float64()
			return floatValue(f)
		case string:
			return stringValue(tok)
		case bool:
			return boolValue(tok)
		}
		return none
	}
	return read()
}

func readBattery(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Conformance(t), "jinja", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// renderText renders one template given as text.
func renderText(files map[string]string, text string, data value, o Options) (string, error) {
	m := fstest.MapFS{"main template": {Data: []byte(text)}}
	for name, body := range files {
		m[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(body)}
	}
	var b strings.Builder
	err := New(m, o).Render(&b, "main template", data)
	return b.String(), err
}

func escaping(mode Escape) func(string) Escape { return func(string) Escape { return mode } }

func TestProbeOfJinja(t *testing.T) {
	var probe struct {
		Files map[string]string
		Cases []struct{ Name, Src, Want string }
	}
	readBattery(t, "jinja_probe.json", &probe)
	type user struct {
		Name string
		Age  int
	}
	type node struct {
		V int
		C []node
	}
	data := map[string]any{
		"n": 4, "name": "world", "d": map[string]any{"a": 1}, "users": []user{{"Ann", 20}, {"Bob", 40}}, "tree": []node{{1, []node{{V: 2}}}},
	}
	for _, mode := range []Escape{EscapeHTML, Contextual} {
		good := 0
		for _, c := range probe.Cases {
			got, err := renderText(probe.Files, c.Src, fromGo(data), Options{Escape: escaping(mode)})
			if c.Want == "ERR" && err != nil || err == nil && got == c.Want {
				good++
				continue
			}
			t.Errorf("%s: %s\n got %q, %v\nwant %q", c.Name, c.Src, got, err, c.Want)
		}
		t.Logf("escape mode %d: %d of %d", mode, good, len(probe.Cases))
	}
}

type corpusCase struct {
	Test      string
	Template  *string
	Main      string
	Templates map[string]string
	Context   json.RawMessage
	Opts      map[string]any
	Output    *string
	Error     string
}

// corpusDeviations are the cases whose output differs from Jinja's, with the reason. The package documentation tells
// them apart by these reasons.
var corpusDeviations = map[int]string{
	61:  "debug tag",
	64:  "Python attributes",
	65:  "Python attributes",
	88:  "integers of 64 bits",
	136: "names are checked when the template is compiled",
	137: "names are checked when the template is compiled",
}

func corpusOptions(opts map[string]any) Options {
	o := Options{Escape: escaping(EscapeNone), Extensions: []string{}}
	s := &o.Syntax
	for name, field := range map[string]*string{
		"block_start_string": &s.BlockStart, "block_end_string": &s.BlockEnd, "variable_start_string": &s.VariableStart,
		"variable_end_string": &s.VariableEnd, "comment_start_string": &s.CommentStart, "comment_end_string": &s.CommentEnd,
		"line_statement_prefix": &s.LineStatement, "line_comment_prefix": &s.LineComment,
	} {
		if text, ok := opts[name].(string); ok {
			*field = text
		}
	}
	s.TrimBlocks, _ = opts["trim_blocks"].(bool)
	s.LstripBlocks, _ = opts["lstrip_blocks"].(bool)
	s.KeepTrailingNewline, _ = opts["keep_trailing_newline"].(bool)
	if on, _ := opts["autoescape"].(bool); on {
		o.Escape = escaping(EscapeHTML)
	}
	return o
}

func (c *corpusCase) run(t *testing.T) (string, error) {
	data := none
	if len(c.Context) > 0 {
		data = decodeOrdered(t, c.Context)
	}
	text := c.Templates[c.Main]
	if c.Template != nil {
		text = *c.Template
	}
	return renderText(c.Templates, text, data, corpusOptions(c.Opts))
}

func (c *corpusCase) matches(got string, err error) bool {
	if c.Error == "" {
		return err == nil && c.Output != nil && got == *c.Output
	}
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	kinds := map[string][]Kind{
		"TemplateSyntaxError": {KindSyntax}, "TemplateAssertionError": {KindSyntax}, "UndefinedError": {KindUndefined},
		"FilterArgumentError": {KindRuntime}, "TemplateRuntimeError": {KindRuntime, KindUndefined, KindSyntax},
	}
	return slices.Contains(kinds[c.Error], e.Kind)
}

func TestCorpusOfJinja(t *testing.T) {
	var cases []corpusCase
	readBattery(t, "jinja_corpus.json", &cases)
	good := 0
	for i, c := range cases {
		got, err := c.run(t)
		reason, known := corpusDeviations[i]
		switch ok := c.matches(got, err); {
		case ok && known:
			t.Errorf("case %d is right now, but listed as a deviation: %s", i, reason)
		case ok:
			good++
		case !known:
			want := c.Error
			if c.Output != nil {
				want = fmt.Sprintf("%q", *c.Output)
			}
			tmpl := ""
			if c.Template != nil {
				tmpl = *c.Template
			}
			t.Errorf("case %d %s: %q %v\n got %q, %v\nwant %s", i, c.Test, tmpl, c.Opts, got, err, want)
		}
	}
	t.Logf("%d of %d", good, len(cases))
}

// generated compares with what Jinja itself makes of random templates.
func TestGeneratedTemplates(t *testing.T) {
	python := testenv.PythonWith(t, "jinja2")
	count := "120"
	if testenv.Long() {
		count = "1000"
	}
	for seed := 1; seed <= 5; seed++ {
		out := filepath.Join(t.TempDir(), "cases.json")
		cmd := osexec.Command(python, filepath.Join(testenv.Conformance(t), "jinja", "jinja_gen.py"), strconv.Itoa(seed), count, out)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("the generator failed: %v\n%s", err, text)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var made struct {
			Context json.RawMessage
			Cases   []corpusCase
		}
		if err := json.Unmarshal(data, &made); err != nil {
			t.Fatal(err)
		}
		total, good := 0, 0
		for _, c := range made.Cases {
			c.Context = made.Context
			got, err := c.run(t)
			if total++; c.matches(got, err) {
				good++
				continue
			}
			want := c.Error
			if c.Output != nil {
				want = *c.Output
			}
			t.Logf("seed %d: %q %v\n got %q, %v\nwant %q", seed, *c.Template, c.Opts, got, err, want)
		}
		t.Logf("seed %d: %d of %d", seed, good, total)
		if good*100 < total*98 {
			t.Errorf("seed %d: %d of %d are right: fewer than 98 %%", seed, good, total)
		}
	}
}
