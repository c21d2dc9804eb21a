package dotenv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/dotenv"
)

func TestRead(t *testing.T) {
	write := func(text string) string {
		name := filepath.Join(t.TempDir(), ".env")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	values, err := dotenv.Read(write("# first\nA=1\nexport B='two words'\nC=\"tab\\t\" # note\n\nD=plain # note\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]dotenv.Value{"A": {Text: "1", Line: 2}, "B": {Text: "two words", Line: 3}, "C": {Text: "tab\t", Line: 4}, "D": {Text: "plain", Line: 6}} {
		if values[name] != want {
			t.Errorf("%s is %v, want %v", name, values[name], want)
		}
	}
	for _, text := range []string{"no value\n", "A='open\n", "A=\"open\n", "A='x' y\n"} {
		if _, err := dotenv.Read(write(text)); err == nil || !strings.Contains(err.Error(), ".env:1:") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if values, err := dotenv.Read(filepath.Join(t.TempDir(), "none")); err != nil || len(values) != 0 {
		t.Errorf("no file: %v, %v", values, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("A=1\nB='x'\nC=\"\\u00e9\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		name := filepath.Join(t.TempDir(), ".env")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		values, _ := dotenv.Read(name)
		for key := range values {
			if key == "" || strings.ContainsAny(key, " \t=\n") {
				t.Errorf("the name %q in %q", key, text)
			}
		}
	})
}
