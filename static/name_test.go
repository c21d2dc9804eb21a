package static

import (
	"io/fs"
	"strings"
	"testing"
)

func TestHashedNames(t *testing.T) {
	const hash = "0123456789abcdef"
	for _, c := range []struct{ plain, hashed string }{
		{"app.css", "app." + hash + ".css"},
		{"css/app.min.js", "css/app.min." + hash + ".js"},
		{"LICENSE", "LICENSE." + hash},
		{"v1.2/LICENSE", "v1.2/LICENSE." + hash},
		{"a." + hash + ".js", "a." + hash + "." + hash + ".js"},
	} {
		if got := hashedName(c.plain, hash+"00"); got != c.hashed {
			t.Errorf("%s: %s, want %s", c.plain, got, c.hashed)
		}
		if plain, got, ok := splitHashed(c.hashed); !ok || plain != c.plain || got != hash {
			t.Errorf("%s: %s %s %v", c.hashed, plain, got, ok)
		}
	}
	for _, name := range []string{
		"app.css", "app.0123456789abcde.css", "app.0123456789ABCDEF.css", hash + ".css", "." + hash + ".css", "a.b." + hash, "con." + hash + ".css", "git~1." + hash,
		"a/" + hash, "app." + hash + "0.css",
	} {
		if plain, got, ok := splitHashed(name); ok {
			t.Errorf("%s: %s %s", name, plain, got)
		}
	}
}

// Whatever a name is, what is allowed of it stays within the folder on every system,
// and a hash that is put into it comes out again.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"app.css", "../x", ".git/config", "a/b.c.d", "con", "NUL.txt", "git~1", "a:b", "a\\b", "a.0123456789abcdef.css", "\u200b.env", "", "/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		splitHashed(name)
		if !allowed(name) {
			return
		}
		if !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00\n") {
			t.Fatalf("%q is allowed", name)
		}
		for _, segment := range strings.Split(name, "/") {
			if segment[0] == '.' && segment != ".well-known" || strings.HasSuffix(segment, ".") || strings.HasSuffix(segment, " ") {
				t.Fatalf("%q is allowed", name)
			}
		}
		const hash = "fedcba9876543210"
		plain, got, ok := splitHashed(hashedName(name, hash))
		if !ok || plain != name || got != hash {
			t.Fatalf("%q comes out as %q %q %v", name, plain, got, ok)
		}
	})
}
