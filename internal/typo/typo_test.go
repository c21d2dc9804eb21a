package typo

import (
	"slices"
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"user", "user", 0}, {"user", "", 4}, {"usre", "user", 1}, {"use", "user", 1}, {"users", "user", 1},
		{"uzer", "user", 1}, {"kitten", "sitting", 3}, {"größe", "grösse", 2}, {"minLenght", "minLength", 1},
		{strings.Repeat("a", 65), "a", 65},
	} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
		if got := Distance(test.b, test.a); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.b, test.a, got, test.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"routes", "check", "version", "id", "user", "uses"}
	for name, want := range map[string]string{
		"route": "routes", "chekc": "check", "Version": "version", "migrate": "", "ix": "id", "xy": "", "usea": "user", "": "",
	} {
		if got := Nearest(name, slices.Values(known)); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
