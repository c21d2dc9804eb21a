package risk

import (
	"fmt"
	"html/template"
	"io"
)

// page is one page without scripts and without anything from elsewhere.
var page = template.Must(template.New("risk").Funcs(template.FuncMap{
	"percent": func(share float64) string { return fmt.Sprintf("%.0f", 100*share) },
	"known":   func(share float64) bool { return share >= 0 },
}).Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Risk of the routes</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1d2430; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #d8dde6; vertical-align: top }
code { font: 13px ui-monospace, monospace }
.cell { color: #10151d; text-align: center; font-weight: 600; border-radius: 4px }
.low { background: #d7efd9 } .medium { background: #fdf0c2 } .high { background: #fbd0b0 } .critical { background: #f3aaa8 }
ul { margin: 0; padding-left: 1.1rem } .place { color: #556; font-size: 13px }
meter { width: 6rem }
.map { display: flex; flex-wrap: wrap; gap: 4px; margin: 1rem 0 } .map a { width: 2.6rem; padding: .3rem 0; text-decoration: none }
@media (prefers-color-scheme: dark) { body { background: #14181f; color: #e3e7ee } th, td { border-color: #323a47 } .place { color: #a5afbf } }
</style>
<h1>Risk of the routes</h1>
<p>{{len .Routes}} routes, {{len .Findings}} findings. Each cell is a route, the riskiest first.</p>
<div class="map">{{range $i, $r := .Routes}}<a class="cell {{$r.Level}}" href="#r{{$i}}" title="{{$r.Method}} {{$r.Pattern}}: {{$r.Level}}">{{percent $r.Score}}</a>{{end}}</div>
<table>
<thead><tr><th scope="col">Risk</th><th scope="col">Route</th><th scope="col">Why</th><th scope="col">Coverage</th><th scope="col">Mutants</th></tr></thead>
<tbody>
{{range $i, $r := .Routes}}<tr id="r{{$i}}">
<td class="cell {{$r.Level}}">{{percent $r.Score}}<br>{{$r.Level}}</td>
<td><code>{{$r.Method}} {{$r.Pattern}}</code><br>{{$r.Handler}}<br><span class="place">{{$r.Place}} · {{$r.Critical}}</span></td>
<td><ul>{{range $r.Reasons}}<li>{{.Text}} <span class="place">{{.Place}}</span></li>{{end}}</ul></td>
<td>{{if known $r.Metrics.Coverage}}<meter min="0" max="1" value="{{$r.Metrics.Coverage}}"></meter> {{percent $r.Metrics.Coverage}} %{{else}}not measured{{end}}</td>
<td>{{if known $r.Metrics.Mutation}}<meter min="0" max="1" value="{{$r.Metrics.Mutation}}"></meter> {{percent $r.Metrics.Mutation}} %{{else}}not measured{{end}}</td>
</tr>
{{end}}</tbody>
</table>
</html>
`))

// WriteHTML writes the report as one page that needs nothing else: a cell for each route by its risk, then the routes with
// their reasons and how much of them tests run and notice.
func (r *Report) WriteHTML(out io.Writer) error { return page.Execute(out, r) }
