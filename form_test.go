package ishaa_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// part is a field of a multipart body: a file if it has a file name.
type part struct{ name, filename, content string }

// withParts sends a multipart form.
func withParts(parts ...part) requestOption {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, p := range parts {
		disposition := fmt.Sprintf(`form-data; name="%s"`, p.name)
		if p.filename != "" {
			disposition += fmt.Sprintf(`; filename="%s"`, strings.ReplaceAll(p.filename, `\`, `\\`))
		}
		// What a field is written to is memory.
		field, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {"image/png"}})
		io.WriteString(field, p.content)
	}
	w.Close()
	return withBody(w.FormDataContentType(), body.String())
}

func TestFormURLEncoded(t *testing.T) {
	app := newApp(t)
	app.Post("/", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		again, err := r.Form()
		if again != form || err != nil {
			t.Errorf("a second Form gives %p, %v, the first gave %p", again, err, form)
		}
		same(t, "Value", form.Value("a"), "1")
		same(t, "Value of none", form.Value("q"), "")
		same(t, "Has", []bool{form.Has("b"), form.Has("q")}, []bool{true, false})
		want := url.Values{"a": {"1", "x y"}, "b": {""}, "a[999999999]": {"sparse"}}
		same(t, "Values", form.Values(), want)
		form.Values()["a"][0] = "changed"
		same(t, "Values is a copy", form.Values(), want)
		same(t, "File", form.File("a"), (*ishaa.FormFile)(nil))
		same(t, "FileFields", len(form.FileFields()), 0)
		return nil, nil
	})
	do(t, app, "POST", "/?q=of-the-query", withBody("application/x-www-form-urlencoded", "a=1&b=&a=x+%79&a[999999999]=sparse")).want(t, 204)
}

func TestFormRefusals(t *testing.T) {
	pairs := func(n int) string { return strings.Repeat("a=1&", n-1) + "a=1" }
	parts := func(n int, filename string) requestOption {
		list := make([]part, n)
		for i := range list {
			list[i] = part{"f", filename, "x"}
		}
		return withParts(list...)
	}
	for _, c := range []struct {
		name   string
		body   requestOption
		status int
		detail string
	}{
		{"no type", withBody("", "a=1"), 415, "neither"},
		{"JSON", withBody("application/json", "{}"), 415, "neither"},
		{"another charset", withBody("application/x-www-form-urlencoded; charset=latin1", "a=1"), 415, "UTF-8"},
		{"a broken escape", withBody("application/x-www-form-urlencoded", "a=%zz"), 400, "hexadecimal"},
		{"not UTF-8", withBody("application/x-www-form-urlencoded", "a=%ff"), 400, "UTF-8"},
		{"1,000 fields are as many as there may be", withBody("application/x-www-form-urlencoded", pairs(1001)), 413, "more fields"},
		{"a flood of keys", withBody("application/x-www-form-urlencoded", pairs(200_000)), 413, "more fields"},
		{"multipart without a boundary", withBody("multipart/form-data", "x"), 400, "boundary"},
		{"multipart that ends too early", withBody("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx"), 400, "ends too early"},
		{"100 files are as many as there may be", parts(101, "a.png"), 413, "more files"},
		{"1,000 values likewise", parts(1001, ""), 413, "more fields"},
		{"a part with many headers", withBody("multipart/form-data; boundary=b",
			"--b\r\nContent-Disposition: form-data; name=a\r\n"+strings.Repeat("X: 1\r\n", 20_000)+"\r\nx\r\n--b--\r\n"), 413, "headers of a part"},
		{"a long preamble", withBody("multipart/form-data; boundary=b", strings.Repeat("x\r\n", 300<<10)+"--b--\r\n"), 413, "before the first boundary"},
		{"data after the last boundary", withBody("multipart/form-data; boundary=b",
			"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--\r\n"+strings.Repeat("x", 900<<10)), 400, "after the last boundary"},
		{"an option header to backtrack on", withBody(`multipart/form-data; !="`+strings.Repeat(`\\`, 8000)+`"; boundary=b`, "x"), 400, "Content-Type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			do(t, bodyApp(t), "POST", "/form", c.body).wantProblem(t, c.status, c.detail)
		})
	}
	do(t, bodyApp(t), "POST", "/form", withBody("application/x-www-form-urlencoded", pairs(1000))).want(t, 200)
}

func TestFormFiles(t *testing.T) {
	app := newApp(t)
	app.Post("/", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		same(t, "Value", form.Value("title"), "two pictures")
		same(t, "FileFields", form.FileFields(), []string{"cover", "photo"})
		same(t, "File of a value", form.File("title"), (*ishaa.FormFile)(nil))
		photos := form.Files("photo")
		if len(photos) != 2 {
			t.Fatalf("there are %d photos", len(photos))
		}
		same(t, "Name", []string{photos[0].Name(), photos[1].Name()}, []string{"a.png", "b.png"})
		same(t, "Size", photos[1].Size(), int64(len("second")))
		same(t, "ContentType", photos[1].ContentType(), "image/png")
		for range 2 { // each reader is one of its own
			content, err := photos[1].Open()
			if err != nil {
				return nil, err
			}
			data, err := io.ReadAll(content)
			same(t, "content", []any{string(data), err}, []any{"second", error(nil)})
			at := make([]byte, 3)
			if _, err := content.ReadAt(at, 2); err != nil || string(at) != "con" {
				t.Errorf("ReadAt gave %q, %v", at, err)
			}
			content.Close()
		}
		return nil, nil
	})
	do(t, app, "POST", "/", withParts(part{"title", "", "two pictures"}, part{"photo", "a.png", "first"},
		part{"cover", "c.png", ""}, part{"photo", "b.png", "second"})).want(t, 204)
}

// A name that a client gives is for display; no form of it leads anywhere.
func TestFormFileNamesAreHarmless(t *testing.T) {
	for raw, want := range map[string]string{
		"report.pdf": "report.pdf", "../../x": "x", "..": "", "a/../../b": "b", `C:\windows\win.ini`: "win.ini",
		"con.txt": "_con.txt", "run.exe. ": "run.exe", "\u202efdp.exe": "_fdp.exe", "a\x00b": "",
		strings.Repeat("é", 200) + ".png": strings.Repeat("é", 125) + ".png", "/etc/passwd": "passwd",
	} {
		app := newApp(t)
		app.Post("/", func(r *ishaa.Request) (any, error) {
			form, err := r.Form()
			if err != nil {
				return nil, err
			}
			file := form.File("f")
			if file.RawName() != raw {
				t.Errorf("RawName is %q, sent was %q", file.RawName(), raw)
			}
			return ishaa.Text(file.Name()), nil
		})
		res := do(t, app, "POST", "/", withParts(part{"f", raw, "x"}))
		if strings.Contains(raw, "\x00") {
			res.wantProblem(t, 400, "malformed")
			continue
		}
		if res.want(t, 200); res.body != want {
			t.Errorf("%q is shown as %q, want %q", raw, res.body, want)
		}
	}
}

// spooled lists what forms have left in the folder for temporary files, and the
// descriptors that are open on files there. A form's file has no name where the
// system can do without.
func spooled(t *testing.T, dir string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		open, _ := filepath.Glob("/proc/self/fd/*")
		for _, fd := range open {
			if target, err := os.Readlink(fd); err == nil && strings.HasPrefix(target, dir) {
				left = append(left, target)
			}
		}
	}
	return left
}

func TestFormFilesOnDiskAreRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	big := strings.Repeat("0123456789abcdef", 80<<10) // 1.25 MiB: over the limit of what stays in memory
	open := func(r *ishaa.Request) (*ishaa.Form, error) {
		form, err := r.Form()
		if err == nil && runtime.GOOS == "linux" && len(spooled(t, dir)) == 0 {
			t.Error("the file is not on disk")
		}
		return form, err
	}
	for _, c := range []struct {
		name string
		h    ishaa.Handler
	}{
		{"after the answer", func(r *ishaa.Request) (any, error) {
			form, err := open(r)
			if err != nil {
				return nil, err
			}
			content, err := form.File("f").Open()
			if err != nil {
				return nil, err
			}
			data, err := io.ReadAll(content) // left open: the form closes it
			if string(data) != big {
				t.Errorf("read %d bytes, %v", len(data), err)
			}
			return nil, err
		}},
		{"after an error", func(r *ishaa.Request) (any, error) {
			if _, err := open(r); err != nil {
				t.Error(err)
			}
			return nil, errBroken
		}},
		{"after a panic", func(r *ishaa.Request) (any, error) {
			if _, err := open(r); err != nil {
				t.Error(err)
			}
			panic("no")
		}},
		{"after the connection was cut", func(r *ishaa.Request) (any, error) {
			if _, err := open(r); err != nil {
				t.Error(err)
			}
			panic(http.ErrAbortHandler)
		}},
		{"after a stream of it", func(r *ishaa.Request) (any, error) {
			form, err := open(r)
			if err != nil {
				return nil, err
			}
			return form.File("f").Open()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t)
			app.Post("/", c.h, ishaa.BodyLimit(8<<20))
			res := do(t, app, "POST", "/", withParts(part{"f", "big.bin", big}))
			if c.name == "after a stream of it" && res.body != big {
				t.Errorf("the answer has %d bytes of %d", len(res.body), len(big))
			}
			if left := spooled(t, dir); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestFormFilesOnDiskAreRemovedWhenTheClientGoes(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	app := newApp(t)
	failed := make(chan error, 1)
	app.Post("/", func(r *ishaa.Request) (any, error) {
		_, err := r.Form()
		failed <- err
		return nil, err
	}, ishaa.BodyLimit(8<<20))
	s := serve(t, app)
	conn := s.dial()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 8000000\r\n\r\n"+
		"--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n%s", strings.Repeat("x", 2<<20))
	if runtime.GOOS == "linux" {
		eventually(t, "the file is on disk", func() bool { return len(spooled(t, dir)) > 0 })
	}
	conn.Close()
	if err := receive(t, "the form", failed); err == nil {
		t.Error("half a form is a form")
	}
	eventually(t, "nothing is left behind", func() bool { return len(spooled(t, dir)) == 0 })
}

// What a form held is gone with its request.
func TestFormFileAfterItsRequest(t *testing.T) {
	app := newApp(t)
	var kept *ishaa.FormFile
	app.Post("/", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err == nil {
			kept = form.File("f")
		}
		return nil, err
	}, ishaa.BodyLimit(8<<20))
	do(t, app, "POST", "/", withParts(part{"f", "f", strings.Repeat("x", 2<<20)})).want(t, 204)
	content, err := kept.Open()
	if err == nil {
		_, err = content.Read(make([]byte, 1))
	}
	if err == nil {
		t.Error("a file on disk can be read after its request")
	}
}
