package sare

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/negotiate"
)

// The report as a page: one document without scripts, that loads nothing. Its policy names the hash of its one style
// sheet, so that not even a route's name could bring another.

// Respond answers with the page for who prefers HTML, with JSON for everybody else.
func (r *Report) Respond(req *ishaa.Request, res *ishaa.Response) error {
	header := res.Header()
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept")
	if negotiate.Best(req.Header("Accept"), "application/json", "text/html") != "text/html" {
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		header.Set("Content-Type", "application/json")
		res.SetBytes(data)
		return nil
	}
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, r); err != nil {
		return err
	}
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", pagePolicy)
	res.SetBytes(page.Bytes())
	return nil
}

var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}()

// heatClass is one of six colours, by a route's part of the most heat there is on a page.
func heatClass(r *Report, heat float64) string {
	most := 0.0
	for _, route := range r.Routes {
		most = max(most, route.Heat)
	}
	if most <= 0 || heat <= 0 {
		return "h0"
	}
	return fmt.Sprintf("h%d", 1+min(4, int(5*math.Sqrt(heat/most)-1e-9)))
}

// path draws a curve of durations as the points of an SVG line 200 wide and 40 high, on a logarithmic scale.
func path(curve []point, of func(point) time.Duration) string {
	low, high := math.Inf(1), math.Inf(-1)
	level := func(p point) float64 { return math.Log(max(float64(of(p)), 1000)) }
	for _, p := range curve {
		low, high = min(low, level(p)), max(high, level(p))
	}
	var out strings.Builder
	for i, p := range curve {
		x := 200 * float64(i) / max(float64(len(curve)-1), 1)
		y := 38 - 36*(level(p)-low)/max(high-low, .1)
		fmt.Fprintf(&out, "%.1f,%.1f ", x, y)
	}
	return strings.TrimSpace(out.String())
}

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"heat":    heatClass,
	"p50":     func(c []point) string { return path(c, func(p point) time.Duration { return p.P50 }) },
	"p95":     func(c []point) string { return path(c, func(p point) time.Duration { return p.P95 }) },
	"ms":      func(d time.Duration) string { return d.Round(time.Microsecond).String() },
	"percent": func(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) },
	"one":     func(x float64) string { return fmt.Sprintf("%.1f", x) },
	"kib":     func(n int64) int64 { return n / 1024 },
	"at":      func(t time.Time) string { return t.UTC().Format("15:04:05") },
	"style":   func() template.CSS { return pageStyle },
	"text":    func(raw json.RawMessage) string { return string(raw) },
}).Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="10"><title>SARE: {{.App}}</title><style>{{style}}</style></head>
<body>
<h1>SARE: {{.App}}</h1>
<p>{{.State}} since {{at .Since}} UTC. {{.Totals.Requests}} requests, {{one .Totals.Rate}} a second, {{.Totals.Errors}} server errors,
{{.Totals.Hits}} answers from memory; {{.Totals.Answers}} answers are kept in {{kib .Totals.Bytes}} KiB.
Trials: {{.Totals.Begun}} begun, {{.Totals.Kept}} kept, {{.Totals.Undone}} undone.</p>
<dl>{{range .Layers}}<dt>{{.Name}}</dt><dd>{{.What}}</dd>{{end}}</dl>
{{with .Limiter}}<p>Limiter: {{.InFlight}} of {{one .Limit}} requests in handlers; {{.Cuts}} cuts, {{.Undone}} undone.</p>{{end}}
<h2>Routes by heat</h2>
<table>
<thead><tr><th>Route<th>Heat<th>Rate<th>Latency<th>p50<th>p95<th>p99<th>Errors<th>Memory<th>Hits</tr></thead>
<tbody>{{$report := .}}{{range .Routes}}{{if .Requests}}<tr>
<td><code>{{.Route}}</code><td class="{{heat $report .Heat}}">{{one .Heat}}<td>{{one .Rate}}/s
<td><svg viewBox="0 0 200 40" width="200" height="40" role="img" aria-label="latency over the last intervals"><polyline class="p95" points="{{p95 .Curve}}"/><polyline class="p50" points="{{p50 .Curve}}"/></svg>
<td>{{ms .P50}}<td>{{ms .P95}}<td>{{ms .P99}}<td>{{.Errors}}<td>{{.Memory.Phase}}{{with .Memory.Why}}<br><small>{{.}}</small>{{end}}<td>{{.Memory.Hits}}
</tr>{{end}}{{end}}</tbody>
</table>
<h2>What a person could do</h2>
{{if .Advice}}<ul>{{range .Advice}}<li><code>{{.Route}}</code>: {{.Evidence}}. Gain: {{.Gain}}. {{.Do}}.</li>{{end}}</ul>{{else}}<p>Nothing that the engine could see.</p>{{end}}
<h2>What happened</h2>
{{range .Routes}}{{if .Notes}}<h3><code>{{.Route}}</code></h3><ul>{{range .Notes}}<li>{{at .At}} {{.What}}</li>{{end}}</ul>{{end}}{{end}}
<h2>Decisions</h2>
<ol>{{range .Decisions}}{{if .Rule}}<li value="{{.Seq}}"><details><summary>{{at .At}} {{.Kind}} <code>{{.Subject}}</code></summary><pre>{{text .Rule}}
{{text .Evidence}}
{{text .Outcome}}</pre></details></li>{{end}}{{end}}</ol>
</body>
</html>
`))

const pageStyle = `body{font:15px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#1b1b1f;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #ddd;vertical-align:top}
td{font-variant-numeric:tabular-nums}dl{display:grid;grid-template-columns:8rem 1fr}dt{font-weight:600}dd{margin:0}
code,pre{font:13px/1.4 ui-monospace,monospace}pre{white-space:pre-wrap;overflow-wrap:anywhere}
polyline{fill:none;stroke-width:1.5}.p50{stroke:#1a5fb4}.p95{stroke:#c64600}small{color:#555}
.h0{background:#f6f6f6}.h1{background:#fff3d6}.h2{background:#ffe0a8}.h3{background:#ffc078}.h4{background:#ff9b5e}.h5{background:#f66f4f}
@media(prefers-color-scheme:dark){body{color:#eee;background:#18181b}th,td{border-color:#444}small{color:#aaa}.h0{background:#222}.h1,.h2,.h3,.h4,.h5{color:#18181b}}`
