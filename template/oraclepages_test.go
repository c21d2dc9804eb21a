package template

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The random templates of the oracle, in both languages.

// node is a piece of a template in both languages; alone says that it is in ours only.
type node struct {
	ours, theirs string
	alone        bool
}

func both(s string) node { return node{ours: s, theirs: s} }

func (n node) then(o node) node {
	return node{n.ours + o.ours, n.theirs + o.theirs, n.alone || o.alone}
}

// inside puts a tag of each language around a node.
func (n node) inside(ours, theirs, oursEnd, theirsEnd string) node {
	return node{ours, theirs, false}.then(n).then(node{oursEnd, theirsEnd, false})
}

func (n node) with(mark, text string) node {
	return node{strings.ReplaceAll(n.ours, mark, text), strings.ReplaceAll(n.theirs, mark, text), n.alone}
}

// repeated puts a node in a loop.
func (n node) repeated(before, after string) node {
	n.theirs = strings.ReplaceAll(n.theirs, "{{.", "{{$.")
	return n.inside(before+"{% for i in two %}", before+"{{range $.two}}", "{% endfor %}"+after, "{{end}}"+after)
}

// page makes a template of a random choice of pieces. values are the names in it, "%" in a piece is a value.
type pageMaker struct {
	*rand.Rand
	used  int
	depth int
}

// values is how many values a template may have; each is called x0, x1 …
const oracleValues = 4

func (m *pageMaker) value() node {
	name := fmt.Sprintf("x%d", m.used%oracleValues)
	m.used++
	return node{ours: "{{ " + name + " }}", theirs: "{{." + name + "}}"}
}

func (m *pageMaker) name() string { return fmt.Sprintf("x%d", m.IntN(oracleValues)) }

func (m *pageMaker) pick(list ...string) string { return list[m.IntN(len(list))] }

// fill puts values in the place of each "%".
func (m *pageMaker) fill(pattern string) node {
	parts := strings.Split(pattern, "%")
	n := both(parts[0])
	for _, part := range parts[1:] {
		n = n.then(m.value()).then(both(part))
	}
	return n
}

func (m *pageMaker) element() string {
	return m.pick("p", "div", "b", "li", "h1", "em", "section", "A", "Span")
}

func (m *pageMaker) url() string {
	return m.pick("%", "%", " %", "/%", "/a/%", "?q=%", "/a?b=%&c=%", "#%", "https://h.example/%", "//%", "x%", "%/b?c=%#%", "%%", "mailto:%", "java%", "%:%",
		"https:%", "a&amp;b=%", "&#104;ttp://%", "\t%", "javascript&colon;%", "javascript:f('%')", "vbscript:%", "data:image/png;base64,%", "data:text/html,%", "data:%",
		"DATA:image/svg+xml,%", "java&Tab;script:%", "%.html", "http://%/", "tel:%", "a/b:%", "./%")
}

func (m *pageMaker) css() string {
	return m.pick("color: %", "color: %; width: %px", "background: url(%)", "background: url('%')", `content: "%"`, "font-family: '%'", "width: calc(1px + %)", "/* % */ color: red",
		"%: red", "background: url( \"/a/%\" )", "background: url(%/b.png) %", "color:%;background:url(/x?y=%)", "font: % % %", "behavior: %", "background: url(javascript:%)", "margin: -%")
}

func (m *pageMaker) js() string {
	return m.pick("f(%)", "var a = %;", "var a = '%';", `var a = "%" + %;`, "a = `%`", "a = `x${ % }y%`", "a = `${ f({b: '%'}) }`", "// %\nf(1)", "/* % */ f(2)", "a = % / 2 / %",
		"if (a < %) { f() }", "a = {k: %, 'k%': 1}", "a = [%, %]", "f(/x/.test('%'))", "a = b / %", "return %", "a = '\\'%'", "a=%+%-%", "f('%', `%`, \"%\")", "x = y ? % : %",
		"<!-- %\nf(3)", "var s = '<!-- %';", "a = /[/%]/", "a%", "f(){};%", "a = \"\\\\%\";", "a++ / %", "f('</%>', a <%)", "f('<%')", "a = '<!--<script>' + %", ") / % / g", "let a = (%)")
}

func (m *pageMaker) attr() string {
	q := m.pick(`"`, `"`, `'`)
	v := func(s string) string {
		return q + strings.ReplaceAll(s, q, map[string]string{`"`: "&quot;", `'`: "&#39;"}[q]) + q
	}
	switch m.IntN(12) {
	case 0, 1:
		return m.pick("title", "class", "id", "data-x", "alt", "value", "TITLE", "aria-label") + "=" + v(m.pick("%", "a % b", "%%", " %", "&amp;%"))
	case 2:
		return m.pick("title", "class", "data-y") + m.pick("=", " = ") + m.pick("%", "a%", "%-b", "%%")
	case 3, 4:
		return m.pick("href", "src", "action", "formaction", "cite", "poster", "xlink:href", "data", "data-href", "HREF", "background", "ping", "my-uri", "hx-get") + "=" + v(m.url())
	case 5:
		return m.pick("href", "src") + "=" + m.pick("%", "/%", "/a?b=%", "%/c", "javascript:%")
	case 6:
		return m.pick("srcset", "imagesrcset") + "=" + v(m.pick("% 2x", "/a.png 1x, % 2x", "%", "%, %", "/a/% 100w,%"))
	case 7:
		return "style=" + v(m.css())
	case 8, 9:
		return m.pick("onclick", "onload", "ONERROR", "onmouseover") + "=" + v(strings.ReplaceAll(m.js(), "\n", " "))
	case 10:
		return m.pick("style=color:%", "onclick=f(%)", "onclick=f('%')", "srcset=%")
	}
	return m.pick("disabled", "%", "hidden %", `data-%="a"`, `accesskey="y"`)
}

func (m *pageMaker) piece() node {
	m.depth++
	defer func() { m.depth-- }()
	if m.depth > 4 {
		return m.fill("%")
	}
	switch m.IntN(20) {
	case 0, 1:
		return m.fill(m.pick("%", "a % b", "&lt;%", "%%", "a < % b", "&%"))
	case 2, 3, 4, 5:
		e := m.element()
		if m.IntN(8) == 0 {
			e = m.pick("form", "iframe", "svg", "button", "object", "video", "blockquote", "math")
		}
		n := both("<" + e)
		for range m.IntN(3) {
			n = n.then(m.fill(m.pick(" ", "\n", " ") + m.attr()))
		}
		inner := m.content()
		if e == "iframe" {
			inner = m.fill(m.pick("", "%"))
		}
		return n.then(both(">")).then(inner).then(both("</" + e + ">"))
	case 6:
		return m.fill("<" + m.pick("img", "input", "br", "hr", "embed") + " " + m.attr() + m.pick(">", "/>", " />"))
	case 7, 8:
		return m.fill("<script" + m.pick("", "", " type=module", ` type="text/javascript"`, ` nonce="%"`) + ">" + m.js() + m.pick("", ";", "\n") + "</script>")
	case 9:
		return m.fill(`<script type="` + m.pick("application/ld+json", "application/json", "importmap") + `">` +
			m.pick(`{"a": %, "b": "%"}`, `[%, %]`, `%`, `{"k%": [1, %]}`) + "</script>")
	case 10:
		return m.fill("<script type=" + m.pick("text/template", "text/x-handlebars", "text/plain") + ">" + m.pick("%", "<p title='%'>%</p>") + "</script>")
	case 11, 12:
		return m.fill("<style>" + m.pick("p { "+m.css()+" }", "% { color: red }", "@import '%';", "@import url(%);", "a{}/* % */b{}", ".c% { "+m.css()+" }", "<!-- p{color:%} -->") + "</style>")
	case 13:
		return m.fill(m.pick("<!-- % -->", "<!--%-->", "<!-- a -- % --><p>", "<!-- <script> % -->"))
	case 14:
		return m.fill(m.pick("<title>%</title>", "<textarea>%</textarea>", "<textarea\nname='%'>a % b</textarea>", "<noscript>%</noscript>", "<xmp>%</xmp>", "<title>a <%</title>", "<textarea></%</textarea>", "<title>a < %</title>", "<noembed>%</noembed>"))
	case 15:
		return m.fill(m.pick(`<meta http-equiv="refresh" content="%">`, `<meta http-equiv=refresh content="0;url=%">`, `<meta content="5; URL='%'" http-equiv=refresh>`,
			`<meta http-equiv=refresh content="%;url=%">`, `<meta http-equiv=refresh content="1;%">`, `<meta name=description content="%">`, `<meta content="%" http-equiv=refresh>`,
			`<meta http-equiv=refresh content="3%">`, `<meta http-equiv=refresh content='%%'>`, `<meta name="a" content="a % b">`))
	case 16:
		return m.fill(m.pick(`<iframe srcdoc="%"></iframe>`, `<iframe srcdoc='<p title="%">%</p>'></iframe>`, `<iframe srcdoc="<a href='%'>%</a><script>f('%', %)</script>"></iframe>`, `<svg><style>p{color:%}</style><title>%</title></svg>`, `<svg><script>f(%, '%')</script></svg>`,
			`<svg><a xlink:href="%"><animate attributeName=href to="%" values="%"></a></svg>`, `<base href="%">`, `<link rel=stylesheet href="%">`, `<object data="%"></object>`))
	case 17:
		name := m.name()
		n := m.content()
		if m.IntN(2) == 0 {
			n = n.then(node{ours: "{% else %}", theirs: "{{else}}"}).then(m.content())
		}
		return n.inside("{% if "+name+" %}", "{{if $."+name+"}}", "{% endif %}", "{{end}}")
	case 18:
		return m.content().repeated("", "")
	}
	return m.inTag()
}

// inTag are tags and attributes with tags of the language in them.
func (m *pageMaker) inTag() node {
	name := m.name()
	v := node{ours: "{{ " + name + " }}", theirs: "{{$." + name + "}}"}
	u := m.fill(m.url())
	switch m.IntN(8) {
	case 0:
		return both("<a ").then(u.inside("{% if "+name+" %}href=\"", "{{if $."+name+"}}href=\"", "\"{% endif %}>l</a>", "\"{{end}}>l</a>"))
	case 1:
		return u.inside("<a href=\"{% if "+name+" %}", "<a href=\"{{if $."+name+"}}", "{% else %}/{% endif %}", "{{else}}/{{end}}").then(v).then(both("\">l</a>"))
	case 2:
		return u.repeated("<a href='", "'>l</a>")
	case 3:
		return both(" ").then(m.fill(m.attr())).repeated("<p", ">t</p>")
	case 4:
		return node{alone: true, ours: "{% set s %}<i>" + v.ours + "</i>{% endset %}<p title=\"{{ s }}\" onclick='f({{ s }})'>{{ s }}</p><script>f({{ s }}, '{{ s }}')</script><a href=\"{{ s }}\">"}
	case 5:
		return node{alone: true, ours: "{% macro m(a) %}<b title='{{ a }}'>{{ a }}</b>{% endmacro %}<p class=\"{{ m(" + name + ") }}\">{{ m(" + name + ") }}</p><style>p{color:{{ m(" + name + ") }}}</style>"}
	case 6:
		f := m.pick("upper", "e", "forceescape", "replace('a', '<')", "trim", "string", "title", "truncate(9)", "wordwrap(5)", "center(30)", "default('<b>')", "urlencode",
			"tojson", "striptags", "indent", "reverse", "first", "join", "string|e", "e|upper", "e|reverse", "tojson|upper", "e|list|join", "e|replace('&', '<')", "format", "pprint")
		piped := "{{ " + name + "|" + f + " }}"
		return node{alone: true, ours: m.pick("<p>#</p>", "<p title=\"#\">t</p>", "<p title=#>t</p>", "<a href=\"#\">l</a>", "<script>f(#)</script>", "<script>f('#')</script>", "<p onclick=\"f(#)\">t</p>", "<p style=\"color:#\">t</p>")}.with("#", piped)
	}
	return node{alone: true, ours: m.pick("<p{{ "+name+" }}>a</p>", "<p{{ {'title': "+name+", 'class': 'a'}|xmlattr }}>t</p>", "<a {{ {'href': "+name+"}|xmlattr }}>t</a>", "<p{{ {'onclick': "+name+", 'style': "+name+"}|xmlattr }}>t</p>",
		"<h{{ 2 }}>t</h{{ 2 }}>", "<p title=\"{{ "+name+" ~ '\"' }}\">t</p>", "<p>{{ "+name+" ~ ('<i>'|safe) }}</p>", "{% filter upper %}<p title=\"{{ "+name+" }}\">t</p>{% endfilter %}",
		"{% autoescape true %}<p title=\"{{ "+name+" }}\">t</p>{% endautoescape %}", "<p>{% include 'part' %}</p>", "<a href=\"{% include 'url' %}\">", "<script>{% include 'js' %}</script>")}
}

func (m *pageMaker) content() node {
	n := m.piece()
	for range m.IntN(3) {
		n = n.then(m.piece())
	}
	return n
}
