// Package chart draws bars as SVG, for the pictures of a guide.
//
//	picture := chart.Bars{Title: "plain text", Unit: "µs", Rows: []chart.Row{{"nethttp", 13.2}, {"ishaa", 9.1}}}
//	err := picture.Write(file)
//
// A picture is text with no script and no reference outside, so it can be shown by any page. It is drawn in the colours of the
// page around it, light or dark.
package chart

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// Bars is one picture: a bar for each row, the value behind it.
type Bars struct {
	Title string // above the bars
	Unit  string // behind the values
	Rows  []Row
	Own   string // the beginning of the names of the rows that stand out
}

// Row is a bar. Values are not negative.
type Row struct {
	Name  string
	Value float64
}

const (
	rowHeight = 24
	nameWidth = 150
	barWidth  = 420
	textRoom  = 110
	topRoom   = 40
)

// Write draws the picture.
func (b Bars) Write(w io.Writer) error {
	var longest float64
	for _, row := range b.Rows {
		longest = max(longest, row.Value)
	}
	var out strings.Builder
	width, height := nameWidth+barWidth+textRoom, topRoom+rowHeight*len(b.Rows)+8
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="sans-serif" font-size="13">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&out, "<title>%s</title>\n", html.EscapeString(b.Title))
	fmt.Fprintf(&out, `<text x="8" y="22" font-weight="bold" fill="#777">%s</text>`+"\n", html.EscapeString(b.Title))
	for i, row := range b.Rows {
		y := topRoom + i*rowHeight
		length := 0.0
		if longest > 0 {
			length = barWidth * row.Value / longest
		}
		colour := "#9aa5b1"
		if b.Own != "" && strings.HasPrefix(row.Name, b.Own) {
			colour = "#d9480f"
		}
		fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="end" fill="#777">%s</text>`+"\n", nameWidth-8, y+16, html.EscapeString(row.Name))
		fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", nameWidth, y+3, length, rowHeight-6, colour)
		fmt.Fprintf(&out, `<text x="%.1f" y="%d" fill="#777">%.2f %s</text>`+"\n", nameWidth+length+6, y+16, row.Value, html.EscapeString(b.Unit))
	}
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}
