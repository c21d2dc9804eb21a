package rmf

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Report is a handler that answers with Stats: as JSON, or as a page for those who prefer HTML. It is on no route unless
// the program puts it on one, with whatever guards the program's inner workings:
//
//	app.Get("/rmf/report", realities.Report, auth.LoginRequired(…))
//
// The page needs nothing but itself, and its Content-Security-Policy allows nothing but its own style sheet.
func (m *Realities) Report(r *ishaa.Request) (any, error) {
	stats := m.Stats()
	if r.Accepts("application/json", "text/html") != "text/html" {
		return ishaa.JSON(stats).WithHeader("Cache-Control", "no-store"), nil
	}
	var page bytes.Buffer
	if err := reportPage.Execute(&page, stats); err != nil {
		return nil, fmt.Errorf("rmf: the report's page: %w", err)
	}
	return ishaa.Bytes("text/html; charset=utf-8", page.Bytes()).
		WithHeader("Content-Security-Policy", reportPolicy).
		WithHeader("Cache-Control", "no-store"), nil
}

const reportStyle = `
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2.5rem}h3{font-size:1rem;margin:1.5rem 0 .3rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;padding:.25rem .7rem .25rem 0;border-bottom:1px solid #8884;vertical-align:top}
th{font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.stage{padding:.05rem .5rem;border-radius:1rem;background:#8883}
.bad{color:#c22}.good{color:#283}code{font-size:.92em}
meter{width:8rem}
@media (prefers-color-scheme:dark){.bad{color:#f88}.good{color:#8d9}}
`

var reportPolicy = func() string {
	sum := sha256.Sum256([]byte(reportStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"style":   func() template.CSS { return reportStyle },
	"percent": func(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) },
	"time":    func(d time.Duration) string { return d.Round(time.Microsecond).String() },
	"log":     func(x float64) string { return fmt.Sprintf("%.1f", x) },
	"rolls":   func(m MetricStats) bool { return m.Harm >= math.Log(4/.05) },
	"passes":  func(m MetricStats) bool { return m.Safe >= math.Log(1/.05) },
	"date":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Realities of {{.Application}}</title><style>{{style}}</style></head><body>
<h1>Realities of {{.Application}}</h1>
<p>{{date .At}}{{if .Leads}}, this node advances experiments{{end}}{{if .CutOff}}. <strong class="bad">The store does not answer; shares stay as they are.</strong>{{end}}{{if .Dropped}} {{.Dropped}} simulations found no place.{{end}}</p>
{{range .Experiments}}
<h2><code>{{.Name}}</code></h2>
<p>Stable is <strong>{{.Stable}}</strong>; epoch {{.Epoch}}, lots by {{.Unit}}, salt <code>{{.Salt}}</code>, {{.Nodes}} node(s).</p>
<table><thead><tr><th>reality</th><th>stage</th><th>share</th><th class="n">requests</th><th class="n">errors</th><th class="n">p50</th><th class="n">p95</th><th class="n">p99</th></tr></thead><tbody>
{{range .Realities}}<tr><td>{{.Name}}{{range .Tags}} <small>#{{.}}</small>{{end}}</td>
<td>{{with .Trial}}<span class="stage">{{.Stage}}</span>{{end}}{{if not .Active}} outside {{.Window}}{{end}}</td>
<td><meter min="0" max="1" value="{{.Share}}">{{percent .Share}}</meter> {{percent .Share}}</td>
<td class="n">{{.Requests}}</td><td class="n">{{percent .ErrorRate}}</td><td class="n">{{time .P50}}</td><td class="n">{{time .P95}}</td><td class="n">{{time .P99}}</td></tr>
{{end}}</tbody></table>
{{range .Realities}}{{$reality := .Name}}{{with .Trial}}
<h3>{{$reality}} against {{.Against}}</h3>
<p>{{.Reason}}{{if .Would}} <strong>(it would be promoted if that were allowed)</strong>{{end}}</p>
{{if .Metrics}}<table><thead><tr><th>metric</th><th>bad is</th><th class="n">{{$reality}}</th><th class="n">{{.Against}}</th><th class="n">margin</th><th class="n">harm</th><th class="n">safe</th></tr></thead><tbody>
{{range .Metrics}}<tr><td>{{.Name}}</td><td>{{.Limit}}</td><td class="n">{{percent .Candidate}}</td><td class="n">{{percent .Stable}}</td><td class="n">{{percent .Margin}}</td><td class="n{{if rolls .}} bad{{end}}">{{log .Harm}}</td><td class="n{{if passes .}} good{{end}}">{{log .Safe}}</td></tr>
{{end}}</tbody></table>{{end}}{{end}}
{{with .Simulation}}<h3>{{$reality}} in the shadow</h3>
<p>{{.Runs}} runs, {{.NoiseRuns}} of stable again; {{.Failures}} failed (stable {{.Stable}}), {{.Skipped}} skipped, {{.Late}} late; p50 {{time .P50}}, p95 {{time .P95}}.
{{range $kind, $n := .Effects}} It would have changed <strong>{{$kind}}</strong> {{$n}} times.{{end}}</p>
{{if .Differences}}<table><thead><tr><th>path</th><th>differs by</th><th class="n">rate</th><th class="n">noise</th><th class="n">evidence</th><th>stable</th><th>{{$reality}}</th></tr></thead><tbody>
{{range .Differences}}<tr><td><code>{{.Path}}</code></td><td>{{.Kind}}</td><td class="n">{{percent .Rate}}</td><td class="n">{{percent .Noise}}</td><td class="n{{if .Found}} bad{{end}}">{{log .Evidence}} of {{log .Needed}}</td><td>{{.Stable}}</td><td>{{.Reality}}</td></tr>
{{end}}</tbody></table>{{end}}{{end}}{{end}}
{{end}}</body></html>
`))
