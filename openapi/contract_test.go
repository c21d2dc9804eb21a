package openapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/openapi/internal/sample"
	"github.com/ishaa-framework/ishaa/openapi/openapitest"
)

// The contract: whatever the document allows is accepted and answered as it says;
// what it forbids is refused with a 4xx that it has. Requests are made of the values at
// the edges of each type; openapitest holds them and their answers against the
// document, by another validator than the one that the application binds with.

// values are the texts, or JSON texts, that a binding may be given.
type values struct {
	binding        ishaa.Binding
	valid, invalid [][]string
}

// requestMaker makes requests for one route.
type requestMaker struct {
	route  *ishaa.Route
	values []values
	random *rand.Rand
}

func newRequestMaker(route *ishaa.Route, random *rand.Rand) *requestMaker {
	m := &requestMaker{route: route, random: random}
	seen := map[string]bool{}
	for _, b := range route.Bindings() {
		if key := b.In + b.Name; seen[key] {
			continue
		} else {
			seen[key] = true
		}
		m.values = append(m.values, m.valuesOf(b))
	}
	return m
}

func (m *requestMaker) valuesOf(b ishaa.Binding) values {
	v := values{binding: b}
	switch {
	case b.Field == nil && b.In == "body":
		v.valid = [][]string{{"some text"}, {"é\x00"}, {""}}
		return v
	case b.Field == nil:
		v.valid = [][]string{{"file"}}
		return v
	}
	if b.In == "path" { // what the converter takes, whatever the field does
		for _, p := range m.route.Parameters() {
			if text := converterSamples[p.Converter]; p.Name == b.Name && b.Field.SetText(reflect.New(b.Go).Elem(), text) == nil {
				v.valid = append(v.valid, []string{text})
			}
		}
	}
	for seed := range uint64(3) {
		for _, edge := range b.Field.Type.Boundaries(seed) {
			if b.In == "body" {
				if edge.Valid {
					v.valid = append(v.valid, []string{string(edge.JSON)})
				} else {
					v.invalid = append(v.invalid, []string{string(edge.JSON)})
				}
				continue
			}
			texts, ok := textsOf(edge.JSON)
			if !ok || !m.carries(b, texts) {
				continue
			}
			target := reflect.New(b.Go).Elem()
			var bad bool
			switch {
			case b.In == "header" && b.List:
				bad = b.Field.Type.SetTexts(target, texts) != nil
			case b.List && !b.Field.Explode:
				bad = b.Field.SetTexts(target, []string{strings.Join(texts, ",")}) != nil
			default:
				bad = b.Field.SetTexts(target, texts) != nil
			}
			if bad {
				v.invalid = append(v.invalid, texts)
			} else {
				v.valid = append(v.valid, texts)
			}
		}
	}
	return v
}

// textsOf is a JSON value as text: a list as several.
func textsOf(value json.RawMessage) ([]string, bool) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return nil, false
	}
	one := func(v any) (string, bool) {
		switch v := v.(type) {
		case string:
			return v, true
		case json.Number:
			return v.String(), true
		case bool:
			return strconv.FormatBool(v), true
		}
		return "", false
	}
	if list, ok := v.([]any); ok {
		texts := []string{}
		for _, item := range list {
			text, ok := one(item)
			if !ok {
				return nil, false
			}
			texts = append(texts, text)
		}
		return texts, len(texts) > 0
	}
	text, ok := one(v)
	return []string{text}, ok
}

// carries reports whether texts arrive unchanged at the place.
func (m *requestMaker) carries(b ishaa.Binding, texts []string) bool {
	if len(texts) > 1 && !b.List {
		return false
	}
	for _, text := range texts {
		switch b.In {
		case "path":
			if text == "" || text == "." || text == ".." || strings.ContainsAny(text, "/\\\x00") {
				return false
			}
		case "header", "cookie":
			for _, c := range text {
				if c <= ' ' || c >= 0x7f || strings.ContainsRune(`",;\`, c) {
					return false
				}
			}
			if text == "" {
				return false
			}
		default:
			if strings.Contains(text, ",") && b.List && !b.Field.Explode {
				return false
			}
			if text == "" && (b.In == "form" || b.List && !b.Field.Explode) {
				return false // counts as absent, or as an empty list
			}
		}
	}
	return true
}

// make makes a request. For an invalid one a single value is wrong or missing; false
// means that the route cannot be given one.
func (m *requestMaker) make(valid bool) (path string, options []ishaatest.RequestOption, what string, ok bool) {
	wrong := -1
	if !valid {
		var possible []int
		for i, v := range m.values {
			if len(v.invalid) > 0 || v.binding.Required && v.binding.In != "path" {
				possible = append(possible, i)
			}
		}
		if len(possible) == 0 {
			return "", nil, "", false
		}
		wrong = possible[m.random.IntN(len(possible))]
	}
	pairs := map[string]string{}
	query, form, files := url.Values{}, url.Values{}, url.Values{}
	hasForm := false
	for i, v := range m.values {
		b := v.binding
		hasForm = hasForm || b.In == "form" || b.In == "file"
		from := v.valid
		if i == wrong {
			from = v.invalid
			what = b.In + " " + b.Name
			if b.Required && b.In != "path" && (len(from) == 0 || m.random.IntN(4) == 0) {
				what += " missing"
				continue
			}
		} else if !b.Required && m.random.IntN(3) == 0 && b.In != "body" {
			continue
		}
		if len(from) == 0 {
			if b.Required {
				return "", nil, "", false
			}
			continue
		}
		texts := from[m.random.IntN(len(from))]
		if i == wrong {
			what += fmt.Sprintf(" = %.80q", texts)
		}
		switch b.In {
		case "path":
			pairs[b.Name] = texts[0]
		case "query":
			if b.List && !b.Field.Explode {
				texts = []string{strings.Join(texts, ",")}
			}
			query[b.Name] = texts
		case "header":
			options = append(options, ishaatest.Header(b.Name, strings.Join(texts, ", ")))
		case "cookie":
			options = append(options, ishaatest.Header("Cookie", b.Name+"="+texts[0]))
		case "form":
			form[b.Name] = texts
		case "file":
			files[b.Name] = texts
		case "body":
			mediaType := "application/json"
			if b.Field == nil {
				mediaType = "text/plain"
			}
			options = append(options, ishaatest.Body(mediaType, []byte(texts[0])))
		}
	}
	if hasForm {
		options = append(options, formBody(form, files, m.needsMultipart()))
	}
	path = pathOf(m.route, pairs)
	if path == "" {
		return "", nil, "", false
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, options, what, true
}

func (m *requestMaker) needsMultipart() bool {
	for _, v := range m.values {
		if v.binding.In == "file" {
			return true
		}
	}
	return m.random.IntN(2) == 0
}

func formBody(form, files url.Values, multi bool) ishaatest.RequestOption {
	if !multi {
		return ishaatest.Body("application/x-www-form-urlencoded", []byte(form.Encode()))
	}
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for name, texts := range form {
		for _, text := range texts {
			_ = w.WriteField(name, text)
		}
	}
	for name, texts := range files {
		for i, text := range texts {
			part, _ := w.CreateFormFile(name, fmt.Sprintf("file%d.bin", i))
			_, _ = part.Write([]byte(text))
		}
	}
	_ = w.Close()
	return ishaatest.Body(w.FormDataContentType(), out.Bytes())
}

// converterSamples are texts that the converters of the sample take.
var converterSamples = map[string]string{
	"int": "7", "float": "0.5", "uuid": "123e4567-e89b-12d3-a456-426614174000", "slug": "a-b", "hex": "c0ffee", "re": "AB1",
	"path": "a/b", "str": "x",
}

// pathOf fills in the pattern, or gives "" where a converter would not take a value:
// that is another route, or none.
func pathOf(route *ishaa.Route, values map[string]string) string {
	var pairs []any
	for _, p := range route.Parameters() {
		value, given := values[p.Name]
		if !given {
			value = converterSamples[p.Converter]
		}
		pairs = append(pairs, p.Name, value)
	}
	path, err := route.URL(pairs...)
	if err != nil {
		return ""
	}
	return path
}

func TestContract(t *testing.T) {
	n := 300
	if os.Getenv("ISHAA_TEST_LONG") != "" {
		n = 5000
	}
	app := sample.New()
	openapitest.Watch(t, app)
	var routes []*ishaa.Route
	for _, route := range app.Routes() {
		if route.Output() != nil && route.Host() == "" {
			routes = append(routes, route)
		}
	}
	client := ishaatest.New(t, app)
	for _, valid := range []bool{true, false} {
		t.Run(map[bool]string{true: "valid", false: "invalid"}[valid], func(t *testing.T) {
			client := client.For(t)
			random := rand.New(rand.NewPCG(1, 2))
			var makers []*requestMaker
			for _, route := range routes {
				makers = append(makers, newRequestMaker(route, random))
			}
			used := map[*ishaa.Route]int{}
			sent := 0
			for turn := 0; sent < n; turn++ {
				if turn > 20*n {
					t.Fatalf("only %d requests could be made", sent)
				}
				maker := makers[turn%len(makers)]
				path, options, what, ok := maker.make(valid)
				if !ok {
					continue
				}
				sent++
				used[maker.route]++
				method := maker.route.Methods()[0]
				if schemes, _ := ishaa.SecurityScheme.Of(maker.route); schemes != nil {
					options = append(options, ishaatest.Header("Authorization", "Bearer x"))
				}
				status := client.Do(method, path, options...).Code()
				switch {
				case valid && status >= 400:
					t.Fatalf("%s %s: %d for a valid request", method, path, status)
				case !valid && (status < 400 || status > 499):
					t.Fatalf("%s %s: %d for a request with %s", method, path, status, what)
				}
			}
			t.Logf("%d requests to %d operations", sent, len(used))
			if want := map[bool]int{true: len(routes), false: 8}[valid]; len(used) < want {
				t.Errorf("only %d operations were asked, of %d", len(used), want)
			}
		})
	}
	if t.Failed() {
		return
	}
	t.Run("refused before binding", func(t *testing.T) { // by Watch: each of these has to be documented
		client := client.For(t)
		client.Post("/api/things/everything", ishaatest.Body("application/json", []byte("{"))).Status(http.StatusBadRequest)
		client.Post("/api/things/everything", ishaatest.Body("text/plain", []byte("{}"))).Status(http.StatusUnsupportedMediaType)
		client.Post("/api/things/everything", ishaatest.Body("application/json", bytes.Repeat([]byte(" "), 2<<20))).Status(http.StatusRequestEntityTooLarge)
		client.Post("/api/things/login", ishaatest.Form("name", "a", "password", "12345678"), ishaatest.Header("Sec-Fetch-Site", "cross-site")).Status(http.StatusForbidden)
		client.Get("/account").Status(http.StatusUnauthorized)
		client.Get("/ticks", ishaatest.Header("Accept", "application/x-ndjson")).Status(200)
		client.Get("/ticks", ishaatest.Header("Accept", "text/event-stream")).Status(200)
		client.Get("/pages/a/b").Status(200)
		client.Get("/both").Status(200)
		client.Get("/any").Status(200)
	})
}
