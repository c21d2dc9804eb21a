package risk

import (
	"context"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// halfLife is after how long a change counts half.
const halfLife = 90 * 24 * time.Hour

// churn sums up, for each file below a folder, the lines that commits changed, each by how long ago: Σ lines·2^(−age/90 d),
// counted from the last commit and not from today, so that an unchanged tree keeps its score. Fixes are commits whose
// subject says so. Without git or a history there is none.
func churn(ctx context.Context, dir string) (lines map[string]float64, fixes map[string]int) {
	lines, fixes = map[string]float64{}, map[string]int{}
	command := exec.CommandContext(ctx, "git", "-c", "core.quotepath=off", "log", "--no-merges", "--numstat", "--no-renames", "--relative",
		"--max-count=2000", "--pretty=format:\x01%ct\x02%s", "--", "*.go")
	command.Dir = dir
	output, err := command.Output()
	if err != nil {
		return lines, fixes
	}
	var newest, when int64
	fix := false
	for line := range strings.Lines(string(output)) {
		line = strings.TrimRight(line, "\n")
		if head, ok := strings.CutPrefix(line, "\x01"); ok {
			stamp, subject, _ := strings.Cut(head, "\x02")
			when, _ = strconv.ParseInt(stamp, 10, 64)
			newest = max(newest, when)
			fix = isFix(subject)
			continue
		}
		fields := strings.SplitN(line, "\t", 3)
		if len(fields) != 3 {
			continue
		}
		added, _ := strconv.Atoi(fields[0])
		removed, _ := strconv.Atoi(fields[1])
		age := time.Duration(newest-when) * time.Second
		name := filepath.ToSlash(fields[2])
		lines[name] += float64(added+removed) * math.Exp2(-float64(age)/float64(halfLife))
		if fix {
			fixes[name]++
		}
	}
	return lines, fixes
}

func isFix(subject string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(subject), func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch word {
		case "fix", "fixes", "fixed", "bug", "bugs", "mend", "mends", "mended", "regression", "revert", "repair", "repairs":
			return true
		}
	}
	return false
}
