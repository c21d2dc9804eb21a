package multiform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

const boundary = "XbOuNdArYX"

// part writes one part of a multipart body; disposition follows "form-data; ".
func part(disposition, content string, headers ...string) string {
	return "--" + boundary + "\r\nContent-Disposition: form-data; " + disposition + "\r\n" +
		strings.Join(append(headers, ""), "\r\n") + "\r\n" + content + "\r\n"
}

func body(parts ...string) string { return strings.Join(parts, "") + "--" + boundary + "--\r\n" }

const contentType = "multipart/form-data; boundary=" + boundary

func parseIn(t *testing.T, text string, l Limits) (*Form, error) {
	t.Helper()
	l.TempDir = t.TempDir()
	form, err := Parse(strings.NewReader(text), contentType, l)
	t.Cleanup(func() {
		form.Close()
		wantEmpty(t, l.TempDir)
	})
	if err != nil {
		wantEmpty(t, l.TempDir)
	}
	return form, err
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d temporary files are left, the first is %s", len(left), left[0].Name())
	}
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Status != status || e.HTTPStatus() != status {
		t.Fatalf("error is %v, want an *Error with status %d", err, status)
	}
}

func readAll(t *testing.T, f *File) string {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMultipartKeepsNamesValuesFilesAndOrder(t *testing.T) {
	form, err := parseIn(t, body(
		part(`name="title"`, "Grüße"),
		part(`name="photo"; filename="a.png"`, "PNG", "Content-Type: image/png"),
		part(`name="title"`, "second"),
		part(`name="photo"; filename=""`, "", "Content-Type: application/octet-stream"),
		part(`name="a[999999999]"`, "1"),
		part(`name="photo"; filename="empty.txt"`, ""),
		part(`name="a[-1]"`, ""),
	), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"title": {"Grüße", "second"}, "a[999999999]": {"1"}, "a[-1]": {""}}
	if !reflect.DeepEqual(map[string][]string(form.Values), want) {
		t.Errorf("values are %v, want %v", form.Values, want)
	}
	var order []string
	for _, e := range form.Order {
		if e.File != nil {
			order = append(order, e.Name+"="+e.File.Filename)
		} else {
			order = append(order, e.Name)
		}
	}
	if got := strings.Join(order, " "); got != "title photo=a.png title a[999999999] photo=empty.txt a[-1]" {
		t.Errorf("order is %s", got)
	}
	photos := form.Files["photo"]
	if len(photos) != 2 || readAll(t, photos[0]) != "PNG" || photos[0].ContentType != "image/png" || photos[0].Size != 3 || photos[1].Size != 0 {
		t.Errorf("files are %+v", photos)
	}
}

func TestMultipartAgreesWithTheWriterOfTheStandardLibrary(t *testing.T) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.WriteField(`quote " and \ back`, "v\r\n--not the boundary\r\n")
	f, _ := w.CreateFormFile("f", `na"me.bin`)
	f.Write(bytes.Repeat([]byte{0, 1, '\r', '\n', '-'}, 10000))
	w.Close()
	form, err := Parse(&b, w.FormDataContentType(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer form.Close()
	if form.Values.Get(`quote " and \ back`) != "v\r\n--not the boundary\r\n" {
		t.Errorf("values are %q", form.Values)
	}
	if file := form.Files["f"][0]; file.RawFilename != `na"me.bin` || file.Size != 50000 {
		t.Errorf("file is %q of %d bytes", file.RawFilename, file.Size)
	}
}

func TestFilesBeyondMemoryAreSpooledAndRemoved(t *testing.T) {
	small, big, after := strings.Repeat("s", 60), strings.Repeat("b", 100_000), strings.Repeat("a", 50)
	dir := t.TempDir()
	form, err := Parse(strings.NewReader(body(
		part(`name="f"; filename="small"`, small),
		part(`name="f"; filename="big"`, big),
		part(`name="v"`, "value"),
		part(`name="f"; filename="after"`, after),
		part(`name="f"; filename="fits"`, "1234"),
	)), contentType, Limits{MaxMemory: 100, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	files := form.Files["f"]
	for i, want := range []string{small, big, after, "1234"} {
		if got := readAll(t, files[i]); got != want || files[i].Size != int64(len(want)) {
			t.Errorf("file %d has %d bytes, want %d", i, len(got), len(want))
		}
	}
	for i, spooled := range []bool{false, true, true, false} {
		if (files[i].spool != nil) != spooled {
			t.Errorf("file %d: spooled is %v, want %v", i, !spooled, spooled)
		}
	}
	r, _ := files[1].Open()
	if n, err := r.Seek(-10, io.SeekEnd); n != 99_990 || err != nil {
		t.Errorf("Seek gave %d, %v", n, err)
	}
	two := make([]byte, 20)
	if n, err := r.ReadAt(two, 99_990); n != 10 || err != io.EOF {
		t.Errorf("ReadAt past the end of a file gave %d, %v: it must not read the next one", n, err)
	}
	if err := form.Close(); err != nil {
		t.Error(err)
	}
	if err := form.RemoveAll(); err != nil {
		t.Errorf("the second Close says %v", err)
	}
	if _, err := r.Read(two); !errors.Is(err, os.ErrClosed) {
		t.Errorf("reading after Close gave %v, want os.ErrClosed", err)
	}
	r.Close()
	if _, err := r.Read(two); !errors.Is(err, os.ErrClosed) {
		t.Errorf("reading a closed content gave %v, want os.ErrClosed", err)
	}
	wantEmpty(t, dir)
}

func TestErrorAfterSpoolingLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	before := openFiles(t)
	for range 20 {
		_, err := Parse(strings.NewReader(part(`name="f"; filename="big"`, strings.Repeat("b", 1000))+"--"+boundary+"\r\nbroken"),
			contentType, Limits{MaxMemory: 10, TempDir: dir})
		wantStatus(t, err, 400)
	}
	wantEmpty(t, dir)
	if after := openFiles(t); after > before+5 {
		t.Errorf("%d files were open before and %d after", before, after)
	}
	_, err := Parse(strings.NewReader(body(part(`name="f"; filename="big"`, "0123456789"))), contentType,
		Limits{MaxMemory: 1, TempDir: dir + "/absent"})
	wantStatus(t, err, 500)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the cause of %v is not os.ErrNotExist", err)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not list a process's open files in /proc/self/fd")
	}
	return len(open)
}

// CVE-2021-28658, CVE-2021-31542, CVE-2021-45452, CVE-2024-39330, CVE-2026-24486.
func TestFilenamesAreStrippedOfPaths(t *testing.T) {
	for raw, want := range map[string]string{
		"../../x": "x", "..": "", "a/../../b": "b", `..\..\x`: "x", `C:\\temp\\x.txt`: "x.txt", "a/b/": "", "NUL": "_NUL",
	} {
		form, err := parseIn(t, body(part(`name="f"; filename="`+raw+`"`, "x")), Limits{})
		if err != nil {
			t.Errorf("%q: %v", raw, err)
			continue
		}
		if got := form.Files["f"][0]; got.Filename != want {
			t.Errorf("file name %q became %q, want %q", raw, got.Filename, want)
		}
	}
	// A NUL cannot even stand in a header.
	_, err := parseIn(t, body(part("name=\"f\"; filename=\"a\x00.png\"", "x")), Limits{})
	wantStatus(t, err, 400)
}

func TestContentTypeDecides(t *testing.T) {
	for _, c := range []struct {
		name, contentType string
		status            int
	}{
		{"absent", "", 415},
		{"JSON", "application/json", 415},
		{"plain text, of which a browser sends any without asking (CVE-2021-32677)", "text/plain", 415},
		{"another multipart", "multipart/mixed; boundary=x", 415},
		{"no boundary", "multipart/form-data", 400},
		{"empty boundary", `multipart/form-data; boundary=""`, 400},
		{"boundary of 71 characters", "multipart/form-data; boundary=" + strings.Repeat("b", 71), 400},
		{"boundary with a control", "multipart/form-data; boundary=\"a\tb\"", 400},
		{"two boundaries", "multipart/form-data; boundary=a; boundary=b", 400},
		{"backslashes (CVE-2024-24762)", `multipart/form-data; !="` + strings.Repeat(`\\`, 8000) + `; boundary=`, 400},
		{"backslashes below the length limit", `multipart/form-data; !="` + strings.Repeat(`\\`, 400) + `; boundary=`, 400},
		{"a thousand parameters", "multipart/form-data" + strings.Repeat(";a=b", 20000), 400},
		{"charset of form", "application/x-www-form-urlencoded; charset=iso-8859-1", 415},
		{"broken parameters of a form", "application/x-www-form-urlencoded; charset", 400},
	} {
		_, err := Parse(strings.NewReader("a=1"), c.contentType, Limits{})
		t.Run(c.name, func(t *testing.T) { wantStatus(t, err, c.status) })
	}
	for name, c := range map[string][3]string{
		"backslashes": {`multipart/form-data; !="`, `\\`, `; boundary=`}, "parameters": {"multipart/form-data", ";a=b", ""},
	} {
		for _, size := range []int{100, 2500} { // below the length limit and above it
			testenv.Linear(t, name, size, func(n int) func() {
				line := c[0] + strings.Repeat(c[1], n) + c[2]
				return func() { _, _ = Parse(strings.NewReader("a=1"), line, Limits{}) }
			})
		}
	}
	for _, ok := range []string{"application/x-www-form-urlencoded", "Application/X-WWW-Form-URLEncoded; Charset=UTF-8"} {
		if form, err := Parse(strings.NewReader("a=1"), ok, Limits{}); err != nil || form.Values.Get("a") != "1" {
			t.Errorf("%s: %v", ok, err)
		}
	}
}

// endless repeats a text and counts what is taken of it; a parser that wants all of it never ends.
type endless struct {
	head, repeat string
	at           int
	taken        int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.head)
	e.head = e.head[n:]
	for n < len(p) {
		copied := copy(p[n:], e.repeat[e.at:])
		n, e.at = n+copied, (e.at+copied)%len(e.repeat)
	}
	e.taken += int64(n)
	return n, nil
}

// Each body never ends, so passing means that it was cut off, and the count says where.
func TestFloodsAreCutOff(t *testing.T) {
	for _, c := range []struct {
		name         string
		head, repeat string
		most         int64
		status       int
	}{
		{"preamble (CVE-2026-40347)", "", "no boundary in sight\r\n", 16 * kib, 413},
		{"preamble of one line", "", "no boundary in sight ", 16 * kib, 400},
		{"20,000 headers of a part (CVE-2026-42561)", "--" + boundary + "\r\n", "X-A: b\r\n", 32 * kib, 413},
		{"one header line (CVE-2023-45290)", "--" + boundary + "\r\nX-A: ", "bbbbbbbb", 32 * kib, 413},
		{"continued header line", "--" + boundary + "\r\nX-A: b\r\n", " c\r\n", 32 * kib, 413},
		{"text field without a file name (CVE-2024-47874)", strings.TrimSuffix(part(`name="t"`, ""), "\r\n"), "text ", 2 * mib, 413},
		{"fields (CVE-2023-30798)", "", part(`name="t"`, "v"), 200 * kib, 413},
		{"files", "", part(`name="t"; filename="f"`, "v"), 200 * kib, 413},
		{"parts that are nothing (CVE-2022-41725)", "", part(`name="t"; filename=""`, ""), 200 * kib, 413},
		{"fields with one long name each", "", part(`name="`+strings.Repeat("n", 7000)+`"`, ""), 10 * mib, 413},
		{"a file", strings.TrimSuffix(part(`name="t"; filename="f"`, ""), "\r\n"), "text ", 33 * mib, 413},
		{"data after the last boundary (CVE-2024-53981)", body(part(`name="t"`, "v")), "\r\n", 32 * kib, 400},
		{"nested boundaries", "", "--" + boundary + "\r\n", 32 * kib, 400},
		{"garbage between parts", part(`name="t"`, "v") + "--" + boundary + "garbage", "\r\n", 2 * mib, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := &endless{head: c.head, repeat: c.repeat}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			dir := t.TempDir()
			var err error
			spent := testenv.Spent(func() { _, err = Parse(source, contentType, Limits{TempDir: dir}) })
			wantStatus(t, err, c.status)
			wantEmpty(t, dir)
			runtime.ReadMemStats(&after)
			if source.taken > c.most {
				t.Errorf("%d bytes were read, want at most %d", source.taken, c.most)
			}
			if spent > 5*time.Second {
				t.Errorf("took %v of the processor", spent)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 8*uint64(min(c.most, 8*mib))+4*mib {
				t.Errorf("%d KiB were allocated", grown>>10)
			}
		})
	}
}

func TestLimitsAreExact(t *testing.T) {
	value := part(`name="t"`, "12345")
	file := part(`name="t"; filename="f"`, "12345")
	for _, c := range []struct {
		name   string
		text   string
		limits Limits
		ok     bool
	}{
		{"whole body fits", body(value), Limits{MaxBytes: int64(len(body(value)))}, true},
		{"whole body is one byte over", body(value), Limits{MaxBytes: int64(len(body(value)) - 1)}, false},
		{"value fits", body(value), Limits{MaxValueBytes: 5}, true},
		{"value is one byte over", body(value), Limits{MaxValueBytes: 4}, false},
		{"a file is not a value", body(file), Limits{MaxValueBytes: 1, MaxFormBytes: 1}, true},
		{"names and values fit", body(value, value), Limits{MaxFormBytes: 12}, true},
		{"names and values are one byte over", body(value, value), Limits{MaxFormBytes: 11}, false},
		{"fields fit", body(value, value, file), Limits{MaxFields: 2}, true},
		{"one field too many", body(value, value, value), Limits{MaxFields: 2}, false},
		{"files fit", body(file, file, value), Limits{MaxFiles: 2}, true},
		{"one file too many", body(file, file, file), Limits{MaxFiles: 2}, false},
		{"parts fit", body(file, value), Limits{MaxParts: 2}, true},
		{"one part too many", body(file, value, value), Limits{MaxParts: 2}, false},
		{"headers fit", body(part(`name="t"`, "", "X-A: 1")), Limits{MaxPartHeaders: 2}, true},
		{"one header too many", body(part(`name="t"`, "", "X-A: 1", "X-A: 1")), Limits{MaxPartHeaders: 2}, false},
		{"header bytes over", body(part(`name="t"`, "", "X-A: "+strings.Repeat("1", 100))), Limits{MaxHeaderBytes: 100}, false},
		{"no limits at all", body(value, file), Limits{-1, -1, -1, -1, -1, -1, -1, -1, -1, ""}, true},
	} {
		_, err := parseIn(t, c.text, c.limits)
		if c.ok && err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !c.ok {
			t.Run(c.name, func(t *testing.T) { wantStatus(t, err, 413) })
		}
	}
}

func TestMalformedMultipartIsRefused(t *testing.T) {
	good := part(`name="t"`, "v")
	for name, text := range map[string]string{
		"empty body":                       "",
		"no boundary at all":               "a=1&b=2",
		"no last boundary":                 good,
		"cut in a header":                  good[:30],
		"cut in a value":                   good[:len(good)-2],
		"no disposition":                   "--" + boundary + "\r\nContent-Type: text/plain\r\n\r\nv\r\n" + body(),
		"no name":                          body(part(`filename="f"`, "v")),
		"not form-data":                    strings.Replace(body(good), "form-data", "attachment", 1),
		"two dispositions":                 body(part(`name="t"`, "v", `Content-Disposition: form-data; name="u"`)),
		"name twice":                       body(part(`name="t"; name="u"`, "v")),
		"file name twice":                  body(part(`name="t"; filename="a"; filename="b"`, "v")),
		"header without a colon":           body(part(`name="t"`, "v", "nonsense")),
		"name that is not UTF-8":           body(part("name=\"\xff\"", "v")),
		"value that is not UTF-8":          body(part(`name="t"`, "\xc3\x28")),
		"quoted-printable":                 body(part(`name="t"`, "=41", "Content-Transfer-Encoding: quoted-printable")),
		"base64":                           body(part(`name="t"`, "QQ==", "Content-Transfer-Encoding: BASE64")),
		"epilogue beyond a few kilobytes":  body(good) + strings.Repeat("x", 16*kib),
		"4 MiB after the last boundary":    body(good) + strings.Repeat("x", 4*mib),
		"backslashes in a disposition":     body(part(`name="t"; !="`+strings.Repeat(`\\`, 3000), "v")),
		"line break in a quoted file name": body(part("name=\"t\"; filename=\"a\r\nX: y\"", "v")),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseIn(t, text, Limits{})
			wantStatus(t, err, 400)
		})
	}
}

// CVE-2026-42507: what the client sent does not get into errors, and so not into logs.
func TestErrorsDoNotQuoteTheBody(t *testing.T) {
	for _, text := range []string{
		body(part(`name="t"`, "v", "SECRET\x1b[31m without colon")),
		part(`name="t"`, "v") + "--" + boundary + "SECRET\r\n",
		part(`name="t"`, "v")[:20] + "SECRET",
	} {
		_, err := parseIn(t, text, Limits{})
		for e := err; e != nil; e = errors.Unwrap(e) {
			if _, ours := e.(*Error); ours && strings.Contains(fmt.Sprintf("%v", e), "SECRET") {
				t.Errorf("the error quotes the body: %v", e)
			}
		}
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("error is %v", err)
		}
	}
}

func TestSmallEpilogueAndPreambleAreAllowed(t *testing.T) {
	for name, text := range map[string]string{
		"preamble":              "This is a multi-part message.\r\n" + body(part(`name="t"`, "v")),
		"no final line break":   strings.TrimSuffix(body(part(`name="t"`, "v")), "\r\n"),
		"line breaks at end":    body(part(`name="t"`, "v")) + "\r\n\r\n",
		"bare line feeds":       strings.ReplaceAll(body(part(`name="t"`, "v")), "\r\n", "\n"),
		"spaces after boundary": strings.Replace(body(part(`name="t"`, "v")), boundary+"\r\n", boundary+"  \r\n", 1),
	} {
		form, err := parseIn(t, text, Limits{})
		if err != nil || form.Values.Get("t") != "v" {
			t.Errorf("%s: %v, %v", name, form, err)
		}
	}
	if form, err := parseIn(t, "--"+boundary+"--\r\n", Limits{}); err != nil || len(form.Order) != 0 {
		t.Errorf("a form without fields gave %v, %v", form, err)
	}
}

func TestReadFailuresKeepTheirCause(t *testing.T) {
	gone := errors.New("connection reset")
	for _, kind := range []string{contentType, "application/x-www-form-urlencoded"} {
		_, err := Parse(io.MultiReader(strings.NewReader("--"+boundary), failing{gone}), kind, Limits{})
		wantStatus(t, err, 400)
		if !errors.Is(err, gone) {
			t.Errorf("%s: the cause of %v is lost", kind, err)
		}
		_, err = Parse(http.MaxBytesReader(nil, io.NopCloser(strings.NewReader(body(part(`name="t"; filename="f"`, strings.Repeat("x", 9999))))), 5000), kind, Limits{})
		wantStatus(t, err, 413)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
