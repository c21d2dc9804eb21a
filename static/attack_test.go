//go:build unix

package static_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ishaa-framework/ishaa/static"
)

// marker stands in every file that must not be read.
const marker = "MARKER-51c7"

// fortress is a folder "static" with everything around and in it that attackers look
// for. It returns the folder.
func fortress(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	secrets := map[string]string{}
	for _, name := range []string{
		"secret.txt", "site/secret.txt", "site/static2/secret.txt", "site/static.bak/secret.txt", "site/staticsecret.txt",
		"site/static/.env", "site/static/.git/config", "site/static/.GIT/config", "site/static/css/.htaccess", "site/static/.svn/entries",
		"site/static/.hg/hgrc", "site/static/CVS/Entries", "site/static/_darcs/prefs", "site/static/.DS_Store", "site/static/.well-known/.secret",
		"site/static/css/.well-known/secret.txt", "site/static/NUL", "site/static/con", "site/static/css/CON.txt", "site/static/com1.css",
		"site/static/LPT9", "site/static/aux.html", "site/static/git~1/config", "site/static/app.css::$DATA", "site/static/trailing.", "site/static/space ",
		"site/static/back\\slash", "site/static/..\\secret.txt", "site/static/%2e%2e/secret.txt", "site/static/line\nbreak", "site/static/\u200b.git/config",
		"site/static/nul .txt", "site/static/COM\u00b9", "site/static/list/secret-name.txt",
	} {
		secrets[name] = marker
	}
	write(t, base, secrets)
	dir := filepath.Join(base, "site", "static")
	write(t, dir, map[string]string{
		"app.css": "body{}", "css/deep.css": "p{}", "a b.txt": "space", "é.txt": "accent", "100%.txt": "percent",
		".well-known/security.txt": "contact", "~backup.txt": "tilde", "console.js": "con", "a..b": "dots", "big-git~1.txt": "long",
	})
	for link, target := range map[string]string{
		"out.txt": "../secret.txt", "outdir": "..", "far": "/etc", "abs.txt": filepath.Join(base, "secret.txt"),
		"loop": "loop", "sibling": "../static2", "css/up": "../../secret.txt", "in.css": "css/deep.css", "gone.txt": "nowhere", "indir": "css",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "locked.txt"), []byte(marker), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// attacks are paths, as they stand in the request line, and what they are answered: 404, as whatever is not there. It is
// 400 only where the request itself is malformed: a "%" without two digits (RFC 3986 §2.1), or octets that are not UTF-8,
// as overlong forms of characters are not (RFC 3629 §3).
var attacks = []struct {
	name, path string
	status     int // 0 is 404
}{
	{name: "absolute path", path: "/static//etc/hostname"},
	{name: "absolute path, all of it", path: "//etc/passwd"},
	{name: "parent", path: "/static/../secret.txt"},
	{name: "parent of parent", path: "/static/../../secret.txt"},
	{name: "parent from within", path: "/static/css/../../secret.txt"},
	{name: "parent at the end", path: "/static/.."},
	{name: "parent of the parent's end", path: "/static/css/.."},
	{name: "dot segment", path: "/static/./app.css"},
	{name: "dot segment at the end", path: "/static/."},
	{name: "escaped dots", path: "/static/%2e%2e/secret.txt"},
	{name: "half escaped dots", path: "/static/.%2e/secret.txt"},
	{name: "escaped dots, upper case", path: "/static/%2E%2E/%2E%2E/secret.txt"},
	{name: "escaped slash", path: "/static/..%2fsecret.txt"},
	{name: "escaped slash, upper case", path: "/static/..%2Fsecret.txt"},
	{name: "all escaped", path: "/static/%2e%2e%2fsecret.txt"},
	{name: "escaped slash to what exists", path: "/static/css%2Fdeep.css"},
	{name: "escaped leading slash", path: "/static/%2Fetc/hostname"},
	{name: "escaped prefix", path: "/static%2F..%2Fsecret.txt"},
	{name: "twice escaped", path: "/static/%252e%252e%252fsecret.txt"},
	{name: "twice escaped dots, a folder of that name exists", path: "/static/%252e%252e/secret.txt", status: 200},
	{name: "three times escaped", path: "/static/%25252e%25252e/secret.txt"},
	{name: "backslash", path: `/static/..\secret.txt`},
	{name: "escaped backslash", path: "/static/..%5csecret.txt"},
	{name: "escaped backslash, upper case", path: "/static/..%5Csecret.txt"},
	{name: "escaped backslashes", path: "/static/..%5c..%5csecret.txt"},
	{name: "backslash in a name that exists", path: "/static/back%5Cslash"},
	{name: "overlong UTF-8 slash", path: "/static/..%c0%afsecret.txt", status: 400},
	{name: "overlong UTF-8 dot", path: "/static/%c0%ae%c0%ae/secret.txt", status: 400},
	{name: "fullwidth dots and slash", path: "/static/%ef%bc%8e%ef%bc%8e%ef%bc%8fsecret.txt"},
	{name: "division slash", path: "/static/..%e2%88%95secret.txt"},
	{name: "IIS escape", path: "/static/%u002e%u002e/secret.txt", status: 400},
	{name: "malformed escape", path: "/static/%2", status: 400},
	{name: "NUL", path: "/static/app.css%00"},
	{name: "NUL before an extension", path: "/static/../secret.txt%00.css"},
	{name: "NUL that cuts a name", path: "/static/secret-name.txt%00/app.css"},
	{name: "NUL by itself", path: "/static/%00"},
	{name: "NUL within dots", path: "/static/.%00./secret.txt"},
	{name: "NUL twice escaped", path: "/static/app.css%2500"},
	{name: "line break", path: "/static/line%0abreak"},
	{name: "delete character", path: "/static/app%7f.css"},
	{name: "path parameter", path: "/static/..;/secret.txt"},
	{name: "path parameter with a value", path: "/static/..;a=b/secret.txt"},
	{name: "four dots", path: "/static/..../secret.txt"},
	{name: "nested pattern", path: "/static/....//secret.txt"},
	{name: "empty segment", path: "/static/css//deep.css"},
	{name: "empty segments first", path: "/static///app.css"},
	{name: "sibling with the prefix", path: "/static/../static2/secret.txt"},
	{name: "sibling by its own path", path: "/static2/secret.txt"},
	{name: "prefix without a slash", path: "/staticsecret.txt"},
	{name: "sibling with an extension", path: "/static.bak/secret.txt"},
	{name: "other case of the prefix", path: "/STATIC/app.css"},
	{name: "link out", path: "/static/out.txt"},
	{name: "link to a folder out", path: "/static/outdir/secret.txt"},
	{name: "link to an absolute folder", path: "/static/far/hostname"},
	{name: "link to an absolute file", path: "/static/abs.txt"},
	{name: "link to a sibling", path: "/static/sibling/secret.txt"},
	{name: "link out of a folder within", path: "/static/css/up"},
	{name: "link to itself", path: "/static/loop"},
	{name: "link to nothing", path: "/static/gone.txt"},
	{name: "pipe", path: "/static/pipe"},
	{name: "environment file", path: "/static/.env"},
	{name: "git", path: "/static/.git/config"},
	{name: "git, upper case", path: "/static/.GIT/config"},
	{name: "git, dot escaped", path: "/static/%2egit/config"},
	{name: "git behind a zero-width space", path: "/static/%e2%80%8b.git/config"},
	{name: "git by its short name", path: "/static/git~1/config"},
	{name: "git as a folder", path: "/static/.git/"},
	{name: "subversion", path: "/static/.svn/entries"},
	{name: "mercurial", path: "/static/.hg/hgrc"},
	{name: "CVS", path: "/static/CVS/Entries"},
	{name: "darcs", path: "/static/_darcs/prefs"},
	{name: "htaccess", path: "/static/css/.htaccess"},
	{name: "Finder's file", path: "/static/.DS_Store"},
	{name: "dotfile within well-known", path: "/static/.well-known/.secret"},
	{name: "well-known elsewhere", path: "/static/css/.well-known/secret.txt"},
	{name: "device", path: "/static/NUL"},
	{name: "device, lower case", path: "/static/con"},
	{name: "device with an extension", path: "/static/css/CON.txt"},
	{name: "device with a number", path: "/static/com1.css"},
	{name: "printer", path: "/static/LPT9"},
	{name: "device with a type", path: "/static/aux.html"},
	{name: "device with a space", path: "/static/nul%20.txt"},
	{name: "device with a raised number", path: "/static/COM%C2%B9"},
	{name: "stream", path: "/static/app.css::$DATA"},
	{name: "drive", path: "/static/C:/secret.txt"},
	{name: "trailing dot", path: "/static/trailing."},
	{name: "trailing space", path: "/static/space%20"},
	{name: "file as a folder", path: "/static/app.css/secret.txt"},
	{name: "file with a slash", path: "/static/app.css/"},
	{name: "folder", path: "/static/list"},
	{name: "folder with a slash", path: "/static/list/"},
	{name: "the folder itself", path: "/static/"},
	{name: "the folder itself without a slash", path: "/static"},
	{name: "hash of nothing", path: "/static/app.0123456789abcdef.css"},
	{name: "hash in a dotfile", path: "/static/.git/config.0123456789abcdef"},
	{name: "hash in a device", path: "/static/con.0123456789abcdef"},
	{name: "hash with a parent", path: "/static/../secret.0123456789abcdef.txt"},
	{name: "long name", path: "/static/" + strings.Repeat("a", 5000)},
	{name: "deep path", path: "/static/" + strings.Repeat("a/", 5000) + "a"},
	{name: "many links", path: "/static/" + strings.Repeat("indir/", 3) + "deep.css"},
}

func TestAttacks(t *testing.T) {
	dir := fortress(t)
	address := listen(t, serve(t, static.Dir(dir, "/static")))
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD"} {
				status, header, body := raw(t, address, method+" "+attack.path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
				want := attack.status
				switch {
				case want == 0:
					want = 404
				case want == 200: // what is there by that very name is no secret
					if status != 200 {
						t.Errorf("%s is %d, want 200", method, status)
					}
					continue
				}
				if status != want {
					t.Errorf("%s is %d, want %d", method, status, want)
				}
				for _, leak := range []string{marker, filepath.Dir(dir), "root:", "no such file", "secret-name", "openat", "escapes"} {
					if strings.Contains(body, leak) {
						t.Errorf("%s tells %q: %s", method, leak, body)
					}
				}
				if location := header.Get("Location"); location != "" {
					t.Errorf("%s leads to %s", method, location)
				}
			}
		})
	}
	if len(attacks) < 40 {
		t.Errorf("there are %d attacks", len(attacks))
	}
}

// The answer to what is refused is that to what does not exist.
func TestRefusalsTellNothing(t *testing.T) {
	address := listen(t, serve(t, static.Dir(fortress(t), "/static")))
	answer := func(path string) string {
		_, header, body := raw(t, address, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		return strings.Join([]string{header.Get("Content-Type"), header.Get("Vary"), header.Get("Cache-Control"), body}, "|")
	}
	want := answer("/static/nothing")
	for _, path := range []string{"/static/.env", "/static/.none", "/static/out.txt", "/static/pipe", "/static/list", "/static/con", "/static/css%2Fdeep.css"} {
		if got := answer(path); got != want {
			t.Errorf("%s: %s\nwant %s", path, got, want)
		}
	}
}

// What looks odd and is not: it is served.
func TestHarmlessNames(t *testing.T) {
	app := serve(t, static.Dir(fortress(t), "/static"))
	for path, want := range map[string]string{
		"/static/app.css": "body{}", "/static/css/deep.css": "p{}", "/static/a%20b.txt": "space", "/static/%C3%A9.txt": "accent",
		"/static/100%25.txt": "percent", "/static/.well-known/security.txt": "contact", "/static/~backup.txt": "tilde",
		"/static/console.js": "con", "/static/a..b": "dots", "/static/big-git~1.txt": "long", "/static/in.css": "p{}",
		"/static/indir/deep.css": "p{}", "/static/%61pp.css": "body{}",
	} {
		if rec := get(app, path); rec.Code != 200 || rec.Body.String() != want {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

// A file that the process may not read is none, and so is what a privileged one may.
func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	app := serve(t, static.Dir(fortress(t), "/static"))
	if rec := get(app, "/static/locked.txt"); rec.Code != 404 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}
