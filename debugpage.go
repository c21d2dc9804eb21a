package ishaa

import (
	"bufio"
	"errors"
	"html/template"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/secure"
)

// The page that a developer sees in place of a bare 500. It shows code and
// requests, so it exists only in debug mode, for a client on this machine that
// asked for it under a loopback name: a page on the internet that points its own
// name at 127.0.0.1 gets nothing.

func (r *Request) debugAllowed() bool {
	for _, name := range proxyMarks {
		if len(r.raw.Header[name]) > 0 {
			return false
		}
	}
	return secure.LoopbackHost(r.raw.Host) && r.peer().Addr().IsLoopback()
}

// proxyMarks are headers that proxies add: with one of them the peer is on this
// machine, and the client anywhere.
var proxyMarks = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

type debugView struct {
	Problem *Problem
	Errors  []string // the error and what it wraps
	Route   *Route
	Method  string
	Path    string
	Headers [][2]string
	Frames  []debugFrame
}

type debugFrame struct {
	Function, File string
	Line           int
	Source         []sourceLine
}

type sourceLine struct {
	Number  int
	Text    string
	Current bool
}

func (r *Request) fillDebugPage(res *Response, p *Problem, err error) error {
	view := debugView{
		Problem: p, Route: r.route, Method: r.raw.Method, Path: r.raw.URL.Path,
		Errors: errorChain(err), Headers: shownHeaders(r.raw.Header),
	}
	var thrown *PanicError
	if errors.As(err, &thrown) {
		view.Frames = stackFrames(string(thrown.Stack))
	}
	res.Header()["Content-Security-Policy"] = debugPolicy
	return fillTemplate(res, debugPage, view)
}

var debugPolicy = []string{"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}

// errorChain lists an error's text and those it wraps, without repeating.
func errorChain(err error) []string {
	var texts []string
	for ; err != nil; err = errors.Unwrap(err) {
		if text := err.Error(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// shownHeaders leaves out what signs a person in.
func shownHeaders(header http.Header) [][2]string {
	var list [][2]string
	for name, values := range header {
		value := strings.Join(values, ", ")
		if isCredential(name) {
			value = "(hidden)"
		}
		list = append(list, [2]string{name, value})
	}
	slices.SortFunc(list, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return list
}

// isCredential goes by the name, since every API has a header of its own.
func isCredential(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"auth", "cookie", "token", "secret", "password", "key", "session", "csrf", "signature"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// A stack, as runtime/debug writes it, has two lines a frame: the function, then
// a tab, the file, the line and an offset.
var stackFrame = regexp.MustCompile(`(?m)^(\S.*)\n\t(.+):(\d+)(?: \+0x[0-9a-f]+)?$`)

func stackFrames(stack string) []debugFrame {
	// Everything up to the call of panic is the machinery of recovering.
	if i := strings.LastIndex(stack, "\npanic("); i >= 0 {
		stack = stack[i+1:]
	}
	var frames []debugFrame
	for i, m := range stackFrame.FindAllStringSubmatch(stack, 40) {
		if i == 0 && strings.HasPrefix(m[1], "panic(") {
			continue
		}
		line, _ := strconv.Atoi(m[3])
		frame := debugFrame{Function: m[1], File: m[2], Line: line}
		if len(frames) < 5 {
			frame.Source = sourceAround(m[2], line)
		}
		frames = append(frames, frame)
	}
	return frames
}

// sourceAround reads the lines near a place; without the file it shows none.
func sourceAround(name string, line int) []sourceLine {
	file, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	var lines []sourceLine
	scanner := bufio.NewScanner(file)
	for n := 1; scanner.Scan() && n <= line+4; n++ {
		if n >= line-4 {
			lines = append(lines, sourceLine{n, scanner.Text(), n == line})
		}
	}
	return lines
}

var debugPage = template.Must(template.New("debug").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Problem.HTTPStatus}} {{.Problem.HeadingText}}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c1c22;background:#fff}
h1{font-size:1.5rem} h2{font-size:1.1rem;margin-top:2rem}
pre{background:#f4f4f8;padding:.75rem;overflow-x:auto;font:13px/1.5 ui-monospace,monospace;border-radius:6px}
mark{background:#ffd9d9;display:block} table{border-collapse:collapse} td{padding:.15rem .75rem .15rem 0;vertical-align:top;word-break:break-all}
small{color:#5b5b66}
@media(prefers-color-scheme:dark){body{color:#ececf1;background:#16161a}pre{background:#222228}mark{background:#5c2323;color:inherit}small{color:#a5a5b0}}
</style></head>
<body>
<h1>{{.Problem.HTTPStatus}} {{.Problem.HeadingText}}</h1>
{{range .Errors}}<pre>{{.}}</pre>{{end}}
<p>{{.Method}} {{.Path}} — {{if .Route.Pattern}}route <code>{{.Route}}</code>, registered at {{.Route.Source}}{{else}}no route matches{{end}}</p>
{{if .Frames}}<h2>Stack</h2>
{{range .Frames}}<p><code>{{.Function}}</code><br><small>{{.File}}:{{.Line}}</small></p>
{{if .Source}}<pre>{{range .Source}}{{if .Current}}<mark>{{.Number}}  {{.Text}}</mark>{{else}}{{.Number}}  {{.Text}}
{{end}}{{end}}</pre>{{end}}{{end}}{{end}}
<h2>Request headers</h2>
<table>{{range .Headers}}<tr><td>{{index . 0}}</td><td>{{index . 1}}</td></tr>{{end}}</table>
<p><small>Shown because debug mode is on and the request came from this machine.</small></p>
</body>
</html>
`))
