package ishaa_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// bindLevel is a type of the program's own.
type bindLevel int

func (l *bindLevel) UnmarshalText(text []byte) error {
	for i, name := range []string{"low", "high"} {
		if name == string(text) {
			*l = bindLevel(i)
			return nil
		}
	}
	return errors.New("must be low or high")
}

func (l bindLevel) MarshalText() ([]byte, error) { return []byte([]string{"low", "high"}[l]), nil }

// BindPaging is shared by embedding.
type BindPaging struct {
	Page int `query:"page" default:"1" minimum:"1"`
	Size int `query:"size" default:"20" minimum:"1" maximum:"100"`
}

type bindIn struct {
	ID   int64  `path:"id" maximum:"1000"`
	Slug string `path:"slug" minLength:"2"`
	BindPaging
	S      string        `query:"s" maxLength:"5"`
	I      int           `query:"i"`
	I8     int8          `query:"i8"`
	U      uint16        `query:"u"`
	F      float64       `query:"f" minimum:"0.5"`
	B      bool          `query:"b"`
	PS     *string       `query:"ps"`
	PI     *int          `query:"pi"`
	PB     *bool         `query:"pb"`
	When   time.Time     `query:"when"`
	For    time.Duration `query:"for"`
	Level  bindLevel     `query:"level"`
	Addr   netip.Addr    `query:"addr"`
	Sort   string        `query:"sort" enum:"name,age" default:"name"`
	Tags   []string      `query:"tag" maxItems:"3"`
	IDs    []int         `query:"ids" explode:"false"`
	Email  string        `query:"email" format:"email"`
	Secret string        `query:"secret" secret:"true" minLength:"8"`
	Agent  string        `header:"x-agent"`
	Langs  []string      `header:"Accept-Language"`
	Theme  string        `cookie:"theme" default:"light"`
	Left   string        `bind:"-"`
}

// bindText is what a handler saw, without the fields that are as they are when
// nothing is given.
func bindText(in *bindIn) string {
	base := bindIn{ID: 7, Slug: "ab", BindPaging: BindPaging{1, 20}, Sort: "name", Theme: "light"}
	var out []string
	got, want := reflect.ValueOf(*in), reflect.ValueOf(base)
	for i := range got.NumField() {
		field := got.Type().Field(i)
		if reflect.DeepEqual(got.Field(i).Interface(), want.Field(i).Interface()) {
			continue
		}
		value := got.Field(i)
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		if value.Kind() == reflect.String {
			out = append(out, fmt.Sprintf("%s=%q", field.Name, value))
			continue
		}
		out = append(out, fmt.Sprintf("%s=%v", field.Name, value))
	}
	return strings.Join(out, " ")
}

func bindApp() *ishaa.App {
	app := ishaa.New("bind", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Without("csrf")
	ishaa.Get(app, "/things/<int:id>/<slug:slug>", func(_ context.Context, in *bindIn) (*ishaa.Response, error) {
		return ishaa.Text(bindText(in)), nil
	})
	return app
}

// violationsOf gives a 422 as "in pointer rule=value; …".
func violationsOf(t *testing.T, body string) string {
	t.Helper()
	var problem struct {
		Status int
		Errors []struct {
			In, Pointer, Rule, Message string
			Value                      any
		}
	}
	if err := json.Unmarshal([]byte(body), &problem); err != nil {
		t.Fatalf("not a problem: %s", body)
	}
	var out []string
	for _, e := range problem.Errors {
		if e.Message == "" {
			t.Errorf("violation %s %s has no message", e.Pointer, e.Rule)
		}
		text := e.In + " " + e.Pointer + " " + e.Rule
		if e.Value != nil {
			text += fmt.Sprintf("=%v", e.Value)
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestBindParameters(t *testing.T) {
	app := bindApp()
	for _, test := range []struct {
		target string
		header string // "Name: value", several by "\n"
		want   string // what was bound, or for 422 the violations
		status int
	}{
		{target: "", want: ""},
		// Text.
		{target: "?s=abc", want: `S="abc"`},
		{target: "?s=", want: ""},
		{target: "?s=%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9", want: `S="ééééé"`},
		{target: "?s=a+b%26c", want: `S="a b&c"`},
		{target: "?s=toolong", want: "query /s maxLength=toolong", status: 422},
		{target: "?s=a&s=b", want: "query /s single", status: 422},
		{target: "?S=abc", want: ""},
		// Whole numbers.
		{target: "?i=5", want: "I=5"},
		{target: "?i=-5", want: "I=-5"},
		{target: "?i=0", want: ""},
		{target: "?i=007", want: "I=7"},
		{target: "?i=", want: "query /i type=", status: 422},
		{target: "?i=x", want: "query /i type=x", status: 422},
		{target: "?i=1.5", want: "query /i type=1.5", status: 422},
		{target: "?i=+5", want: "query /i type= 5", status: 422},
		{target: "?i=0x10", want: "query /i type=0x10", status: 422},
		{target: "?i=99999999999999999999", status: 422},
		{target: "?i8=127", want: "I8=127"},
		{target: "?i8=128", status: 422},
		{target: "?i8=-129", status: 422},
		{target: "?u=65535", want: "U=65535"},
		{target: "?u=65536", status: 422},
		{target: "?u=-1", status: 422},
		// Numbers.
		{target: "?f=0.5", want: "F=0.5"},
		{target: "?f=1e3", want: "F=1000"},
		{target: "?f=0.4", want: "query /f minimum=0.4", status: 422},
		{target: "?f=NaN", status: 422},
		{target: "?f=Inf", status: 422},
		{target: "?f=1,5", status: 422},
		// Booleans.
		{target: "?b=true", want: "B=true"},
		{target: "?b=1", want: "B=true"},
		{target: "?b=on", want: "B=true"},
		{target: "?b=false", want: ""},
		{target: "?b=0", want: ""},
		{target: "?b=yes", want: "query /b type=yes", status: 422},
		{target: "?b", want: "query /b type=", status: 422},
		// Presence against the zero value.
		{target: "?ps=", want: `PS=""`},
		{target: "?ps=x", want: `PS="x"`},
		{target: "?pi=0", want: "PI=0"},
		{target: "?pb=false", want: "PB=false"},
		{target: "?sort=", want: "query /sort enum=", status: 422},
		{target: "?page=0", want: "query /page minimum=0", status: 422},
		// Defaults and embedded structs.
		{target: "?sort=age", want: `Sort="age"`},
		{target: "?sort=height", want: "query /sort enum=height", status: 422},
		{target: "?page=2&size=50", want: "BindPaging={2 50}"},
		{target: "?size=101", want: "query /size maximum=101", status: 422},
		// Types with a text of their own.
		{target: "?when=2026-01-02T03:04:05Z", want: "When=2026-01-02 03:04:05 +0000 UTC"},
		{target: "?when=2026-01-02", status: 422},
		{target: "?for=1h30m", want: "For=1h30m0s"},
		{target: "?for=90", status: 422},
		{target: "?level=high", want: "Level=1"},
		{target: "?level=medium", status: 422},
		{target: "?addr=192.0.2.1", want: "Addr=192.0.2.1"},
		{target: "?addr=192.0.2", status: 422},
		{target: "?email=ada@example.com", want: `Email="ada@example.com"`},
		{target: "?email=ada", want: "query /email format=ada", status: 422},
		// Lists.
		{target: "?tag=a&tag=b", want: "Tags=[a b]"},
		{target: "?tag=", want: "Tags=[]"},
		{target: "?tag=a,b", want: "Tags=[a,b]"},
		{target: "?tag=a&tag=b&tag=c&tag=d", want: "query /tag maxItems", status: 422},
		{target: "?ids=1,2,3", want: "IDs=[1 2 3]"},
		{target: "?ids=1&ids=2", want: "query /ids single", status: 422},
		{target: "?ids=1,x,3", want: "query /ids/1 type=x", status: 422},
		{target: "?ids=", want: "IDs=[]"},
		// Secrets stay out of the answer.
		{target: "?secret=hunter2", want: "query /secret minLength", status: 422},
		// Headers and cookies.
		{header: "X-Agent: curl", want: `Agent="curl"`},
		{header: "x-agent: curl", want: `Agent="curl"`},
		{header: "X-Agent: a\nX-Agent: b", want: "header /X-Agent single", status: 422},
		{header: "Accept-Language: de, en;q=0.5\nAccept-Language: fr", want: "Langs=[de en;q=0.5 fr]"},
		{header: "Cookie: theme=dark", want: `Theme="dark"`},
		{header: "Cookie: theme=", want: `Theme=""`},
		// All at once, each with its place.
		{target: "?i=x&f=0.1&sort=z", want: "query /i type=x; query /f minimum=0.1; query /sort enum=z", status: 422},
		// Malformed escapes leave a parameter out, as net/url does.
		{target: "?i=%zz", want: ""},
		// What nothing asks for reaches nothing.
		{target: "?Left=x&left=x&hidden=x&ID=9&id=9&slug=zz&theme=dark&Agent=x", want: ""},
	} {
		name := test.target + test.header
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequest("GET", "/things/7/ab"+test.target, nil)
			for line := range strings.SplitSeq(test.header, "\n") {
				if name, value, ok := strings.Cut(line, ": "); ok {
					req.Header.Add(name, value)
				}
			}
			w := httptest.NewRecorder()
			app.ServeHTTP(w, req)
			if test.status == 0 {
				test.status = 200
			}
			got := w.Body.String()
			if w.Code == 422 {
				got = violationsOf(t, got)
			}
			if w.Code != test.status || got != test.want && (test.want != "" || test.status == 200) {
				t.Errorf("got %d %s\nwant %d %s", w.Code, got, test.status, test.want)
			}
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("the secret is in the answer: %s", w.Body)
			}
		})
	}
	for target, want := range map[string]string{
		"/things/1001/ab": "path /id maximum=1001",
		"/things/7/a":     "path /slug minLength=a",
	} {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if got := violationsOf(t, w.Body.String()); w.Code != 422 || got != want {
			t.Errorf("%s: %d %s, want %s", target, w.Code, got, want)
		}
	}
}

type bindOrder struct {
	Customer int    `path:"id"`
	Coupon   string `query:"coupon"`
	Body     struct {
		Customer int        `json:"customer"`
		Items    []bindItem `json:"items" minItems:"1" required:"true"`
		Note     *string    `json:"note"`
		Paid     bool       `json:"-"`
		Internal string     `json:"internal,omitempty"`
		admin    bool
	}
}

type bindItem struct {
	Track    int  `json:"track" minimum:"1" required:"true"`
	Quantity *int `json:"quantity" minimum:"1"`
}

func TestBindBody(t *testing.T) {
	app := ishaa.New("bind", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	ishaa.Post(app, "/customers/<int:id>/orders", func(_ context.Context, in *bindOrder) (*ishaa.Response, error) {
		note := "absent"
		if in.Body.Note != nil {
			note = *in.Body.Note
		}
		return ishaa.Text(fmt.Sprintf("%d %d %d items note=%s paid=%t admin=%t", in.Customer, in.Body.Customer, len(in.Body.Items), note, in.Body.Paid, in.Body.admin)), nil
	}, ishaa.BodyLimit(4096))
	for _, test := range []struct {
		name, contentType, body, want string
		status                        int
	}{
		{"right", "application/json", `{"items":[{"track":1,"quantity":2}]}`, "7 0 1 items note=absent paid=false admin=false", 200},
		{"with a charset", "application/json; charset=utf-8", `{"items":[{"track":1}]}`, "7 0 1 items note=absent paid=false admin=false", 200},
		{"a JSON type of its own", "application/vnd.shop+json", `{"items":[{"track":1}]}`, "7 0 1 items note=absent paid=false admin=false", 200},
		{"null for a pointer", "application/json", `{"items":[{"track":1}],"note":null}`, "7 0 1 items note=absent paid=false admin=false", 200},
		{"empty text is there", "application/json", `{"items":[{"track":1}],"note":""}`, "7 0 1 items note= paid=false admin=false", 200},
		{"the body cannot reach the path", "application/json", `{"items":[{"track":1}],"id":99,"Customer":99,"customer":5}`, "7 5 1 items note=absent paid=false admin=false", 200},
		{"fields that JSON does not name", "application/json", `{"items":[{"track":1}],"Paid":true,"paid":true,"admin":true,"-":true}`, "7 0 1 items note=absent paid=false admin=false", 200},
		{"names are exact", "application/json", `{"Items":[{"track":1}]}`, "body /items required", 422},
		{"required", "application/json", `{}`, "body /items required", 422},
		{"required in a list", "application/json", `{"items":[{"quantity":1}]}`, "body /items/0/track required", 422},
		{"too few", "application/json", `{"items":[]}`, "body /items minItems", 422},
		{"zero is a value", "application/json", `{"items":[{"track":0}]}`, "body /items/0/track minimum=0", 422},
		{"null where none may be", "application/json", `{"items":null}`, "body /items type", 422},
		{"wrong type", "application/json", `{"items":[{"track":"1"}]}`, "body /items/0/track type=1", 422},
		{"all at once", "application/json", `{"items":[{"track":0},{"track":1,"quantity":0}],"note":5}`, "body /items/0/track minimum=0; body /items/1/quantity minimum=0; body /note type=5", 422},
		{"an array", "application/json", `[]`, "body  type", 422},
		{"a name twice", "application/json", `{"items":[{"track":1}],"items":[]}`, "", 400},
		{"trailing data", "application/json", `{"items":[{"track":1}]}{}`, "", 400},
		{"not JSON", "application/json", `items=1`, "", 400},
		{"nothing", "application/json", ``, "", 400},
		{"invalid UTF-8", "application/json", "{\"items\":[{\"track\":1}],\"note\":\"\xff\"}", "", 400},
		{"deep", "application/json", `{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "", 400},
		{"text/plain", "text/plain", `{"items":[{"track":1}]}`, "", 415},
		{"no type", "", `{"items":[{"track":1}]}`, "", 415},
		{"too large", "application/json", `{"items":[{"track":1}],"note":"` + strings.Repeat("x", 5000) + `"}`, "", 413},
		{"sparse names", "application/json", `{"items":[{"track":1}],"a[999999999]":1,"a.99999999.b":1}`, "7 0 1 items note=absent paid=false admin=false", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := httptest.NewRequest("POST", "/customers/7/orders", strings.NewReader(test.body))
			if test.contentType != "" {
				req.Header.Set("Content-Type", test.contentType)
			}
			w := httptest.NewRecorder()
			app.ServeHTTP(w, req)
			got := w.Body.String()
			if w.Code == 422 {
				got = violationsOf(t, got)
			}
			if w.Code != test.status || test.want != "" && got != test.want {
				t.Errorf("got %d %s\nwant %d %s", w.Code, got, test.status, test.want)
			}
		})
	}
}

func TestBindRawBodies(t *testing.T) {
	type asText struct{ Body string }
	type asBytes struct {
		Data []byte `body:""`
	}
	type optional struct {
		Body *bindItem
	}
	app := ishaa.New("bind", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	ishaa.Put(app, "/text", func(_ context.Context, in *asText) (string, error) { return in.Body, nil })
	ishaa.Put(app, "/bytes", func(_ context.Context, in *asBytes) (string, error) { return fmt.Sprint(in.Data), nil })
	ishaa.Put(app, "/optional", func(_ context.Context, in *optional) (string, error) { return fmt.Sprint(in.Body != nil), nil })
	for _, test := range []struct {
		target, body, want string
		status             int
	}{
		{"/text", "héllo", "héllo", 200},
		{"/text", "\xff", "", 400},
		{"/bytes", "\xff\x00", "[255 0]", 200},
		{"/optional", "", "false", 200},
		{"/optional", `{"track":1}`, "true", 200},
		{"/optional", `{"track":0}`, "", 422},
	} {
		req := httptest.NewRequest("PUT", test.target, strings.NewReader(test.body))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, req)
		if w.Code != test.status || test.want != "" && w.Body.String() != test.want {
			t.Errorf("%s %q: %d %q, want %d %q", test.target, test.body, w.Code, w.Body, test.status, test.want)
		}
	}
}

type bindUpload struct {
	Title  string            `form:"title" required:"true" minLength:"1"`
	Year   int               `form:"year" default:"2026"`
	Genres []string          `form:"genre"`
	Cover  *ishaa.FormFile   `file:"cover" required:"true"`
	Extras []*ishaa.FormFile `file:"extra"`
}

func TestBindForm(t *testing.T) {
	app := ishaa.New("bind", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	ishaa.Post(app, "/upload", func(_ context.Context, in *bindUpload) (string, error) {
		return fmt.Sprint(in.Title, " ", in.Year, " ", in.Genres, " ", in.Cover.Name(), " ", len(in.Extras)), nil
	})
	part := func(w *multipart.Writer, name, file, content string) {
		if file == "" {
			w.WriteField(name, content)
			return
		}
		p, _ := w.CreateFormFile(name, file)
		p.Write([]byte(content))
	}
	for _, test := range []struct {
		name   string
		fill   func(*multipart.Writer)
		status int
		want   string
	}{
		{"all", func(w *multipart.Writer) {
			part(w, "title", "", "Kind of Blue")
			part(w, "genre", "", "jazz")
			part(w, "genre", "", "modal")
			part(w, "cover", "../../blue.png", "x")
			part(w, "extra", "1.txt", "1")
			part(w, "extra", "2.txt", "2")
		}, 200, "Kind of Blue 2026 [jazz modal] blue.png 2"},
		{"nothing", func(w *multipart.Writer) { part(w, "other", "", "x") }, 422, "form /title required; form /cover required"},
		{"empty title", func(w *multipart.Writer) { part(w, "title", "", ""); part(w, "cover", "c", "x") }, 422, "form /title minLength="},
		{"two covers", func(w *multipart.Writer) {
			part(w, "title", "", "t")
			part(w, "cover", "a", "x")
			part(w, "cover", "b", "x")
		}, 422, "form /cover single"},
		{"a file is no text", func(w *multipart.Writer) { part(w, "title", "t.txt", "t"); part(w, "cover", "c", "x") }, 422, "form /title required"},
		{"text is no file", func(w *multipart.Writer) { part(w, "title", "", "t"); part(w, "cover", "", "x") }, 422, "form /cover required"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var body strings.Builder
			mw := multipart.NewWriter(&body)
			test.fill(mw)
			mw.Close()
			req := httptest.NewRequest("POST", "/upload?title=query&year=1", strings.NewReader(body.String()))
			req.Header.Set("Content-Type", mw.FormDataContentType())
			w := httptest.NewRecorder()
			app.ServeHTTP(w, req)
			got := w.Body.String()
			if w.Code == 422 {
				got = violationsOf(t, got)
			}
			if w.Code != test.status || got != test.want {
				t.Errorf("got %d %s\nwant %d %s", w.Code, got, test.status, test.want)
			}
		})
	}
	req := httptest.NewRequest("POST", "/upload", strings.NewReader(url.Values{"title": {"t"}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	app.ServeHTTP(w, req)
	if got := violationsOf(t, w.Body.String()); got != "form /cover required" {
		t.Errorf("urlencoded: %d %s", w.Code, got)
	}
	req = httptest.NewRequest("POST", "/upload", strings.NewReader("{}"))
	req.Header.Set("Content-Type", "application/json")
	w = httptest.NewRecorder()
	if app.ServeHTTP(w, req); w.Code != 415 {
		t.Errorf("JSON where a form is expected: %d", w.Code)
	}
}

type bindCreated struct {
	Status   int          `status:"201,200"`
	Location string       `header:"Location"`
	Expires  time.Time    `header:"X-Expires"`
	Session  *http.Cookie `cookie:""`
	Body     map[string]int
}

func TestTypedAnswers(t *testing.T) {
	type none struct{}
	app := ishaa.New("bind", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	ishaa.Get(app, "/created", func(context.Context, *none) (*bindCreated, error) {
		return &bindCreated{Location: "/x/1", Session: &http.Cookie{Name: "s", Value: "1"}, Body: map[string]int{"id": 1}}, nil
	})
	ishaa.Get(app, "/existing", func(context.Context, *none) (bindCreated, error) { return bindCreated{Status: 200}, nil })
	ishaa.Get(app, "/nil", func(context.Context, *none) (*bindItem, error) { return nil, nil })
	ishaa.Get(app, "/nothing", func(context.Context, *none) (struct{}, error) { return struct{}{}, nil })
	ishaa.Get(app, "/value", func(context.Context, *none) (bindItem, error) { return bindItem{Track: 1}, nil })
	ishaa.Get(app, "/list", func(context.Context, *none) ([]bindItem, error) { return nil, nil })
	ishaa.Get(app, "/text", func(context.Context, *none) (string, error) { return "<p>", nil })
	ishaa.Get(app, "/any", func(context.Context, *none) (any, error) { return []int{1}, nil })
	ishaa.Get(app, "/status", func(context.Context, *none) (map[string]int, error) { return map[string]int{}, nil }, ishaa.Status(202))
	ishaa.Get(app, "/status/error", func(context.Context, *none) (map[string]int, error) { return nil, ishaa.NotFound("no") }, ishaa.Status(202))
	ishaa.Get(app, "/redirect", func(context.Context, *none) (*ishaa.Response, error) { return ishaa.Redirect("/x"), nil })
	ishaa.Get(app, "/file", func(context.Context, *none) (ishaa.Responder, error) { return ishaa.File("go.mod"), nil })
	for _, test := range []struct {
		target, want string
		status       int
		header       [2]string
	}{
		{"/created", `{"id":1}`, 201, [2]string{"Location", "/x/1"}},
		{"/created", `{"id":1}`, 201, [2]string{"Set-Cookie", "s=1; Path=/; HttpOnly; SameSite=Lax"}},
		{"/created", `{"id":1}`, 201, [2]string{"X-Expires", ""}},
		{"/existing", `{}`, 200, [2]string{"Location", ""}},
		{"/nil", "", 204, [2]string{"Content-Type", ""}},
		{"/nothing", "", 204, [2]string{"Content-Type", ""}},
		{"/value", `{"track":1,"quantity":null}`, 200, [2]string{"Content-Type", "application/json"}},
		{"/list", `[]`, 200, [2]string{"Content-Type", "application/json"}},
		{"/text", "<p>", 200, [2]string{"Content-Type", "text/html; charset=utf-8"}},
		{"/any", "[1]", 200, [2]string{"Content-Type", "application/json"}},
		{"/status", "{}", 202, [2]string{"Content-Type", "application/json"}},
		{"/status/error", "", 404, [2]string{"Content-Type", "application/problem+json"}},
		{"/redirect", "", 303, [2]string{"Location", "/x"}},
		{"/file", "", 200, [2]string{"Accept-Ranges", "bytes"}},
	} {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", test.target, nil))
		if w.Code != test.status || test.want != "" && w.Body.String() != test.want || w.Header().Get(test.header[0]) != test.header[1] {
			t.Errorf("%s: %d %s %q: %q", test.target, w.Code, w.Body, test.header[0], w.Header().Get(test.header[0]))
		}
	}
}

func TestTypedMistakesStopTheProgram(t *testing.T) {
	type out = map[string]int
	register := func(pattern string, set func(app *ishaa.App, pattern string)) func(*ishaa.App) {
		return func(app *ishaa.App) { set(app, pattern) }
	}
	type noParam struct {
		ID int `path:"idd"`
	}
	type uuidInt struct {
		ID int `path:"id"`
	}
	type wrongKeyword struct {
		S int `query:"s" maxLength:"3"`
	}
	type badPattern struct {
		S string `query:"s" pattern:"("`
	}
	type twoTags struct {
		S string `query:"s" header:"s"`
	}
	type emptyTag struct {
		S string `query:""`
	}
	type notText struct {
		S map[string]int `query:"s"`
	}
	type pathList struct {
		S []string `path:"id"`
	}
	type pathDefault struct {
		S string `path:"id" default:"x"`
	}
	type unexported struct {
		s string `query:"s"`
	}
	type twoBodies struct {
		Body  string
		Other []byte `body:""`
	}
	type formAndBody struct {
		Body string
		F    string `form:"f"`
	}
	type fileType struct {
		F string `file:"f"`
	}
	type typo struct {
		S string `query:"s" minLenght:"3"`
	}
	type badDefault struct {
		I int `query:"i" default:"x"`
	}
	_ = unexported{s: ""}.s
	for _, test := range []struct {
		name string
		set  func(*ishaa.App)
		want []string
	}{
		{"no such parameter", register("/<int:id>", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *noParam) (out, error) { return nil, nil })
		}), []string{`no parameter "idd"`, `did you mean "id"`}},
		{"a uuid into an int", register("/<uuid:id>", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *uuidInt) (out, error) { return nil, nil })
		}), []string{"<uuid:…>", "does not fit"}},
		{"a keyword of another type", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *wrongKeyword) (out, error) { return nil, nil })
		}), []string{"wrongKeyword.S", "maxLength", "maximum"}},
		{"a pattern that is none", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *badPattern) (out, error) { return nil, nil })
		}), []string{"badPattern.S", "pattern"}},
		{"two sources", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *twoTags) (out, error) { return nil, nil })
		}), []string{"tags query and header"}},
		{"an empty tag", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *emptyTag) (out, error) { return nil, nil })
		}), []string{`write query:"name"`}},
		{"not text", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *notText) (out, error) { return nil, nil })
		}), []string{"cannot be read from text"}},
		{"a list from a path", register("/<id>", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *pathList) (out, error) { return nil, nil })
		}), []string{"one value"}},
		{"a default for a path", register("/<id>", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *pathDefault) (out, error) { return nil, nil })
		}), []string{"always there"}},
		{"not exported", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *unexported) (out, error) { return nil, nil })
		}), []string{"not exported"}},
		{"two bodies", register("/", func(a *ishaa.App, p string) {
			ishaa.Post(a, p, func(context.Context, *twoBodies) (out, error) { return nil, nil })
		}), []string{"taken twice"}},
		{"form and body", register("/", func(a *ishaa.App, p string) {
			ishaa.Post(a, p, func(context.Context, *formAndBody) (out, error) { return nil, nil })
		}), []string{"one body"}},
		{"a file that is text", register("/", func(a *ishaa.App, p string) {
			ishaa.Post(a, p, func(context.Context, *fileType) (out, error) { return nil, nil })
		}), []string{"*ishaa.FormFile"}},
		{"a mistyped keyword", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *typo) (out, error) { return nil, nil })
		}), []string{"minLenght", "minLength"}},
		{"a default that does not fit", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *badDefault) (out, error) { return nil, nil })
		}), []string{"badDefault.I", "default"}},
		{"not a struct", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *int) (out, error) { return nil, nil })
		}), []string{"not a struct"}},
		{"an output that cannot be encoded", register("/", func(a *ishaa.App, p string) {
			ishaa.Get(a, p, func(context.Context, *struct{}) (chan int, error) { return nil, nil })
		}), []string{"chan int", "cannot be encoded"}},
		{"a nil handler", register("/", func(a *ishaa.App, p string) {
			ishaa.Get[struct{}, string](a, p, nil)
		}), []string{"the handler is nil"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			app := ishaa.New("mistakes", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
			defer func() {
				cause := fmt.Sprint(recover())
				for _, want := range append(test.want, "bind_test.go:") {
					if !strings.Contains(cause, want) {
						t.Errorf("%q is not in: %s", want, cause)
					}
				}
			}()
			test.set(app)
			t.Error("nothing stopped it")
		})
	}
}

// Binding declares what an answer depends on, like reading by hand does.
func TestBindingIsTraced(t *testing.T) {
	app := bindApp()
	var seen []string
	app.Before(func(r *ishaa.Request) (any, error) {
		r.Trace(func(in ishaa.Input, value string) { seen = append(seen, in.String()+value) })
		return nil, nil
	})
	req := httptest.NewRequest("GET", "/things/7/ab?i=5&tag=x", nil)
	app.ServeHTTP(httptest.NewRecorder(), req)
	all := strings.Join(seen, "|")
	for _, want := range []string{"param id=7", "param slug=ab", "query i=5", "query s|", "query-all", "header X-Agent|", "header Accept-Language|", "identity Cookie"} {
		if !strings.Contains(all+"|", want) {
			t.Errorf("%q was not traced: %s", want, all)
		}
	}
}

func FuzzBind(f *testing.F) {
	app := bindApp()
	ishaa.Post(app, "/customers/<int:id>/orders", func(_ context.Context, in *bindOrder) (any, error) {
		for _, item := range in.Body.Items {
			if item.Track < 1 || item.Quantity != nil && *item.Quantity < 1 {
				return nil, fmt.Errorf("bound against its constraints: %+v", item)
			}
		}
		return nil, nil
	})
	f.Add("i=5&tag=a&tag=b", "curl", `{"items":[{"track":1}]}`)
	f.Add("ids=1,,2&when=2026-01-02T03:04:05Z&f=%31", "\x00", `{"items":[{"track":1,"quantity":null}],"note":"\ud800"}`)
	f.Fuzz(func(t *testing.T, query, header, body string) {
		req := httptest.NewRequest("GET", "/things/7/ab", nil)
		req.URL.RawQuery = query
		req.Header["X-Agent"] = []string{header}
		w := httptest.NewRecorder()
		if app.ServeHTTP(w, req); w.Code != 200 && w.Code != 422 && w.Code != 400 {
			t.Errorf("GET ?%q: %d %s", query, w.Code, w.Body)
		}
		req = httptest.NewRequest("POST", "/customers/7/orders", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		w = httptest.NewRecorder()
		if app.ServeHTTP(w, req); w.Code != 204 && w.Code != 422 && w.Code != 400 {
			t.Errorf("POST %q: %d %s", body, w.Code, w.Body)
		}
	})
}
