package template

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// The oracle: random templates with values in every kind of place, rendered with harmless and with hostile data, read
// by a real HTML parser. Elements, attributes, the tokens of scripts and styles and the schemes of URLs have to be those
// of the template, whatever the data. Where html/template takes the same template, its page has to have the same
// skeleton, and its text and attributes the same content.

// oracleParts are what generated templates include; x0 is a value.
var oracleParts = map[string]string{"part": `<b title="{{ x0 }}">{{ x0 }}</b>`, "url": `{{ x0 }}`, "js": `f({{ x0 }}, '{{ x0 }}')`}

// attacks are what hostile values are made of.
var attacks = []string{
	`"><script>alert(1)</script>`, `' onmouseover='alert(1)`, ` onx=alert(1) `, `javascript:alert(1)`, "java\nscript:alert(1)", `</style><script>`, `JaVaScRiPt:alert(1)`, "\x01javascript:alert(1)",
	`</script>`, `-->`, "`${alert(1)}", `\`, `*/alert(1)/*`, "\u2028alert(1)", `expression(alert(1))`, `&quot;`, `<`, `{{ x }}`, "a\x00b", `]]>`, `<!--`, `<script>`, `--!>`, `<!--<script>`,
	`data:text/html,<script>alert(1)</script>`, `vbscript:msgbox(1)`, `//evil.example`, `/evil`, `\evil`, `:alert(1)`, `script:alert(1)`, `javascript&colon;alert(1)`, `0;url=javascript:alert(1)`, `0;javascript:alert(1)`,
	`;url=javascript:alert(1)`, `url=data:text/html,x`, `</title>`, `</textarea><img src=x onerror=alert(1)>`, `"`, `'`, "`", `>`, `&`, `=`, `/`, `a b`, "a\tb", "\r\n", `${1}`, `}`, `{`, `)`, `(`, `;`, `,`, `+1`, `--`, `-`,
	`red;background:url(javascript:alert(1))`, `url(x)`, `@import 'x'`, `x, javascript:alert(1) 2x`, `a,b`, "\xff\xfe", "\xc3", `💥`, `</SCRIPT >`, `<svg/onload=alert(1)>`, `onclick`, `href`, `style`, `srcdoc`, `\u0027`, `\'`, `\"`, `%22`, `%`, `%0a`, `javascript`, `data`, `alert(1)`, `0;url=java`, `5`, `script`, `/title `, `textarea`, `!--`,
	"'-alert(1)-'", `<?php`, `<![CDATA[`, `]]`, `\3c`, `</`, `a=b`, `https://a.example/?x=<">&y='`, `http://u:p@h/`, "\u00a0", "\ufeffjavascript:1", "\u2029", "http://a b", `www.x.com/"onx=1`, `u@example.com"`, `http://x.com/'"><b`,
}

// hostile makes a value, and one of the same shape that is harmless.
func (m *pageMaker) hostile(depth int) (hostile, benign any) {
	switch m.IntN(16) {
	case 0:
		n := m.IntN(2000) - 1000
		return n, n
	case 1:
		f := []float64{0.5, -1, 1e300, -0.25}[m.IntN(4)]
		return f, f
	case 2:
		if depth == 0 {
			list, same := []any{}, []any{}
			for range m.IntN(3) {
				h, b := m.hostile(1)
				list, same = append(list, h), append(same, b)
			}
			return list, same
		}
	case 3:
		if depth == 0 {
			h, b := m.hostile(1)
			return map[string]any{m.attack(): h}, map[string]any{"key": b}
		}
	case 4:
		b := m.IntN(2) == 0
		return b, b
	case 5:
		return hostileStringer(m.attack()), hostileStringer("benign")
	}
	return m.attack(), "benign"
}

type hostileStringer string

func (h hostileStringer) String() string { return string(h) }

func (m *pageMaker) attack() string {
	s := attacks[m.IntN(len(attacks))]
	if m.IntN(4) == 0 {
		s += attacks[m.IntN(len(attacks))]
	}
	return s
}

// renderOurs renders with the default escaping.
func (n node) renderOurs(e *Engine, data any) (string, error) {
	var b strings.Builder
	err := e.Render(&b, "page", data)
	return b.String(), err
}

func TestOracle(t *testing.T) {
	count := 10_000
	if raceEnabled && !testenv.Long() {
		count = 2000
	}
	var compiled, compared int
	var failures []string
	for seed := range count {
		m := &pageMaker{Rand: rand.New(rand.NewPCG(uint64(seed), 7))}
		n := m.content()
		hostile, benign := map[string]any{"two": []int{1, 2}}, map[string]any{"two": []int{1, 2}}
		for i := range oracleValues {
			name := fmt.Sprintf("x%d", i)
			hostile[name], benign[name] = m.hostile(0)
		}
		files := fstest.MapFS{"page": {Data: []byte(n.ours)}}
		for name, text := range oracleParts {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		e := New(files)
		plain, err := n.renderOurs(e, benign)
		if err != nil {
			continue // a place that cannot be told
		}
		compiled++
		evil, err := n.renderOurs(e, hostile)
		if err != nil {
			continue // a filter that does not take the value
		}
		want, got := skeletonOf(plain), skeletonOf(evil)
		report := func(format string, args ...any) {
			failures = append(failures, fmt.Sprintf("seed %d: %s\n%s\nwith %q\nis   %s\nlike %s", seed, fmt.Sprintf(format, args...), n.ours, hostile, evil, plain))
		}
		if problem := got.differs(want); problem != "" {
			report("the data changed the page: %s", problem)
			continue
		}
		if n.alone || strings.Contains(n.ours, "<!--") && (strings.Contains(n.ours, "<svg") || strings.Contains(n.ours, "<math")) {
			continue // html/template drops comments, and in SVG that of a script's text is one of the page
		}
		theirs, err := renderTheirs(n.theirs, hostile)
		if err != nil {
			continue
		}
		compared++
		other := skeletonOf(theirs)
		if problem := got.weakerThan(other); problem != "" {
			report("html/template is stricter: %s\n%s", problem, theirs)
		} else if onlyStrings(hostile) && got.texts != other.texts {
			report("the texts are %q, by html/template %q\n%s", got.texts, other.texts, theirs)
		}
	}
	t.Logf("%d templates, %d compiled, %d compared with html/template, %d failed", count, compiled, compared, len(failures))
	slices.SortFunc(failures, func(a, b string) int { return len(a) - len(b) })
	for _, f := range failures[:min(10, len(failures))] {
		t.Error(f)
	}
	if compiled*2 < count || compared*4 < count {
		t.Errorf("too few templates were compared")
	}
}

// urlize is the one filter that makes elements of data: links, and nothing else.
func TestUrlizeMakesLinksOnly(t *testing.T) {
	allowed := map[string]bool{"<html >": true, "<head >": true, "<body >": true, "<p >": true, "<a href,rel>": true}
	for i, a := range attacks {
		for _, b := range []string{attacks[(i*7+3)%len(attacks)], attacks[(i+1)%len(attacks)], a} {
			page, err := contextual(t, "<p>{{ x|urlize }} {{ x|urlize(20, true)|upper }}</p>", map[string]any{"x": a + b + " (" + a + ") " + b})
			if err != nil {
				t.Fatal(err)
			}
			s := skeletonOf(page)
			for _, part := range s.shape {
				if !allowed[part] && !strings.HasPrefix(part, "</") {
					t.Fatalf("%q made %s in %s", a+b, part, page)
				}
			}
			for _, scheme := range s.urls {
				if !harmlessScheme(scheme) {
					t.Fatalf("%q made a URL of %q in %s", a+b, scheme, page)
				}
			}
		}
	}
}

// onlyStrings reports whether both engines write the data alike: other values they format each in their own way, and
// html/template replaces NUL and what is not UTF-8.
func onlyStrings(data map[string]any) bool {
	for name, v := range data {
		s, ok := v.(string)
		if h, is := v.(hostileStringer); is {
			s, ok = string(h), true
		}
		if name != "two" && (!ok || strings.Contains(s, "\x00") || !utf8.ValidString(s)) {
			return false
		}
	}
	return true
}

func renderTheirs(text string, data any) (string, error) {
	tmpl, err := htmltemplate.New("").Parse(text)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = tmpl.Execute(&b, data)
	return b.String(), err
}
