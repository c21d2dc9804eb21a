package template

import (
	"context"
	"fmt"

	"github.com/ishaa-framework/ishaa"
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
	in := &installed{e, app}
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
//	url("name", …)   App.URL: the address of a named route, its parameters as names or pairs
//	csp_nonce        what Options.Nonce gives, if it is set
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
	globals := map[string]value{
		"request": object(r),
		"url":     object(urlFunc(in.app)),
	}
	if e.options.Nonce != nil {
		globals["csp_nonce"] = object(lazyNonce{e, r})
	}
	var data []byte
	err := e.render(r.Context(), p.name, p.block, p.data, globals, func(out []byte) error {
		data = append(data, out...)
		return nil
	})
	if err != nil {
		return err
	}
	res.SetBytes(data)
	if h := res.Header(); h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/html; charset=utf-8")
	}
	return nil
}

// lazyNonce asks for the nonce only if the page writes it, so that other pages stay the same for everyone.
type lazyNonce struct {
	engine  *Engine
	request *ishaa.Request
}

func (n lazyNonce) String() string { return n.engine.options.Nonce(n.request) }

func urlFunc(app *ishaa.App) *builtin {
	return &builtin{name: "url", raw: func(f *frame, _ value, a args) value {
		if len(a.pos) == 0 {
			raise(KindRuntime, "url needs the name of a route")
		}
		var pairs []any
		for _, v := range a.pos[1:] {
			pairs = append(pairs, toGo(v))
		}
		for _, k := range a.kw {
			need(k.v)
			pairs = append(pairs, k.name, toGo(k.v))
		}
		address, err := app.URL(str(a.pos[0]), pairs...)
		if err != nil {
			raise(KindRuntime, "%v", err)
		}
		return stringValue(address)
	}}
}
