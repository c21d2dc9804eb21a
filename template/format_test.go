package template

import "testing"

// The wanted texts are Python's.
func TestFormatting(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{{ "{:>8.2f}".format(3.14159) }}|`, "    3.14|"},
		{`{{ "{:<6}|{:^6}|{:>6}".format("a", "b", "c") }}`, "a     |  b   |     c"},
		{`{{ "{:*^7}".format("é") }}`, "***é***"},
		{`{{ "{:06d} {:+d} {: d}".format(-42, 42, 42) }}`, "-00042 +42  42"},
		{`{{ "{:,} {:_} {:,.2f}".format(1234567, 1234567, 1234567.891) }}`, "1,234,567 1_234_567 1,234,567.89"},
		{`{{ "{:x} {:X} {:#x} {:b} {:#o}".format(255, 255, 255, 5, 8) }}`, "ff FF 0xff 101 0o10"},
		{`{{ "{:.1%} {:e} {:g} {:.3}".format(0.256, 12345.678, 1000000.0, 3.14159) }}`, "25.6% 1.234568e+04 1e+06 3.14"},
		{`{{ "{:.2} {!r:>5}".format("abc", "x") }}`, "ab   'x'"},
		{`{{ "{0}{1}{0}".format("a", "b") }}`, "aba"},
		{`{{ "{u.name} {u[tags][0]} {n}".format(u={"name": "Ann", "tags": ["x"]}, n=1) }}`, "Ann x 1"},
		{`{{ "{:c}{:5}{:5}|".format(65, 1, true) }}`, "A    1    1|"},
		{`{{ "{{}}{:=+6}".format(3) }}`, "{}+    3"},
		{`{{ "%05s|%5.1f|%-5d|%+d|%c|%x|%%" % ("a", 2.25, 3, 4, "z", 255) }}`, "    a|  2.2|3    |+4|z|ff|%"},
	} {
		if got, err := renderText(nil, c.text, none, Options{Escape: escaping(EscapeNone)}); got != c.want || err != nil {
			t.Errorf("%s gave %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}

// As Python's textwrap breaks lines.
func TestWordwrap(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{
		{`{{ "state-of-the-art tools"|wordwrap(9) }}`, "state-of-\nthe-art\ntools"},
		{`{{ "state-of-the-art tools"|wordwrap(9, break_on_hyphens=false) }}`, "state-of-\nthe-art\ntools"},
		{`{{ "state-of-the-art"|wordwrap(9, false, "|", false) }}`, "state-of-the-art"},
		{`{{ "well--known e-mail -5 a-b"|wordwrap(4, true, "|") }}`, "well|--kn|own |e-|mail|-5|a-b"},
		{`{{ "a\r\nb\n\nc d"|wordwrap(1, true, "|") }}`, "a|b||c|d"},
	} {
		if got, err := renderText(nil, c.text, none, Options{Escape: escaping(EscapeNone)}); got != c.want || err != nil {
			t.Errorf("%s gave %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}
