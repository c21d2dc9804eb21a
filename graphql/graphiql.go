package graphql

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html"
	"io"
	"path"
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// GraphiQL is served from files that the program holds, under a policy that lets the page ask nobody else for anything.

//go:embed assets
var assets embed.FS

// graphiqlVersion is in the addresses of the files, so that browsers may keep them.
const graphiqlVersion = "3.8.3-1"

// editorPolicy has inline styles, which the editor makes as one types; scripts are the program's files alone.
const editorPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const editorPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}/graphiql.min.css">
<link rel="stylesheet" href="{assets}/page.css">
</head>
<body>
<div id="graphiql" data-address="{address}"><noscript>GraphiQL needs JavaScript.</noscript></div>
<script src="{assets}/react.min.js"></script>
<script src="{assets}/react-dom.min.js"></script>
<script src="{assets}/graphiql.min.js"></script>
<script src="{assets}/start.js"></script>
</body>
</html>
`

// editor answers with the page. Its own address is taken from the request, since a blueprint may have put a prefix before it.
func (s *server) editor(r *ishaa.Request) (any, error) {
	address := strings.TrimSuffix(r.Path(), "/")
	page := strings.NewReplacer(
		"{assets}", html.EscapeString(address+"/graphiql/"+graphiqlVersion), "{address}", html.EscapeString(address),
	).Replace(editorPage)
	return ishaa.HTML(page).WithHeader("Content-Security-Policy", editorPolicy).WithHeader("Vary", "Accept"), nil
}

var assetTypes = map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

func (s *server) mountAssets(router ishaa.Router, routes []ishaa.RouteOption) {
	router.Get(s.path+"/graphiql/"+graphiqlVersion+"/<name>", func(r *ishaa.Request) (any, error) {
		name := r.Param("name")
		data, zipped, err := asset(name, strings.Contains(r.Header("Accept-Encoding"), "gzip"))
		if err != nil {
			return nil, ishaa.NotFound("no such file")
		}
		res := ishaa.Bytes(assetTypes[path.Ext(name)], data).
			WithHeader("Cache-Control", "public, max-age=31536000, immutable").WithHeader("Vary", "Accept-Encoding")
		if zipped {
			res.WithHeader("Content-Encoding", "gzip")
		}
		return res, nil
	}, routes...)
}

// asset returns a file, compressed if it is and the client takes that.
func asset(name string, zip bool) (data []byte, zipped bool, err error) {
	if data, err = assets.ReadFile("assets/" + name); err == nil {
		return data, false, nil
	}
	if data, err = assets.ReadFile("assets/" + name + ".gz"); err != nil || zip {
		return data, true, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, false, err
	}
	data, err = io.ReadAll(reader)
	return data, false, err
}
