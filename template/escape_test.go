package template

import (
	"bytes"
	htmltemplate "html/template"
	"strings"
	"testing"
	"testing/fstest"
)

// contextual renders in the default mode.
func contextual(t testing.TB, text string, data map[string]any) (string, error) {
	t.Helper()
	return renderText(nil, text, fromGo(data), Options{})
}

func TestValuesAreEscapedForTheirPlace(t *testing.T) {
	evil := `</script><script>alert(1)</script>`
	for _, c := range []struct{ name, text, x, want string }{
		{"text", `<p>{{ x }}</p>`, `<b>&"'`, `<p>&lt;b&gt;&amp;&#34;&#39;</p>`},
		{"quoted attribute", `<p title="{{ x }}">`, `" onclick="a`, `<p title="&#34; onclick=&#34;a">`},
		{"unquoted attribute", `<p title={{ x }}>`, `a onclick=b`, `<p title=a&#32;onclick&#61;b>`},
		{"empty unquoted attribute", `<p title={{ x }} id=a>`, ``, `<p title=&#32; id=a>`},
		{"safe in an attribute", `<p title="{{ x|safe }}">`, `&amp;"<`, `<p title="&amp;&#34;&lt;">`},
		{"javascript URL", `<a href="{{ x }}">`, `javascript:alert(1)`, `<a href="` + Blocked + `">`},
		{"JavaScript URL with a tab", `<a href="{{ x }}">`, "java\tscript:alert(1)", `<a href="` + Blocked + `">`},
		{"data URL", `<iframe src='{{ x }}'></iframe>`, `data:text/html,<script>`, `<iframe src='` + Blocked + `'></iframe>`},
		{"web URL", `<a href="{{ x }}">`, `https://a.example/ä?b=c&d="`, `<a href="https://a.example/%C3%A4?b=c&amp;d=%22">`},
		{"scheme in two parts", `<a href="java{{ x }}">`, `script:alert(1)`, `<a href="javascript%3Aalert%281%29">`},
		{"path", `<a href="/u/{{ x }}/">`, `a b/../"`, `<a href="/u/a%20b/../%22/">`},
		{"query", `<a href="/?q={{ x }}&r=1">`, `a&b=/#`, `<a href="/?q=a%26b%3D%2F%23&r=1">`},
		{"safe URL", `<a href="{{ x|safe }}">`, `javascript:void"(0)`, `<a href="javascript:void&#34;(0)">`},
		{"srcset", `<img srcset="{{ x }} 2x">`, `/a.png, javascript:1`, `<img srcset="/a.png%2C%20javascript:1 2x">`},
		{"meta refresh", `<meta http-equiv=refresh content="0;url={{ x }}">`, `javascript:alert(1)`, `<meta http-equiv=refresh content="0;url=` + Blocked + `">`},
		{"script value", `<script>var a = {{ x }};</script>`, evil, `<script>var a = "\u003c/script\u003e\u003cscript\u003ealert(1)\u003c/script\u003e";</script>`},
		{"script string", `<script>var a = '{{ x }}';</script>`, `';alert(1)//`, `<script>var a = '\u0027;alert(1)\u002f\u002f';</script>`},
		{"template literal", "<script>var a=`{{x}}`</script>", "${alert(1)}`", "<script>var a=`\\u0024\\u007balert(1)\\u007d\\u0060`</script>"},
		{"tojson", `<script>var a = {{ x|tojson }};</script>`, `</script>'`, `<script>var a = "\u003c/script\u003e\u0027";</script>`},
		{"script comment", `<script>// {{ x }}` + "\n</script>", "\nalert(1)", "<script>// \n</script>"},
		{"event handler", `<a onclick="f({{ x }})">`, `");alert(1)//`, `<a onclick="f(&#34;\&#34;);alert(1)//&#34;)">`},
		{"style", `<style>p { color: {{ x }} }</style>`, `red } body { background: url(x)`, `<style>p { color: blocked }</style>`},
		{"style attribute", `<p style="color: {{ x }}">`, `#f0f`, `<p style="color: #f0f">`},
		{"style URL", `<p style="background: url('{{ x }}')">`, `javascript:alert(1)`, `<p style="background: url(&#39;` + Blocked + `&#39;)">`},
		{"title", `<title>{{ x }}</title>`, `</title><script>`, `<title>&lt;/title&gt;&lt;script&gt;</title>`},
		{"textarea with HTML", `<textarea>{{ x|safe }}</textarea>`, `</textarea>&amp;`, `<textarea>&lt;/textarea&gt;&amp;</textarea>`},
		{"comment", `<!-- {{ x }} -->`, `--><script>`, `<!-- --&gt;&lt;script&gt; -->`},
		{"attribute's name", `<input {{ x }}>`, `checked`, `<input checked>`},
		{"handler as an attribute's name", `<input {{ x }}>`, `onfocus`, `<input data-blocked>`},
		{"attributes in a branch", `<p{% if x %} hidden{% endif %} id="{{ x }}">`, `"`, `<p hidden id="&#34;">`},
		{"two values of a URL", `<a href="{{ x }}{{ x }}">`, `a:b`, `<a href="` + Blocked + `a%3Ab">`},
		{"handler of htmx", `<a hx-on:click="f({{ x }})" hx-get="{{ x }}">`, `javascript:"`, `<a hx-on:click="f(&#34;javascript:\&#34;&#34;)" hx-get="` + Blocked + `">`},
		{"values of an animation", `<svg><animate values="/a;{{ x }}"/></svg>`, `b;javascript`, `<svg><animate values="/a;b%3Bjavascript"/></svg>`},
		{"URL in a style", `<style>a{background:url("/a?{{ x }}");c:url({{ x }})}</style>`, `b&c`, `<style>a{background:url("/a?b%26c");c:url(b\26 c)}</style>`},
		{"host", `<a href="/{{ x }}">`, `/evil.example`, `<a href="/%2Fevil.example">`},
		{"host by a backslash", `<a href="/{{ x }}">`, `\evil.example`, `<a href="/%5Cevil.example">`},
		{"image in base64", `<img src="data:image/png;base64,{{ x }}">`, `iVBORw0KGgo=`, `<img src="data:image/png;base64,iVBORw0KGgo=">`},
		{"image that is none", `<img src="data:image/png;base64,{{ x }}">`, `"><b>`, `<img src="data:image/png;base64,blocked">`},
		{"drawing as an image", `<img src="data:image/svg+xml,<svg fill='{{ x }}'/>">`, `'/>`, `<img src="data:image/svg+xml,<svg fill='%27%2F%3E'/>">`},
		{"URL in a loop", `<a href="{% for i in [x, x] %}{{ i }}/{% endfor %}">`, `a:b`, `<a href="a%3Ab/a%3Ab/">`},
		{"heading", `<h{{ x }}>a</h{{ x }}>`, `2`, `<h2>a</h2>`},
		{"attribute behind a tag's name", `<option{{ x }}>`, ` selected`, `<option selected>`},
		{"refresh", `<meta http-equiv=refresh content="{{ x }}">`, `0;url=javascript:alert(1)`, `<meta http-equiv=refresh content="` + Blocked + `">`},
		{"refresh without url=", `<meta http-equiv=refresh content="1; {{ x }}">`, `data:text/html,<b>`, `<meta http-equiv=refresh content="1; ` + Blocked + `">`},
		{"refresh that is harmless", `<meta http-equiv=refresh content="{{ x }}">`, `5; url=/next`, `<meta http-equiv=refresh content="5; url=/next">`},
		{"description", `<meta name=description content="{{ x }}: {{ x }}">`, `0;url=javascript:1`, `<meta name=description content="0;url=javascript:1: 0;url=javascript:1">`},
		{"xmlattr with a URL", `<a{{ {'href': x, 'class': 'a'}|xmlattr }}>`, `javascript:alert(1)`, `<a href="` + Blocked + `" class="a">`},
		{"xmlattr with a handler", `<a{{ {'onclick': x, 'style': 'color:red;top:0'}|xmlattr }}>`, `alert(1)`, `<a onclick="&#34;alert(1)&#34;" style="color:red;top:0">`},
		{"expression of Vue", `<p :class="{{ x }}" v-if="a == '{{ x }}'">`, `'+alert(1)+'`, `<p :class="&#34;\u0027+alert(1)+\u0027&#34;" v-if="a == '\u0027\u002balert(1)\u002b\u0027'">`},
		{"values of htmx", `<p hx-vals='{"a": {{ x }}}'>`, `"}`, `<p hx-vals='{"a": &#34;\&#34;}&#34;}'>`},
		{"unicode letters in a script", "<script>'\u212a\xdc\xdcK'</script><p title=\"{{ x }}\">", `"`, "<script>'\u212a\xdc\xdcK'</script><p title=\"&#34;\">"},
		{"HTML in srcdoc", `<iframe srcdoc="<p>{{ x|safe }}<a href='{{ x }}'>"></iframe>`, `<i>`, `<iframe srcdoc="<p>&lt;i&gt;<a href='%3Ci%3E'>"></iframe>`},
		{"srcdoc", `<iframe srcdoc="{{ x }}"></iframe>`, `<script>`, `<iframe srcdoc="&amp;lt;script&amp;gt;"></iframe>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := strings.ReplaceAll(c.want, "url(&#39;"+Blocked+"&#39;)", "url('"+Blocked+"')")
			if got, err := contextual(t, c.text, map[string]any{"x": c.x}); got != want || err != nil {
				t.Errorf("%s with %q\n got %s, %v\nwant %s", c.text, c.x, got, err, want)
			}
		})
	}
}

func TestPlacesThatCannotBeToldAreErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"branches", `<a {% if x %}title="{% endif %}{{ x }}">`, "the branches end in different places"},
		{"loop", `{% for i in x %}<a href="{% endfor %}`, "the loop begins in"},
		{"macro", `{% macro m() %}<script>{% endmacro %}`, "the macro begins in text but ends in the content of <script>"},
		{"regular expression", `<script>a = /{{ x }}/</script>`, "regular expression"},
		{"attribute's name", `<a on{{ x }}="y">`, "in the middle of an attribute's name"},
		{"javascript URL", `<a href="javascript:f({{ x }})">`, "in a javascript: URL"},
		{"name begun in a branch", `<a {% if x %}on{% endif %}click="{{ x }}">`, "may have begun in a branch"},
		{"declaration", `<!DOCTYPE {{ x }}>`, "a value in a declaration"},
		{"closing tag in a string", `<script>a = '<b></{{ x }}>'</script>`, `data behind "</" could close <script>`},
		{"closing tag in a title", `<title>a <{{ x }}</title>`, `data behind "<" could close <title>`},
		{"closing tag of a style", `<style></sty{{ x }}`, `data behind "</sty" could close <style>`},
		{"script that does not end", "<script><!--\nb = '<script>'; {{ x }}</script>", "would not end"},
		{"comment in a string", `<script>a = '<!--'; {{ x }}</script>`, "may hide the script's end"},
		{"scheme", `<a href="{{ x }}:{{ x }}">`, "may make it a URL of any scheme"},
		{"scheme of a branch", `<a href="{% if x %}{{ x }}{% else %}java{% endif %}script:{{ x }}">`, "may make it a URL of any scheme"},
		{"javascript in two pieces", `<a href="java{% if x %}{% endif %}script:{{ x }}">`, "in a javascript: URL"},
		{"javascript in a loop", `<a href="{% for i in x %}{{ i }}:{% endfor %}">`, "may make it a URL of any scheme"},
		{"vbscript URL", `<a href='VBScript&colon;{{ x }}'>`, "in a javascript: URL"},
		{"data URL of a page", `<iframe src="data:text/html,{{ x }}"></iframe>`, "in a data: URL that may be a page"},
		{"data URL of anything", `<img src="data:{{ x }}">`, "in a data: URL that may be a page"},
		{"drawing in an object", `<object data="data:image/svg+xml;base64,{{ x }}">`, "use an img element"},
		{"tag's name", `<{{ x }}>`, "a value in a tag's name"},
		{"closing tag's name", `<p></p{{ x }}>`, "a value in a tag's name"},
		{"dynamic name that goes on", `<p {{ x }}click="{{ x }}">`, "goes on behind a value"},
		{"regular expression in a second turn", `<script>a = {% for i in x %} /{{ i }} {% endfor %}</script>`, "regular expression"},
		{"division in a second turn", `<script>a = {% for i in x %} {{ i }} {% endfor %} / 2</script>`, "could be a division"},
		{"regular expression in srcdoc", `<iframe srcdoc="<script>a = /{{ x }}/</script>">`, "regular expression"},
		{"type of a script", `<script type="{{ x }}">`, "the type of a script"},
		{"quote in an unquoted value", `<a href=a"{{ x }}>`, "in a value without quotes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := contextual(t, c.text, map[string]any{"x": "y"}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s gave %v, want %q", c.text, err, c.want)
			}
		})
	}
}

var hostile = []string{
	`"><script>alert(1)</script>`, `' onmouseover='alert(1)`, ` onx=alert(1) `, `javascript:alert(1)`, "java\nscript:alert(1)", `</style><script>`,
	`</script>`, `-->`, "`${alert(1)}", `\`, `*/alert(1)/*`, "\u2028alert(1)", `expression(alert(1))`, `&quot;`, `<`, ``, `{{ x }}`, "a\x00b", `]]>`,
}

// Whatever the value, the tags and attributes of a page stay those of the template.
func TestHostileValuesDoNotChangeThePage(t *testing.T) {
	for _, text := range []string{
		`<p>{{ x }}</p>`, `<p title="{{ x }}" id=z>`, `<p title={{ x }} id=z>`, `<p title='{{ x }}'>`, `<a href={{ x }}>l</a>`, `<a href="/a?b={{ x }}#c">l</a>`,
		`<script>f({{ x }}, "{{ x }}", '{{ x }}')</script><p>`, `<style>a{color:{{ x }};content:"{{ x }}"}</style><p>`, `<p onclick="f('{{ x }}', {{ x }})">`,
		`<p style="width:{{ x }}px">`, `<title>{{ x }}</title>`, `<!-- {{ x }} --><p>`, `<p {{ x }}>`, `<img srcset="{{ x }} 1x, {{ x }} 2x">`,
	} {
		plain, err := contextual(t, text, map[string]any{"x": "plain"})
		if err != nil {
			t.Fatal(err)
		}
		want := outline(t, plain)
		for _, x := range hostile {
			got, err := contextual(t, text, map[string]any{"x": x})
			if err != nil {
				t.Errorf("%s with %q: %v", text, x, err)
				continue
			}
			if shape := outline(t, got); shape != want && !strings.HasPrefix(text, "<p {{") {
				t.Errorf("%s with %q became %s: %s, want %s", text, x, got, shape, want)
			}
			if strings.Contains(got, `href=javascript:`) || strings.Contains(got, `href="javascript:`) || strings.Contains(got, "<script>alert") {
				t.Errorf("%s with %q became %s", text, x, got)
			}
		}
	}
}

// outline lists the tags and attribute names of a page, by the scanner that compiles templates.
func outline(t *testing.T, page string) string {
	t.Helper()
	var b strings.Builder
	c := escContext{}
	for i := range len(page) {
		before := c
		next, err := advance(escContext{}, page[:i+1])
		if err != nil {
			continue // a backslash whose character comes next
		}
		if before.state == inTagName && next.state != inTagName {
			b.WriteString("<" + before.element)
		}
		if next.state == beforeValue && before.state != beforeValue {
			b.WriteString(" " + next.name)
		}
		c = next
	}
	return b.String()
}

// html/template is the oracle for what is safe: where it gives the text back unchanged, so do we.
func TestHTMLTemplateAgreesAboutText(t *testing.T) {
	oracle := htmltemplate.Must(htmltemplate.New("").Parse(`<p title="{{.}}">{{.}}</p>`))
	e := New(fstest.MapFS{"a.html": {Data: []byte(`<p title="{{ x }}">{{ x }}</p>`)}})
	for _, x := range hostile {
		if strings.ContainsAny(x, "\x00`+") {
			continue // html/template replaces these as well
		}
		var want, got bytes.Buffer
		if err := oracle.Execute(&want, x); err != nil {
			t.Fatal(err)
		}
		if err := e.Render(&got, "a.html", map[string]string{"x": x}); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("%q\n got %s\nwant %s", x, &got, &want)
		}
	}
}

func contextualEngine(text string) *Engine {
	return New(fstest.MapFS{"page": {Data: []byte(text)}})
}
