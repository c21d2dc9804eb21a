//go:build unix

package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// block is a fenced block of a document.
type block struct {
	language string
	text     string
	line     int // of its first line
}

// blocksOf reads the fenced blocks of a document, named by its path from the repository's root.
func blocksOf(t *testing.T, document string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testenv.Root(), document))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	open := false
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open:
			open = false
		case fence:
			open = true
			blocks = append(blocks, block{language: strings.TrimSpace(language), line: number + 1})
		case open:
			blocks[len(blocks)-1].text += line
		}
	}
	if open {
		t.Fatalf("a fence of %s is not closed", document)
	}
	return blocks
}

// documented is the address that programs listen on unless they are told otherwise.
const documented = "127.0.0.1:8000"

// checkConsole runs the commands of a console block and compares what they print with what the block says. "…" stands
// for anything, on a line of its own for any lines.
func checkConsole(t *testing.T, shell launch.Shell, text, address string) {
	t.Helper()
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "$ "), "\n$ ") {
		command, want, _ := strings.Cut(part, "\n")
		if strings.HasPrefix(command, "curl ") && !strings.Contains(command, documented) {
			t.Errorf("%q does not ask http://%s", command, documented)
			continue
		}
		got, _ := shell.Run(t, strings.ReplaceAll(command, documented, address))
		got = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(got, address, documented), "\r\n", "\n"))
		want = strings.TrimSpace(want)
		if !expected(want).MatchString(got) {
			t.Errorf("%s\nprints:\n%s\nthe document says:\n%s", command, got, want)
		}
	}
}

// expected turns what a document shows into an expression for the whole output.
func expected(shown string) *regexp.Regexp {
	var text strings.Builder
	text.WriteString(`(?s)\A`)
	for i, part := range strings.Split(shown, "…") {
		if i > 0 {
			text.WriteString(`.*`)
		}
		text.WriteString(regexp.QuoteMeta(part))
	}
	text.WriteString(`\z`)
	return regexp.MustCompile(text.String())
}
