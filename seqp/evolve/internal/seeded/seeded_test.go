package seeded_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
	"github.com/ishaa-framework/ishaa/seqp/evolve/testgen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// caseOf is the case that a pattern belongs to, such as "bug 07".
var caseOf = regexp.MustCompile(`/(bug|fix)/(\d\d)/`)

// table is what was found in each case, and in each twin.
type table struct {
	numbers map[string]bool
	found   map[string]map[string]bool
}

func newTable(t *testing.T, report *risk.Report) *table {
	t.Helper()
	c := &table{map[string]bool{}, map[string]map[string]bool{}}
	for _, route := range report.Routes {
		c.numbers[caseOf.FindStringSubmatch(route.Pattern)[2]] = true
		for _, f := range route.Findings {
			c.add(t, route.Pattern, f.Rule)
		}
	}
	return c
}

func (c *table) add(t *testing.T, pattern, rule string) {
	t.Helper()
	match := caseOf.FindStringSubmatch(pattern)
	if match == nil {
		t.Fatalf("%s belongs to no case", pattern)
	}
	key := match[1] + " " + match[2]
	if c.found[key] == nil {
		c.found[key] = map[string]bool{}
	}
	c.found[key][rule] = true
}

// sums are how many bugs were found and how many twins were taken for one, with a line a case.
func (c *table) sums() (bugs, twins int, text string) {
	var b strings.Builder
	for _, number := range slices.Sorted(maps.Keys(c.numbers)) {
		bug, twin := slices.Sorted(maps.Keys(c.found["bug "+number])), slices.Sorted(maps.Keys(c.found["fix "+number]))
		bugs += min(len(bug), 1)
		twins += min(len(twin), 1)
		fmt.Fprintf(&b, "%s  %-40s  %s\n", number, strings.Join(bug, " "), strings.Join(twin, " "))
	}
	return bugs, twins, b.String()
}

func analyze(t *testing.T) *risk.Report {
	t.Helper()
	report, err := risk.Analyze(t.Context(), risk.Options{Dir: "testdata/program", Patterns: []string{"."}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestSeededBugs looks for all of the bugs, and for what is none: at least three of four are found, and at most one twin in
// fifty is taken for a bug.
func TestSeededBugs(t *testing.T) {
	if os.Getenv("ISHAA_TEST_LONG") == "" {
		t.Skip("minutes of two processors: ISHAA_TEST_LONG=1 runs it; TestSeededBugsByReading is its short form")
	}
	begun := time.Now()
	report := analyze(t)
	result, err := testgen.Generate(t.Context(), testgen.Options{Dir: "testdata/program", Report: report, Bugs: true})
	if err != nil {
		t.Fatal(err)
	}
	c := newTable(t, report)
	for _, f := range result.Findings {
		c.add(t, f.Route, f.Rule)
	}
	bugs, twins, text := c.sums()
	t.Logf("%d of %d bugs found, %d twins flagged, in %s\ncase  found  flagged in the twin\n%s", bugs, len(c.numbers), twins, time.Since(begun).Round(time.Second), text)
	for _, f := range result.Findings {
		if strings.Contains(f.Route, "/fix/") {
			t.Logf("%s: %s: %s\n%s", f.Route, f.Rule, f.Text, f.Curl)
		}
	}
	if 100*bugs < 75*len(c.numbers) || 100*twins > 2*len(c.numbers) {
		t.Errorf("%d of %d bugs found, %d twins flagged", bugs, len(c.numbers), twins)
	}
}

// TestSeededBugsByReading looks for those that the source alone shows.
func TestSeededBugsByReading(t *testing.T) {
	c := newTable(t, analyze(t))
	_, twins, text := c.sums()
	if twins > 0 {
		t.Errorf("%d twins flagged", twins)
	}
	for number, rule := range map[string]string{"01": "argument", "02": "template", "09": "file", "11": "file", "26": "timing", "27": "random", "28": "hash",
		"29": "certificate", "32": "key", "33": "journal", "35": "mode", "36": "temporary", "37": "unpacked", "54": "shared-write"} {
		if !c.found["bug "+number][rule] {
			t.Errorf("%s in case %s is not found", rule, number)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
