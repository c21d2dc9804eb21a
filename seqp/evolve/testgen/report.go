package testgen

import (
	"fmt"
	"io"
)

// Write writes the result for people: the bugs with what shows them, then what was kept and why.
func (r *Result) Write(out io.Writer) error {
	for _, f := range r.Findings {
		fmt.Fprintf(out, "\n%s: %s: %s %s\n  %s\n", f.Place, f.Rule, f.Route, f.Text, f.Curl)
	}
	_, err := fmt.Fprintf(out, "\n%d tests tried, %d dropped as unsteady, %d kept", r.Tried, len(r.Dropped), len(r.Kept))
	if err != nil {
		return err
	}
	for _, kept := range r.Kept {
		fmt.Fprintf(out, "\n  %s: %s", kept.Test, kept.Reason)
	}
	_, err = fmt.Fprintln(out)
	return err
}
