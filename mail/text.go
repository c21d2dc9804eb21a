package mail

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textOf makes plain text of a page, for readers without HTML: blocks become lines,
// list items get a dash, links their address behind them. One pass over the tokens.
func textOf(page string) string {
	w := &textWriter{}
	tokens := html.NewTokenizer(strings.NewReader(page))
	skip := 0 // how many elements deep in what is not shown
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return w.String()
		case html.TextToken:
			if skip == 0 {
				w.text(string(tokens.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := tokens.Token()
			if hidden(t.DataAtom) && t.Type == html.StartTagToken {
				skip++
			}
			if skip == 0 {
				w.open(t)
			}
		case html.EndTagToken:
			t := tokens.Token()
			if hidden(t.DataAtom) && skip > 0 {
				skip--
				continue
			}
			if skip == 0 {
				w.close(t)
			}
		}
	}
}

func hidden(a atom.Atom) bool {
	switch a {
	case atom.Head, atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Title:
		return true
	}
	return false
}

type textWriter struct {
	out   strings.Builder
	lines int  // line breaks that are due before the next text
	space bool // a space is
	link  string
	begun int // where the link's text begins
}

func (w *textWriter) text(s string) {
	for _, r := range s {
		switch r {
		case ' ', '\t', '\n', '\r', '\f':
			w.space = true
		default:
			w.flush()
			w.out.WriteRune(r)
		}
	}
}

// flush writes the white space that is due.
func (w *textWriter) flush() {
	switch {
	case w.out.Len() == 0:
	case w.lines > 0:
		w.out.WriteString(strings.Repeat("\n", w.lines))
	case w.space:
		w.out.WriteByte(' ')
	}
	w.lines, w.space = 0, false
}

func (w *textWriter) open(t html.Token) {
	switch t.DataAtom {
	case atom.Br:
		w.lines = min(w.lines+1, 2)
	case atom.Hr:
		w.lines = max(w.lines, 1)
		w.text("---")
		w.lines = 1
	case atom.Li:
		w.lines = max(w.lines, 1)
		w.text("-")
		w.space = true
	case atom.Td, atom.Th:
		w.space = true
	case atom.Img:
		w.text(attribute(t, "alt"))
	case atom.A:
		w.link, w.begun = attribute(t, "href"), w.out.Len()
	default:
		w.lines = max(w.lines, breaks(t.DataAtom))
	}
}

func (w *textWriter) close(t html.Token) {
	if t.DataAtom == atom.A {
		shown := strings.TrimSpace(w.out.String()[min(w.begun, w.out.Len()):])
		if (strings.HasPrefix(w.link, "http://") || strings.HasPrefix(w.link, "https://")) && shown != w.link {
			w.space = w.out.Len() > 0
			w.text("(" + strings.Join(strings.Fields(w.link), "") + ")")
		}
		w.link = ""
		return
	}
	w.lines = max(w.lines, breaks(t.DataAtom))
}

// breaks is how many line breaks an element has around it.
func breaks(a atom.Atom) int {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Blockquote, atom.Table, atom.Pre:
		return 2
	case atom.Div, atom.Tr, atom.Li, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Dt, atom.Dd:
		return 1
	}
	return 0
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (w *textWriter) String() string { return strings.TrimSpace(w.out.String()) + "\n" }
