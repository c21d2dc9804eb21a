package openapi

import (
	"bytes"
	"encoding/json"
	"html/template"
	"strings"
)

// The two pages: Swagger UI, and one for reading that needs no script.

var swaggerTemplate = template.Must(template.New("swagger").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<noscript><meta http-equiv="refresh" content="0; url={{.Base}}/plain"></noscript>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{.Base}}/swagger-ui.css">
<script src="{{.Base}}/swagger-ui-bundle.js" defer></script>
<script src="{{.Base}}/start.js" defer></script>
</head>
<body>
<noscript><p><a href="{{.Base}}/plain">Read the documentation without JavaScript</a></p></noscript>
<div id="swagger-ui" data-document="{{.Document}}"></div>
</body>
</html>
`))

func swaggerPage(info Info) []byte {
	var out bytes.Buffer
	_ = swaggerTemplate.Execute(&out, map[string]string{ // of texts, into memory
		"Title": info.Title, "Base": info.below(info.DocsPath), "Document": info.below(info.DocumentPath + ".json"),
	})
	return out.Bytes()
}

var plainTemplate = template.Must(template.New("plain").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Info.Title}}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="plain.css">
</head>
<body>
<header>
<h1>{{.Info.Title}} <small>{{.Info.Version}}</small></h1>
{{with .Info.Summary}}<p>{{.}}</p>{{end}}
{{with .Info.Description}}<p class="text">{{.}}</p>{{end}}
<p>The document: <a href="{{.Document}}.json">JSON</a>, <a href="{{.Document}}.yaml">YAML</a>,
in OpenAPI 3.0: <a href="{{.Document}}.json?version=3.0">JSON</a>, <a href="{{.Document}}.yaml?version=3.0">YAML</a>.</p>
</header>
<nav aria-label="Operations"><ul>
{{range .Operations}}<li><a href="#{{.ID}}"><code>{{.Method}} {{.Path}}</code> {{.Summary}}</a></li>
{{end}}</ul></nav>
<main>
{{range .Operations}}<section id="{{.ID}}">
<h2><code>{{.Method}} {{.Path}}</code></h2>
<p><strong>{{.Summary}}</strong>{{if .Deprecated}} <em>deprecated</em>{{end}}{{with .Tags}} ({{.}}){{end}}</p>
{{with .Description}}<p class="text">{{.}}</p>{{end}}
{{with .Security}}<p>Needs one of: <code>{{.}}</code></p>{{end}}
{{with .Parameters}}<table>
<caption>Parameters</caption>
<thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Schema</th><th scope="col">Description</th></tr></thead>
<tbody>
{{range .}}<tr><td><code>{{.Name}}</code>{{if .Required}} <span title="required">*</span>{{end}}</td><td>{{.In}}</td><td><code>{{.Schema}}</code></td><td>{{.Description}}</td></tr>
{{end}}</tbody></table>{{end}}
{{with .Bodies}}<h3>Body</h3>
{{range .}}<p><code>{{.MediaType}}</code></p><pre>{{.Schema}}</pre>
{{end}}{{end}}<h3>Answers</h3>
{{range .Answers}}<p><strong>{{.Status}}</strong> {{.Description}}</p>
{{range .Bodies}}<p><code>{{.MediaType}}</code></p>{{with .Schema}}<pre>{{.}}</pre>{{end}}
{{end}}{{end}}</section>
{{end}}<h2 id="schemas">Schemas</h2>
{{range .Schemas}}<section id="schema-{{.Name}}">
<h3>{{.Name}}</h3>
<pre>{{.Schema}}</pre>
</section>
{{end}}</main>
</body>
</html>
`))

type plainOperation struct {
	ID, Method, Path, Summary, Description, Tags, Security string
	Deprecated                                             bool
	Parameters                                             []plainParameter
	Bodies                                                 []plainBody
	Answers                                                []plainAnswer
}

type plainParameter struct {
	Name, In, Schema, Description string
	Required                      bool
}

type plainBody struct{ MediaType, Schema string }

type plainAnswer struct {
	Status, Description string
	Bodies              []plainBody
}

type plainSchema struct{ Name, Schema string }

// plainPage writes the document as HTML.
func plainPage(d *Document, info Info) ([]byte, error) {
	var operations []plainOperation
	for _, item := range objectAt(d.root, "paths") {
		for _, op := range item.Value.(object) {
			operations = append(operations, plainOperationOf(item.Name, op))
		}
	}
	var schemas []plainSchema
	for _, s := range objectAt(objectAt(d.root, "components"), "schemas") {
		schemas = append(schemas, plainSchema{s.Name, indented(s.Value)})
	}
	var out bytes.Buffer
	err := plainTemplate.Execute(&out, map[string]any{
		"Info": info, "Operations": operations, "Schemas": schemas,
		"Document": "../" + info.below(info.DocumentPath),
	})
	return out.Bytes(), err
}

func plainOperationOf(path string, m member) plainOperation {
	doc := m.Value.(object)
	op := plainOperation{
		ID: textAt(doc, "operationId"), Method: strings.ToUpper(m.Name), Path: path,
		Summary: textAt(doc, "summary"), Description: textAt(doc, "description"),
		Deprecated: doc.Get("deprecated") == true, Bodies: plainBodies(objectAt(doc, "requestBody")),
	}
	var tags, schemes []string
	for _, tag := range listAt(doc, "tags") {
		tags = append(tags, tag.(string))
	}
	for _, requirement := range listAt(doc, "security") {
		schemes = append(schemes, inLine(requirement))
	}
	op.Tags, op.Security = strings.Join(tags, ", "), strings.Join(schemes, " ")
	for _, p := range listAt(doc, "parameters") {
		p := p.(object)
		op.Parameters = append(op.Parameters, plainParameter{
			Name: textAt(p, "name"), In: textAt(p, "in"), Schema: inLine(p.Get("schema")),
			Description: textAt(p, "description"), Required: p.Get("required") == true,
		})
	}
	for _, a := range objectAt(doc, "responses") {
		a2 := a.Value.(object)
		op.Answers = append(op.Answers, plainAnswer{a.Name, textAt(a2, "description"), plainBodies(a2)})
	}
	return op
}

func plainBodies(doc object) []plainBody {
	var bodies []plainBody
	for _, media := range objectAt(doc, "content") {
		body := plainBody{MediaType: media.Name}
		if found, ok := media.Value.(object).Get("schema").(object); ok {
			body.Schema = indented(found)
		}
		bodies = append(bodies, body)
	}
	return bodies
}

func inLine(value any) string {
	text, _ := json.Marshal(value) // of plain values
	return string(text)
}

func indented(value any) string {
	var out bytes.Buffer
	_ = json.Indent(&out, []byte(inLine(value)), "", "  ")
	return out.String()
}
