package seqp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/schema"
)

// shapes returns the JSON Schema of each typed route's answer, by route.
func shapes(app *ishaa.App) (map[string]json.RawMessage, error) {
	list := map[string]json.RawMessage{}
	for _, route := range app.Routes() {
		if route.Output() == nil {
			continue
		}
		described, err := app.Schemas().Of(route.Output())
		if err != nil {
			continue // what has no description is encoded as encoding/json does, and has no shape to compare
		}
		var definitions schema.Definitions
		root := described.OutputSchema(&definitions)
		text, err := json.Marshal(map[string]any{"answer": root, "definitions": definitions.All()})
		if err != nil {
			return nil, fmt.Errorf("seqp: the shape of %s: %w", route, err)
		}
		list[route.String()] = text
	}
	return list, nil
}

// changedShapes tells which routes answer in another shape than before. Routes that are new or gone are not among them:
// a person wrote or removed them.
func changedShapes(app *ishaa.App, before, now map[string]json.RawMessage) []Trend {
	levels := map[string]ishaa.Level{}
	for _, route := range app.Routes() {
		levels[route.String()] = levelOf(route)
	}
	var list []Trend
	for _, route := range slices.Sorted(maps.Keys(now)) {
		if before[route] == nil || bytes.Equal(before[route], now[route]) {
			continue
		}
		list = append(list, Trend{Route: route, Metric: SchemaMetric, level: levels[route],
			Text: "the answer is described differently at " + firstDifference(before[route], now[route])})
	}
	return list
}

// firstDifference is a JSON pointer to the first place where two documents differ.
func firstDifference(a, b json.RawMessage) string {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return "/"
	}
	pointer, _ := differ("", x, y)
	return pointer
}

func differ(at string, x, y any) (pointer string, different bool) {
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok {
			return at, true
		}
		names := maps.Clone(x)
		maps.Copy(names, y)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			here, before := x[name]
			there, after := y[name]
			if before != after {
				return at + "/" + name, true
			}
			if pointer, different = differ(at+"/"+name, here, there); different {
				return pointer, true
			}
		}
		return "", false
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return at, true
		}
		for i := range x {
			if pointer, different = differ(fmt.Sprintf("%s/%d", at, i), x[i], y[i]); different {
				return pointer, true
			}
		}
		return "", false
	}
	return at, x != y
}
