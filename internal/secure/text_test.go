package secure

import (
	"encoding/json"
	"mime"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

func TestLocalRedirect(t *testing.T) {
	for _, target := range []string{"/", "/a", "/a/b?c=d#e", "/?next=//evil.example", "/view/?param=https://example.com", "/a#//x", "/url%20with%20spaces/",
		"/café", "/a:b", "/@a", "/...", "/a/.../b", "/.well-known/x", "/a//b", "/?a=/../b", "/a;b=c", "/%2F%2Fevil.example", "/日本?q=語"} {
		if !LocalRedirect(target) {
			t.Errorf("%q is refused", target)
		}
	}
	for _, target := range []string{"", "a", "//", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `\/evil.example`,
		`/a\..\..\evil`, "/?a=\\", "http://evil.example", "HTTP://evil.example", "javascript:alert(1)", "data:text/html,x", "?a", "#a", "https:evil.example", "https:/evil.example",
		"/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example", "/ /evil.example", "/a\r\nSet-Cookie: a=b", "/\x00", "/\x7f", "/a ", " /a",
		"/./", "/.//evil.example", "/..//evil.example", "/x/..//evil.example", "/x/%2e%2E//evil.example", "/%2e//evil.example", "/a/..", "/a/.%2e/b",
		"/\u2028/evil.example", "/\u00a0/evil.example", "/\u3000/a", "/\u202e/a", "/\ufeff/a", "/\x80", "/\xff", "/\u0085"} {
		if LocalRedirect(target) {
			t.Errorf("%q is accepted", target)
		}
	}
}

func TestLocalRedirectOnTheConformanceTable(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testenv.Conformance(t), "defaults", "redirect_hosts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Bad  []string `json:"redirect_bad"`
		Good []string `json:"redirect_good"`
	}
	if err := json.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	if len(table.Bad) < 30 || len(table.Good) == 0 {
		t.Fatalf("the table has %d bad and %d good targets", len(table.Bad), len(table.Good))
	}
	for _, target := range table.Bad {
		if LocalRedirect(target) {
			t.Errorf("bad target %q is accepted", target)
		}
	}
	// Absolute targets on the own host, and relative ones, are not local paths; the rest must pass.
	for _, target := range table.Good {
		if want := strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//"); LocalRedirect(target) != want {
			t.Errorf("good target %q: accepted is %v, want %v", target, !want, want)
		}
	}
}

// whatwg resolves as browsers do where they differ from RFC 3986: controls and spaces around are dropped, tabs and line breaks
// anywhere, and a backslash is a slash.
func whatwg(target string) (*url.URL, error) {
	target = strings.TrimFunc(target, func(r rune) bool { return r <= ' ' })
	target = strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(target)
	base := &url.URL{Scheme: "https", Host: "shop.example", Path: "/a/b"}
	return base.Parse(target)
}

func FuzzLocalRedirect(f *testing.F) {
	for _, s := range []string{"/", "//evil.example", `/\evil.example`, "/\t/evil.example", "/.//evil", "/x/%2e%2e//evil.example", "/a?b=c#d", "/ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if !LocalRedirect(target) {
			return
		}
		if !ValidHeaderValue(target) || !utf8.ValidString(target) {
			t.Fatalf("%q does not fit into a header", target)
		}
		u, err := whatwg(target)
		if err != nil {
			return // an escape that Go refuses, as in "/%zz": a browser keeps it as it is
		}
		if u.Host != "shop.example" || u.Scheme != "https" || strings.HasPrefix(u.EscapedPath(), "//") {
			t.Fatalf("%q leads to %v", target, u)
		}
	})
}

// CVE-2021-28658, CVE-2021-31542, CVE-2021-45452, CVE-2024-39330, CVE-2026-24486, GHSA-hgf8.
func TestBaseName(t *testing.T) {
	for raw, want := range map[string]string{
		"photo.jpg": "photo.jpg", "../../x": "x", "..": "", ".": "", "": "", "/": "", "a/../../b": "b", "a/b/": "", "a/..": "",
		`..\..\x`: "x", `C:\Users\me\x.txt`: "x.txt", `\\server\share\x`: "x", "C:x.txt": "C_x.txt", "a.txt::$DATA": "a.txt__$DATA",
		"shell.php\x00.jpg": "shell.php_.jpg", "a\r\nb": "a__b", "a\tb": "a_b", "\x1b[31m": "_[31m", "a\x7f": "a_", "a\u0085b": "a_b",
		"exe.\u202egpj": "exe._gpj", "a\u2066b": "a_b", "a\u200fb": "a_b", "a\ufeffb": "a_b",
		"\xff\xfe": "__", "a\xc3": "a_", " a ": "a", "\u3000a\u00a0": "a", "run.exe. ": "run.exe", "run.exe...": "run.exe", "... ": "", ".htaccess": ".htaccess", "...a": "...a",
		"NUL": "_NUL", "nul": "_nul", "CON.txt": "_CON.txt", "con .txt": "_con .txt", "COM1": "_COM1", "lpt9.tar.gz": "_lpt9.tar.gz", "COM¹": "_COM¹", "CONIN$": "_CONIN$", "aux.": "_aux",
		"COM10": "COM10", "CONSOLE": "CONSOLE", "x/NUL": "_NUL", "naïve ü.pdf": "naïve ü.pdf", "日本語.txt": "日本語.txt", `what "is" this?.pdf`: `what "is" this?.pdf`,
		strings.Repeat("a", 300) + ".jpg":     strings.Repeat("a", 251) + ".jpg",
		strings.Repeat("ü", 300) + ".jpg":     strings.Repeat("ü", 125) + ".jpg",
		strings.Repeat("a", 300):              strings.Repeat("a", 255),
		"a." + strings.Repeat("b", 300):       "a." + strings.Repeat("b", 253),
		strings.Repeat("../", 100_000) + "x":  "x",
		strings.Repeat("x", 1<<20) + ".jpeg":  strings.Repeat("x", 250) + ".jpeg",
		"/" + strings.Repeat(" ", 255) + ".a": ".a",
	} {
		if got := BaseName(raw); got != want {
			t.Errorf("BaseName(%.60q) = %.300q, want %.300q", raw, got, want)
		}
	}
}

// CVE-2023-29401, CVE-2022-36359.
func TestContentDisposition(t *testing.T) {
	for _, c := range []struct{ name, kind, filename, want string }{
		{"plain", "attachment", "report 2024.pdf", `attachment; filename="report 2024.pdf"`},
		{"inline", "inline", "a.png", `inline; filename="a.png"`},
		{"any other kind is attachment", "evil\r\nX: y", "a", `attachment; filename="a"`},
		{"Gin's", "attachment", `setup.bat";x=.txt`, `attachment; filename="setup.bat__x=.txt"; filename*=UTF-8''setup.bat%22%3Bx%3D.txt`},
		{"Django's", "attachment", `a\".bat`, `attachment; filename="_.bat"; filename*=UTF-8''%22.bat`},
		{"line breaks", "attachment", "a\r\nSet-Cookie: b=c", `attachment; filename="a__Set-Cookie_ b=c"`},
		{"paths", "attachment", "../../etc/passwd", `attachment; filename="passwd"`},
		{"nothing left", "attachment", "..", `attachment; filename="download"`},
		{"letters", "attachment", "naïve €.txt", `attachment; filename="na_ve _.txt"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt`},
		{"percent", "attachment", "100%.txt", `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`},
		{"percent escape", "attachment", "a%22.bat", `attachment; filename="a_22.bat"; filename*=UTF-8''a%2522.bat`},
		{"reversed", "attachment", "\u202efdp.exe", `attachment; filename="_fdp.exe"`},
		{"device", "attachment", "CON", `attachment; filename="_CON"`},
		{"dots behind", "attachment", "setup.exe. .", `attachment; filename="setup.exe"`},
		{"star", "attachment", "*.txt", `attachment; filename="_.txt"; filename*=UTF-8''%2A.txt`},
		{"apostrophe", "attachment", "it's", `attachment; filename="it's"`},
		{"apostrophe encoded", "attachment", "it's ü", `attachment; filename="it's _"; filename*=UTF-8''it%27s%20%C3%BC`},
	} {
		got := ContentDisposition(c.kind, c.filename)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The law: what is written is read back as the base name, and nothing else comes with it.
func FuzzContentDisposition(f *testing.F) {
	for _, s := range []string{"a.txt", `setup.bat";x=.txt`, "../../x", "naïve.txt", "a\r\nb", "\xff", "100%", `\`, "\u202e", "*'%", ". .", "NUL"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, filename string) {
		name := BaseName(filename)
		if again := BaseName(name); again != name {
			t.Fatalf("BaseName of %q is %q, of that %q", filename, name, again)
		}
		if len(name) > 255 || !utf8.ValidString(name) || strings.ContainsAny(name, "/\\:\x00\r\n") || name == "." || name == ".." {
			t.Fatalf("BaseName of %q is %q", filename, name)
		}
		if name == "" {
			name = "download"
		}
		value := ContentDisposition("attachment", filename)
		kind, parameters, err := mime.ParseMediaType(value)
		if err != nil || kind != "attachment" || len(parameters) != 1 || parameters["filename"] != name {
			t.Fatalf("%q became %s, which is read as %q %q, %v; want %q", filename, value, kind, parameters, err, name)
		}
		for i := range len(value) {
			if value[i] < ' ' || value[i] >= 0x7f {
				t.Fatalf("%q is not plain ASCII", value)
			}
		}
	})
}

// CVE-2020-36567, CVE-2025-48432, CVE-2026-42507.
func TestLogText(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", "/a/b?c=d": "/a/b?c=d", "über 日本 😀": "über 日本 😀", `say "hi"`: `say "hi"`,
		"\n[fake] 200": `\n[fake] 200`, "a\r\nb": `a\r\nb`, "\x1b[31mred": `\x1b[31mred`, "a\tb": `a\tb`, "\x00": `\x00`, "\x7f": `\x7f`,
		`C:\n`: `C:\\n`, "\u0085": `\u0085`, "\u2028": `\u2028`, "\u202etxt.exe": `\u202etxt.exe`, "\u2066": `\u2066`, "\u200b": `\u200b`, "\ufeff": `\ufeff`,
		"\xff": `\xff`, "a\xc3": `a\xc3`, "\ufffd": "\ufffd", "\u00a0": `\u00a0`, "\U000e0041": `\U000e0041`, "\x9b31m": `\x9b31m`, "\u009b": `\u009b`,
		strings.Repeat("a", 1024):                    strings.Repeat("a", 1024),
		strings.Repeat("a", 1025):                    strings.Repeat("a", 1024) + `\… (1 more bytes)`,
		strings.Repeat("a", 1023) + "ü":              strings.Repeat("a", 1023) + `\… (2 more bytes)`,
		strings.Repeat("a", 1024) + "\nb":            strings.Repeat("a", 1024) + `\… (2 more bytes)`,
		"\n" + strings.Repeat("\x80", 1023) + "\x80": `\n` + strings.Repeat(`\x80`, 1020) + `\… (4 more bytes)`,
	} {
		if got := LogText(raw); got != want {
			t.Errorf("LogText(%.60q) = %.80s…%d bytes, want %.80s…%d bytes", raw, got, len(got), want, len(want))
		}
	}
	for _, clean := range []string{"/a/b", "über 日本", strings.Repeat("x", 1024)} {
		if n := testing.AllocsPerRun(100, func() { LogText(clean) }); n != 0 {
			t.Errorf("%.20q: %v allocations", clean, n)
		}
	}
}

// The law: nothing unprintable comes out, the length is bounded, and the original can be told from what comes out.
func FuzzLogText(f *testing.F) {
	for _, s := range []string{"a", "a\nb", `\n`, "\x1b[2J", "\u202e", "\xff\xc3", strings.Repeat("ü", 600), "\U000e0041"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := LogText(s)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("LogText(%q) = %q", s, got)
			}
		}
		if len(got) > 10*1024+64 {
			t.Fatalf("%d bytes became %d", len(s), len(got))
		}
		if len(s) > maxLogText {
			return
		}
		back, err := strconv.Unquote(`"` + strings.ReplaceAll(got, `"`, `\"`) + `"`)
		if err != nil || back != s {
			t.Fatalf("%q became %q, which is read back as %q, %v", s, got, back, err)
		}
	})
}

func BenchmarkLogText(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		LogText("/customers/42/orders?limit=50&sort=name")
	}
}
