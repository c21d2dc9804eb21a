package mutation

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// changes are the lines that are new or changed, by absolute path.
type changes map[string]map[int]bool

// wholeFile stands for every line of a file.
const wholeFile = 0

func (c changes) has(path string, line int) bool { return c[path][line] || c[path][wholeFile] }

var hunk = regexp.MustCompile(`^@@ -\S+ \+(\d+)(?:,(\d+))? @@`)

// changedLines asks git which lines of the working tree differ from a commit. Files that git does not know yet count as
// changed from the first line to the last.
func changedLines(ctx context.Context, dir, commit string) (changes, error) {
	if strings.HasPrefix(commit, "-") {
		return nil, fmt.Errorf("mutation: %q is no commit", commit)
	}
	top, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	root := strings.TrimSpace(top)
	text, err := git(ctx, dir, "diff", "--unified=0", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", commit, "--", "*.go")
	if err != nil {
		return nil, err
	}
	list := parseDiff(root, text)
	others, err := git(ctx, root, "ls-files", "--others", "--exclude-standard", "-z", "--", "*.go")
	if err != nil {
		return nil, err
	}
	for path := range strings.SplitSeq(others, "\x00") {
		if path != "" {
			list[filepath.Join(root, path)] = map[int]bool{wholeFile: true}
		}
	}
	return list, nil
}

// parseDiff reads a diff without context lines.
func parseDiff(root, text string) changes {
	list := changes{}
	path := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			path = filepath.Join(root, name)
			continue
		}
		match := hunk.FindStringSubmatch(line)
		if match == nil || path == "" {
			continue
		}
		first, _ := strconv.Atoi(match[1])
		count := 1
		if match[2] != "" {
			count, _ = strconv.Atoi(match[2])
		}
		list.add(path, first, count)
	}
	return list
}

// most is how many lines a file may have.
const most = 1 << 20

func (c changes) add(path string, first, count int) {
	if c[path] == nil {
		c[path] = map[int]bool{}
	}
	for line := first; line < first+min(max(count, 0), most); line++ {
		c[path][line] = true
	}
}

func git(ctx context.Context, dir string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", arguments...)
	command.Dir = dir
	output, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("mutation: git %s: %s", arguments[0], strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("mutation: git: %w", err)
	}
	return string(output), nil
}
