package shell

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Completion takes whatever is typed: it keeps what is around the word, and does not fail.
func FuzzComplete(f *testing.F) {
	for _, line := range []string{`User.query().filter(na`, `(User.all())[0].`, `url("us`, `x = '''a`, "# U", `User.get(1).posts[`, `)))`, `User.filter(posts__user__`, "é.b", `r"\`} {
		f.Add(line, len([]rune(line)))
	}
	s, _ := newTest(f, memory)
	f.Fuzz(func(t *testing.T, line string, pos int) {
		head, options, tail := s.complete(line, pos)
		if !strings.HasSuffix(line, tail) && utf8.ValidString(line) {
			t.Errorf("%q at %d: the line's end becomes %q", line, pos, tail)
		}
		if utf8.ValidString(line) && !strings.HasPrefix(line, head) {
			t.Errorf("%q at %d: the line's beginning becomes %q", line, pos, head)
		}
		for _, o := range options {
			if o == "" {
				t.Errorf("%q at %d: an empty option", line, pos)
			}
		}
	})
}

// A script that makes no sense is an error, and the session goes on.
func FuzzScript(f *testing.F) {
	for _, step := range seed {
		f.Add(step.code)
	}
	for _, code := range []string{"User.filter(a__b=1)", "User.get(User)", "[x for x in User.all()]", "url(1)", "User.create(meta={1: 2})", "Post(seen=1)", "help(help)", "{}.get(User)"} {
		f.Add(code)
	}
	s, out := newTest(f, memory)
	s.readonly = true // so that each input finds what the others found
	f.Fuzz(func(t *testing.T, code string) {
		if strings.Contains(code, "*") || strings.Contains(code, "<<") || strings.Contains(code, "range") {
			return // what takes all memory is the user's own doing
		}
		out.Reset()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		err := s.script(ctx, "fuzz", code)
		if err != nil && strings.Contains(err.Error(), "stumbled") {
			t.Errorf("%q: %v", code, err)
		}
	})
}
