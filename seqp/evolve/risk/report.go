package risk

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Highest is the highest level of a route; Low without routes.
func (r *Report) Highest() Level {
	highest := Low
	for _, route := range r.Routes {
		if route.Level.AtLeast(highest) {
			highest = route.Level
		}
	}
	return highest
}

// Findings are those of all routes, each once.
func (r *Report) Findings() []Finding {
	var list []Finding
	for _, route := range r.Routes {
		for _, f := range route.Findings {
			if !slices.ContainsFunc(list, func(other Finding) bool { return other.Rule == f.Rule && other.Place == f.Place }) {
				list = append(list, f)
			}
		}
	}
	return list
}

// Write writes the report for people: a line a route, then its reasons.
func (r *Report) Write(out io.Writer) error {
	if len(r.Routes) == 0 {
		_, err := fmt.Fprintln(out, "No route was found. Routes are found where app.Get and its kind are called with a pattern that is written out.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RISK\tLEVEL\tROUTE\tCRITICALITY\tHANDLER\tWHY")
	for _, route := range r.Routes {
		for i := range max(len(route.Reasons), 1) {
			why := ""
			if i < len(route.Reasons) {
				why = route.Reasons[i].Text + " (" + route.Reasons[i].Place.String() + ")"
			}
			if i == 0 {
				fmt.Fprintf(w, "%.2f\t%s\t%s %s\t%s\t%s\t%s\n", route.Score, route.Level, route.Method, route.Pattern, route.Critical, route.Handler, why)
			} else {
				fmt.Fprintf(w, "\t\t\t\t\t%s\n", why)
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	findings := r.Findings()
	if len(findings) > 0 {
		fmt.Fprintln(out, "\nFindings:")
	}
	for _, f := range findings {
		fmt.Fprintf(out, "%s: %s: %s%s\n", f.Place, f.Rule, f.Text, viaText(f.Via))
	}
	return nil
}

func viaText(via []Place) string {
	var list []string
	for _, p := range via {
		if p.Line > 0 {
			list = append(list, p.String())
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ", by way of " + strings.Join(list, ", ")
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// rules explains the findings.
var rules = []struct{ id, text, severity string }{
	{"sql", "What a client sends becomes part of an SQL statement (CWE-89). Give it as an argument.", "9.8"},
	{"command", "What a client sends becomes a command (CWE-78). Run a fixed program with arguments.", "9.8"},
	{"file", "What a client sends names a file (CWE-22). Open it through os.Root or FileFS.", "8.6"},
	{"html", "What a client sends becomes HTML (CWE-79). Use templates, or HTMLf with arguments.", "6.1"},
	{"redirect", "What a client sends is where a redirect goes (CWE-601). Use RedirectLocal.", "6.1"},
	{"url", "What a client sends is where the server asks (CWE-918). Use package outbound.", "8.6"},
	{"shared-write", "Requests write to the same memory at once (CWE-362). Take a lock.", "5.9"},
	{"argument", "What a client sends becomes an option of a command (CWE-88). Put \"--\" before it.", "8.8"},
	{"template", "What a client sends becomes a template (CWE-1336). Give it as data.", "8.8"},
	{"certificate", "Nobody looks at the certificate of another server (CWE-295).", "7.4"},
	{"random", "A secret that can be guessed (CWE-338). Use crypto/rand.", "7.5"},
	{"hash", "A password under a hash that is quick to try (CWE-916). Use auth.HashPassword.", "7.5"},
	{"key", "A key in the program (CWE-798). Read it from the configuration.", "7.5"},
	{"journal", "A password or a token in the journal (CWE-532). Leave it out.", "5.5"},
	{"mode", "A file that every account may write (CWE-732). Use 0o600.", "5.5"},
	{"temporary", "A known name in the folder for temporary files (CWE-377). Use os.CreateTemp.", "5.5"},
	{"unpacked", "A small upload becomes a large one (CWE-409). Use io.LimitReader.", "7.5"},
	{"timing", "A secret is compared letter by letter (CWE-208). Use subtle.ConstantTimeCompare.", "5.9"},
	{"ignored-database-error", "An error of the database is not looked at (CWE-252). Return it.", "5.3"},
}

type object map[string]any

// WriteSARIF writes the findings in SARIF 2.1.0 (OASIS), which code hosts show beside the lines.
func (r *Report) WriteSARIF(out io.Writer) error {
	ruleList, results := []object{}, []object{}
	for _, rule := range rules {
		ruleList = append(ruleList, object{"id": rule.id, "shortDescription": object{"text": rule.text},
			"properties": object{"security-severity": rule.severity, "tags": []string{"security"}}})
	}
	for _, f := range r.Findings() {
		result := object{"ruleId": f.Rule, "level": "error", "message": object{"text": f.Text}, "locations": []object{location(f.Place)}}
		var steps []object
		for _, p := range append(slices.Clone(f.Via), f.Place) {
			if p.Line > 0 {
				steps = append(steps, object{"location": location(p)})
			}
		}
		result["codeFlows"] = []object{{"threadFlows": []object{{"locations": steps}}}}
		results = append(results, result)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(object{
		"version": "2.1.0",
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"runs": []object{{
			"tool":    object{"driver": object{"name": "ishaa risk", "informationUri": "https://" + framework, "rules": ruleList}},
			"results": results,
		}},
	})
}

func location(p Place) object {
	return object{"physicalLocation": object{"artifactLocation": object{"uri": p.File}, "region": object{"startLine": max(p.Line, 1)}}}
}
