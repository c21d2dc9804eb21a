package command

import (
	"slices"
	"strings"
)

// lineDiff shows what changes from one text to another: a common beginning and end are left out, what goes has a minus and
// what comes a plus.
func lineDiff(is, should string) string {
	if is == should {
		return ""
	}
	from, to := slices.Collect(strings.Lines(is)), slices.Collect(strings.Lines(should))
	for len(from) > 0 && len(to) > 0 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	for len(from) > 0 && len(to) > 0 && from[len(from)-1] == to[len(to)-1] {
		from, to = from[:len(from)-1], to[:len(to)-1]
	}
	var b strings.Builder
	for _, line := range from {
		b.WriteString("-" + strings.TrimSuffix(line, "\n") + "\n")
	}
	for _, line := range to {
		b.WriteString("+" + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}
