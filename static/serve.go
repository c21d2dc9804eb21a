package static

import (
	"errors"
	"net/http"
	"path"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/negotiate"
)

// serve answers for a path below the prefix, or for the prefix itself.
func (f *Files) serve(r *ishaa.Request) (any, error) {
	name := r.Param("path")
	folder := name == "" || strings.HasSuffix(name, "/")
	name = strings.TrimSuffix(name, "/")
	switch {
	case name != "" && !allowed(name):
		return nil, nothing(nil)
	case folder:
		return f.serveFolder(r, name)
	}
	if plain, hash, ok := splitHashed(name); ok {
		answer, err := f.serveFile(r, plain, hash, f.rules.forever)
		if !missing(err) {
			return answer, err
		} // else it may be a plain name that looks like one with a hash
	}
	rule := f.rules.plain
	if f.options.Immutable != nil && f.options.Immutable(name) {
		rule = f.rules.forever
	}
	answer, err := f.serveFile(r, name, "", rule)
	if errors.Is(err, errFolder) && f.options.Index {
		if info, err := f.catalog.Load().stat(name + "/index.html"); err == nil && !info.IsDir() {
			return f.toFolder(r, name), nil
		}
	}
	if missing(err) {
		return f.serveFallback(r, name, err)
	}
	return answer, err
}

// serveFolder answers for an address that ends in a slash.
func (f *Files) serveFolder(r *ishaa.Request, name string) (any, error) {
	var absent error
	if f.options.Index {
		answer, err := f.serveFile(r, path.Join(name, "index.html"), "", f.rules.page)
		if !missing(err) {
			return answer, err
		}
		absent = err
	}
	if name == "" && f.options.Fallback != "" {
		answer, err := f.serveFile(r, f.options.Fallback, "", f.rules.page)
		if missing(err) {
			return nil, nothing(err)
		}
		return answer, err
	}
	return f.serveFallback(r, name, absent)
}

// serveFallback gives a browser that navigates the page of the application.
func (f *Files) serveFallback(r *ishaa.Request, name string, absent error) (any, error) {
	if f.options.Fallback == "" || strings.Contains(path.Base(name), ".") {
		return nil, nothing(absent)
	}
	header := r.Response().Header()
	addVary(header, "Accept")
	addVary(header, "Sec-Fetch-Mode")
	if !navigates(r) {
		return nil, nothing(absent)
	}
	answer, err := f.serveFile(r, f.options.Fallback, "", f.rules.page)
	if missing(err) {
		return nil, nothing(err)
	}
	return answer, err
}

// navigates reports a request for a page: the client names text/html, where scripts
// and programs that take anything say "*/*", and no browser says that it is for
// something else.
func navigates(r *ishaa.Request) bool {
	if mode := r.Header("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return false
	}
	// Of equals the first wins, unless the second is named more precisely.
	accept := headerList(r, "Accept")
	return accept != "" && negotiate.Best(accept, "application/octet-stream", "text/html") == "text/html"
}

// toFolder sends the client to the address with a slash, as links within the page
// count from there.
func (f *Files) toFolder(r *ishaa.Request, name string) *ishaa.Response {
	target := plainURL(f.prefix, name) + "/"
	if query := r.URL().RawQuery; query != "" {
		target += "?" + query
	}
	return ishaa.Redirect(target).WithStatus(http.StatusPermanentRedirect)
}
