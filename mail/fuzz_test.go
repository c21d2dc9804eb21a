package mail

import (
	"strings"
	"testing"
)

// The text of a page ends with one line break, or is nothing, and holds nothing of a
// script.
func FuzzTextOf(f *testing.F) {
	f.Add("<p>a <a href='https://x.example'>b</a></p><script>secret</script>")
	f.Add("<li><br><hr></a><td><img alt=x>&amp;<title>secret")
	f.Fuzz(func(t *testing.T, page string) {
		text := textOf(page)
		if strings.TrimSpace(text) != strings.TrimSuffix(text, "\n") || strings.Contains(text, "\r") && !strings.Contains(page, "&") {
			t.Errorf("%q becomes %q", page, text)
		}
		if strings.Contains(textOf("<script>secret()</script>"), "secret") {
			t.Error("a script is shown")
		}
	})
}
