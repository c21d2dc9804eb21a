package template

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
)

// currentEngine is the engine of the application that a request belongs to. It is the same for all of its requests, so
// answers that read it may still be shared.
var currentEngine = ishaa.NewKey[*installed]("template engine").Traced(func(*installed) string { return "" })

type installed struct {
	engine *Engine
	app    *ishaa.App
}

// Install makes the engine the one that Page and Block use. In debug mode templates are read again when they have
// changed; otherwise all are compiled when the application starts, and an error keeps it from starting, also in
// "./program check". The last engine installed counts.
func (e *Engine) Install(app *ishaa.App) error {
	in := &installed{engine: e, app: app}
	app.Use(ishaa.Middleware{Name: "template", Before: func(r *ishaa.Request) (any, error) {
		currentEngine.Set(r, in)
		return nil, nil
	}})
	if app.Config().Debug {
		e.mu.Lock()
		e.reload = true
		e.mu.Unlock()
	}
	app.OnStart(func(context.Context) error { return e.Check() })
	return nil
}

type page struct {
	name, block string
	data        any
}

// Page answers with a template, rendered with data: a struct, a pointer to one, a map with string keys, or nil. Beside
// the data and the globals the template has
//
//	request          its method, path, query("name"), param("name") and so on
//	url("name", …)   App.URL: the address of a named route, its parameters as names or pairs; with the name of a route
//	                 of package static and a file's name, such as url("static", "app.css"), Files.URL: with its hash; a
//	                 file that is not there is an error
//	csp_nonce        what Options.Nonce gives, if it is set
//
// and what Options.PerRequest names. The content type is that of the template's extension: HTML but for .txt, .xml, .svg
// and .json, also in front of .j2.
func Page(name string, data any) ishaa.Responder { return &page{name: name, data: data} }

// Block answers with one block of a template: the fragment that htmx and the like ask for.
func Block(name, block string, data any) ishaa.Responder {
	return &page{name: name, block: block, data: data}
}

// Respond renders the page; it is called by the framework.
func (p *page) Respond(r *ishaa.Request, res *ishaa.Response) error {
	in, ok := currentEngine.Lookup(r)
	if !ok {
		return fmt.Errorf("template: the page %q has no engine: app.Install(template.New(…))", p.name)
	}
	e := in.engine
	var data []byte
	err := e.render(r.Context(), p.name, p.block, p.data, &pageGlobals{in: in, request: r}, func(out []byte) error {
		data = append(data, out...)
		return nil
	})
	if err != nil {
		return err
	}
	res.SetBytes(data)
	if h := res.Header(); h.Get("Content-Type") == "" {
		h.Set("Content-Type", contentType(p.name))
	}
	return nil
}

func contentType(name string) string {
	switch path.Ext(strings.TrimSuffix(name, ".j2")) {
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".xml":
		return "application/xml; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	}
	return "text/html; charset=utf-8"
}

// pageGlobals are the names that a request adds. What a page does not read is not asked for, so that pages which are the
// same for everyone stay so.
type pageGlobals struct {
	in      *installed
	request *ishaa.Request
	known   map[string]value
}

func (p *pageGlobals) get(name string) (value, bool) {
	if p == nil {
		return value{}, false
	}
	if v, ok := p.known[name]; ok {
		return v, true
	}
	v, ok := p.make(name)
	if ok {
		if p.known == nil {
			p.known = map[string]value{}
		}
		p.known[name] = v
	}
	return v, ok
}

func (p *pageGlobals) make(name string) (value, bool) {
	options := &p.in.engine.options
	if fn := options.PerRequest[name]; fn != nil {
		return fromGo(fn(p.request)), true
	}
	switch name {
	case "request":
		return object(p.request), true
	case "url":
		return object(&builtin{name: "url", raw: p.in.url}), true
	case "csp_nonce":
		if options.Nonce != nil {
			return stringValue(options.Nonce(p.request)), true
		}
	}
	return value{}, false
}

func (in *installed) url(_ *frame, _ value, a args) value {
	if len(a.pos) == 0 {
		raise(KindRuntime, "url needs the name of a route")
	}
	var pairs []any
	for _, v := range a.pos[1:] {
		need(v)
		pairs = append(pairs, toGo(v))
	}
	for _, k := range a.kw {
		need(k.v)
		pairs = append(pairs, k.name, toGo(k.v))
	}
	route := str(a.pos[0])
	if len(a.pos) == 2 && len(a.kw) == 0 {
		if files := in.filesOf(route); files != nil {
			return stringValue(fileURL(files, route, str(a.pos[1])))
		}
	}
	address, err := in.app.URL(route, pairs...)
	if err != nil {
		raise(KindRuntime, "%v", err)
	}
	return stringValue(address)
}

// filesOf finds the files that a route of package static serves.
func (in *installed) filesOf(name string) *static.Files {
	route := in.app.Lookup(name)
	if route == nil {
		return nil
	}
	files, _ := static.Served.Of(route)
	return files
}

// fileURL is the address of a file with its hash; a file that has none stops the page.
func fileURL(files *static.Files, route, name string) string {
	address := files.URL(name)
	if plain, err := url.PathUnescape(address); err != nil || strings.HasSuffix(plain, "/"+strings.TrimPrefix(name, "/")) {
		raise(KindRuntime, "url(%q, %q): there is no such file, or it is too large to have a hash: that is url(%q, path=%q)", route, name, route, name)
	}
	return address
}
