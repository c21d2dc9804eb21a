package openapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/negotiate"
)

// Mount serves the application's document, at /openapi.json and /openapi.yaml (and
// with ?version=3.0 in the older form), and Swagger UI at /docs; /docs/plain is the
// same to read without JavaScript. Info.DocsPath and Info.DocumentPath move them, and
// so does a blueprint. The document is of the whole application in either case.
//
// Whoever can reach the routes sees the whole document. Options apply to all of them:
//
//	openapi.Mount(app, info, auth.LoginRequired(staff))
//
// An application also gets the command "openapi", which prints the document. An Info
// that cannot be, or a route that cannot be described, stops the program.
func Mount(r ishaa.Router, info Info, options ...ishaa.RouteOption) {
	if info.DocsPath == "" {
		info.DocsPath = "/docs"
	}
	if info.DocumentPath == "" {
		info.DocumentPath = "/openapi"
	}
	if err := info.check(); err != nil {
		panic("openapi.Mount: " + strings.TrimPrefix(err.Error(), "openapi: "))
	}
	s := &site{info: info}
	if app, ok := r.(*ishaa.App); ok {
		app.OnStart(func(context.Context) error {
			built := s.build(app)
			if built.err != nil {
				return built.err
			}
			for _, route := range built.document.LeftOut() {
				app.Logger().Warn("openapi: a route is not in the document", "route", route)
			}
			return nil
		})
		app.Command(ishaa.Command{
			Name: "openapi", Usage: "print the OpenAPI document; -yaml, -3.0",
			Run: func(_ context.Context, app *ishaa.App, args []string, out io.Writer) error {
				return s.print(app, args, out)
			},
		})
	}
	options = append(slices.Clone(options), Hidden())
	get := func(path string, handler ishaa.Handler) { r.Get(path, handler, options...) }
	get(info.DocumentPath+".json", s.serve(func(b *built, old bool) content { return b.json[b2i(old)] }))
	get(info.DocumentPath+".yaml", s.serve(func(b *built, old bool) content { return b.yaml[b2i(old)] }))
	get(info.DocsPath, s.page(func(b *built) content { return b.page }))
	get(info.DocsPath+"/plain", s.page(func(b *built) content { return b.plain }))
	for _, name := range []string{"swagger-ui-bundle.js", "swagger-ui.css", "start.js", "plain.css"} {
		asset := embedded(name)
		get(info.DocsPath+"/"+name, func(r *ishaa.Request) (any, error) { return asset.answer(r) })
	}
}

// site is what Mount serves. It is built once, when the table is complete.
type site struct {
	info Info
	once sync.Once
	made built
}

type built struct {
	err         error
	document    *Document
	json, yaml  [2]content // 3.1 and 3.0.3
	page, plain content
}

func (s *site) build(app *ishaa.App) *built {
	s.once.Do(func() { s.made = s.make(app) })
	return &s.made
}

func (s *site) make(app *ishaa.App) built {
	document, err := Build(app, s.info)
	if err != nil {
		return built{err: err}
	}
	old := document.Downgrade()
	plain, err := plainPage(document, s.info)
	if err != nil {
		return built{err: err}
	}
	const asJSON, asYAML, asPage = "application/json", "application/yaml", "text/html; charset=utf-8"
	return built{
		document: document,
		json:     [2]content{newContent(asJSON, document.JSON()), newContent(asJSON, old.JSON())},
		yaml:     [2]content{newContent(asYAML, document.YAML()), newContent(asYAML, old.YAML())},
		page:     newContent(asPage, swaggerPage(s.info)),
		plain:    newContent(asPage, plain),
	}
}

func (s *site) serve(choose func(*built, bool) content) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		built := s.build(r.App())
		if built.err != nil {
			return nil, built.err
		}
		switch version := r.Query("version"); version {
		case "", "3.1":
			return choose(built, false).answer(r)
		case "3.0":
			return choose(built, true).answer(r)
		default:
			return nil, ishaa.BadRequest("the document is there in version 3.1 and 3.0")
		}
	}
}

func (s *site) page(choose func(*built) content) ishaa.Handler {
	policy := s.info.policy()
	return func(r *ishaa.Request) (any, error) {
		built := s.build(r.App())
		if built.err != nil {
			return nil, built.err
		}
		r.Response().Header().Set("Content-Security-Policy", policy)
		return choose(built).answer(r)
	}
}

// policy lets the pages load what comes with them and ask the API's servers.
func (in Info) policy() string {
	connect := "'self'"
	for _, server := range in.Servers {
		if u, err := url.Parse(server.URL); err == nil && u.Host != "" && !strings.ContainsAny(u.Host, "{};, ") {
			connect += " " + strings.TrimPrefix(u.Scheme+"://"+u.Host, "://")
		}
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src " + connect +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// below is the way from the page at DocsPath to another path of the site, so that both
// may lie under any prefix.
func (in Info) below(path string) string {
	return strings.Repeat("../", strings.Count(in.DocsPath, "/")-1) + strings.TrimPrefix(path, "/")
}

// print is the command.
func (s *site) print(app *ishaa.App, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("openapi", flag.ContinueOnError)
	asYAML := flags.Bool("yaml", false, "YAML instead of JSON")
	old := flags.Bool("3.0", false, "OpenAPI 3.0.3 instead of 3.1")
	if err := flags.Parse(args); err != nil {
		return err
	}
	document, err := Build(app, s.info)
	if err != nil {
		return err
	}
	if *old {
		document = document.Downgrade()
	}
	text := document.JSON()
	if *asYAML {
		text = document.YAML()
	}
	_, err = out.Write(text)
	return err
}

// content is bytes that do not change while the program runs, with and without gzip.
type content struct {
	mediaType, etag string
	plain, zipped   []byte
}

func newContent(mediaType string, text []byte) content {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write(text) // to memory
	_ = w.Close()
	return content{mediaType: mediaType, etag: etagOf(text), plain: text, zipped: zipped.Bytes()}
}

func etagOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (c content) answer(r *ishaa.Request) (any, error) {
	header := r.Response().Header()
	header.Set("Cache-Control", "no-cache")
	header.Add("Vary", "Accept-Encoding")
	data, etag := c.plain, `"`+c.etag+`"`
	if negotiate.Encoding(strings.Join(r.HeaderValues("Accept-Encoding"), ","), "gzip") == "gzip" {
		data, etag = c.zipped, `"`+c.etag+`-gzip"`
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("ETag", etag)
	if slices.Contains(strings.Fields(strings.ReplaceAll(r.Header("If-None-Match"), ",", " ")), etag) {
		header.Del("Content-Encoding")
		r.Response().SetStatus(304)
		return ishaa.Bytes(c.mediaType, nil).WithStatus(304), nil
	}
	return ishaa.Bytes(c.mediaType, data), nil
}

// Swagger UI 5.35.0, see THIRD_PARTY.md, compressed; and what is our own.
//
//go:embed assets/*.js assets/*.css assets/*.gz
var assets embed.FS

// embedded returns a file of assets; those that are kept compressed stay so.
func embedded(name string) content {
	mediaType := "text/javascript; charset=utf-8"
	if strings.HasSuffix(name, ".css") {
		mediaType = "text/css; charset=utf-8"
	}
	if text, err := assets.ReadFile("assets/" + name); err == nil {
		return newContent(mediaType, text)
	}
	zipped, err := assets.ReadFile("assets/" + name + ".gz")
	var text []byte
	if err == nil {
		var reader *gzip.Reader
		if reader, err = gzip.NewReader(bytes.NewReader(zipped)); err == nil {
			text, err = io.ReadAll(reader)
		}
	}
	if err != nil {
		panic(fmt.Sprintf("openapi: %s: %v", name, err)) // what was linked in is broken
	}
	return content{mediaType: mediaType, etag: etagOf(text), plain: text, zipped: zipped}
}
