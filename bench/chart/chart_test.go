package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/bench/chart"
)

// A picture is well-formed whatever the names are, and the longest bar belongs to the largest value.
func TestBars(t *testing.T) {
	var out strings.Builder
	b := chart.Bars{Title: "a < b & \"c\"", Unit: "µs", Own: "is", Rows: []chart.Row{{"<std>", 10}, {"ishaa", 5}, {"none", 0}}}
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	var widths []string
	decoder := xml.NewDecoder(strings.NewReader(out.String()))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, &out)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "rect" {
			for _, a := range element.Attr {
				if a.Name.Local == "width" {
					widths = append(widths, a.Value)
				}
			}
		}
	}
	if got := strings.Join(widths, " "); got != "420.0 210.0 0.0" {
		t.Errorf("bars of %s", got)
	}
}

func ExampleBars_Write() {
	empty := chart.Bars{Title: "nothing"}
	_ = empty.Write(os.Stdout)
	// Output:
	// <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 48" width="680" height="48" role="img" font-family="sans-serif" font-size="13">
	// <title>nothing</title>
	// <text x="8" y="22" font-weight="bold" fill="#777">nothing</text>
	// </svg>
}
