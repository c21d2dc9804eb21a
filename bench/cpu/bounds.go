package cpu

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Bounds are ratios by peer that are not to be exceeded. They are a flag.Value: -bound ishaa=1.05.
type Bounds map[string]float64

// String lists the bounds.
func (b Bounds) String() string {
	var list []string
	for name, bound := range b {
		list = append(list, fmt.Sprintf("%s=%g", name, bound))
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

// Set adds a bound, written like ishaa=1.05.
func (b Bounds) Set(text string) error {
	name, value, _ := strings.Cut(text, "=")
	bound, err := strconv.ParseFloat(value, 64)
	if err != nil || bound <= 0 || name == "" {
		return errors.New("write a bound like ishaa=1.05")
	}
	b[name] = bound
	return nil
}

// Check fails for each bound that a table of ratios does not meet (see Ratio.Within), and for those of peers that are
// not in it. The title says in errors which table it was.
func (b Bounds) Check(title string, ratios map[string]Ratio) error {
	var failures []error
	for name, bound := range b {
		ratio, measured := ratios[name]
		switch {
		case !measured:
			failures = append(failures, fmt.Errorf("%s: %s has a bound but was not measured", title, name))
		case !ratio.Within(bound):
			failures = append(failures, fmt.Errorf("%s: %s costs %s, more than %g", title, name, ratio, bound))
		}
	}
	return errors.Join(failures...)
}
