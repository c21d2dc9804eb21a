package openapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/openapi/internal/sample"
)

// described puts one operation into a document: the fields of the operation, then
// schemas.
func described(operation string, schemas ...string) string {
	return `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/a/{id}":{"post":{` + operation + `}}},
		"components":{"schemas":{` + strings.Join(schemas, ",") + `}}}`
}

func body(schema string) string {
	return described(`"requestBody":{"required":true,"content":{"application/json":{"schema":` + schema + `}}},"responses":{"200":{"description":"ok"}}`)
}

func result(schema string) string {
	return described(`"responses":{"200":{"description":"ok","content":{"application/json":{"schema":` + schema + `}}}}`)
}

func parameter(rest string) string {
	return described(`"parameters":[{"name":"q","in":"query"` + rest + `}],"responses":{}`)
}

func TestDiff(t *testing.T) {
	const none, open = `"responses":{}`, `"security":[],"responses":{}`
	for name, c := range map[string]struct {
		old, new string
		want     string // "", "breaking" or "compatible"
		reason   string
	}{
		"the same":                 {body(`{"type":"string"}`), body(`{"type":"string"}`), "", ""},
		"operation gone":           {described(none), `{"openapi":"3.1.0","paths":{}}`, "breaking", "the operation is gone"},
		"operation new":            {`{"openapi":"3.1.0","paths":{}}`, described(none), "compatible", "the operation is new"},
		"path parameter renamed":   {described(none), strings.ReplaceAll(described(none), "{id}", "{key}"), "", ""},
		"operation id":             {described(`"operationId":"a",` + none), described(`"operationId":"b",` + none), "breaking", "operation id"},
		"deprecated":               {described(none), described(`"deprecated":true,` + none), "compatible", "deprecated"},
		"parameter gone":           {parameter(""), described(none), "breaking", "is gone"},
		"parameter new":            {described(none), parameter(""), "compatible", "optional"},
		"required parameter new":   {described(none), parameter(`,"required":true`), "breaking", "new and required"},
		"parameter required":       {parameter(""), parameter(`,"required":true`), "breaking", "is required now"},
		"parameter optional":       {parameter(`,"required":true`), parameter(""), "compatible", "is optional now"},
		"parameter's form":         {parameter(`,"explode":true`), parameter(`,"explode":false`), "breaking", "another form"},
		"body required":            {described(`"requestBody":{"content":{}},` + none), described(`"requestBody":{"required":true,"content":{}},` + none), "breaking", "the body is required now"},
		"body gone":                {body(`{}`), described(`"responses":{"200":{"description":"ok"}}`), "breaking", "no longer read"},
		"body new":                 {described(none), described(`"requestBody":{"content":{}},` + none), "compatible", "optional"},
		"media type gone":          {body(`{}`), described(`"requestBody":{"required":true,"content":{}},"responses":{"200":{}}`), "breaking", "no longer there as application/json"},
		"answer gone":              {described(`"responses":{"200":{}}`), described(none), "breaking", "the answer 200 is gone"},
		"problem gone":             {described(`"responses":{"409":{}}`), described(none), "compatible", "the answer 409 is gone"},
		"answer new":               {described(none), described(`"responses":{"202":{}}`), "compatible", "the answer 202 is new"},
		"header gone":              {described(`"responses":{"200":{"headers":{"A":{}}}}`), described(`"responses":{"200":{}}`), "breaking", "lacks the header A"},
		"sign in":                  {described(open), described(`"security":[{"bearer":[]}],` + none), "breaking", "have to sign in"},
		"no sign in":               {described(`"security":[{"bearer":[]}],` + none), described(open), "compatible", "need not sign in"},
		"another way to sign in":   {described(`"security":[{"bearer":[]}],` + none), described(`"security":[{"bearer":[]},{"key":[]}],` + none), "compatible", "by key is possible"},
		"scope":                    {described(`"security":[{"o":[]}],` + none), described(`"security":[{"o":["write"]}],` + none), "breaking", "by o no longer suffices"},
		"request type narrowed":    {body(`{"type":["string","null"]}`), body(`{"type":"string"}`), "breaking", "may no longer be null"},
		"request type widened":     {body(`{"type":"integer"}`), body(`{"type":"number"}`), "compatible", "may be number"},
		"answer type widened":      {result(`{"type":"string"}`), result(`{"type":["string","null"]}`), "breaking", "may be null"},
		"answer type narrowed":     {result(`{"type":"number"}`), result(`{"type":"integer"}`), "compatible", "may no longer be number"},
		"3.0 and 3.1":              {body(`{"type":"string","nullable":true}`), body(`{"type":["string","null"]}`), "", ""},
		"any type":                 {body(`{}`), body(`{"type":"string"}`), "breaking", "was of any type"},
		"request enum narrowed":    {body(`{"enum":["a","b"]}`), body(`{"enum":["a"]}`), "breaking", `may no longer be "b"`},
		"answer enum widened":      {result(`{"enum":["a"]}`), result(`{"enum":["a","b"]}`), "breaking", `may be "b"`},
		"request limit tightened":  {body(`{"maxLength":9}`), body(`{"maxLength":8}`), "breaking", "maxLength was 9 and is 8"},
		"request limit loosened":   {body(`{"minimum":1}`), body(`{"minimum":0.5}`), "compatible", "minimum was 1 and is 0.5"},
		"answer limit loosened":    {result(`{"maxItems":3}`), result(`{}`), "breaking", "no longer has the limit maxItems 3"},
		"pattern changed":          {result(`{"pattern":"a"}`), result(`{"pattern":"b"}`), "breaking", "pattern"},
		"format new in request":    {body(`{"type":"string"}`), body(`{"type":"string","format":"uuid"}`), "breaking", "format"},
		"member required":          {body(`{"properties":{"a":{}}}`), body(`{"properties":{"a":{}},"required":["a"]}`), "breaking", "always there now"},
		"new required member":      {body(`{"properties":{}}`), body(`{"properties":{"a":{}},"required":["a"]}`), "breaking", "always there now"},
		"new member":               {body(`{"properties":{}}`), body(`{"properties":{"a":{}}}`), "compatible", "new member a"},
		"member gone from answer":  {result(`{"properties":{"a":{}}}`), result(`{}`), "breaking", "clients miss it"},
		"answer's member optional": {result(`{"properties":{"a":{}},"required":["a"]}`), result(`{"properties":{"a":{}}}`), "breaking", "may be missing now"},
		"other members":            {body(`{"type":"object"}`), body(`{"type":"object","additionalProperties":false}`), "breaking", "other members"},
		"items":                    {body(`{"items":{"type":"string"}}`), body(`{"items":{"type":"integer"}}`), "breaking", "items may no longer be string"},
		"form gone from request":   {body(`{"oneOf":[{"$ref":"#/x/A"},{"$ref":"#/x/B"}]}`), body(`{"oneOf":[{"$ref":"#/x/A"}]}`), "breaking", "no longer has the form B"},
		"form new in answer":       {result(`{"oneOf":[{"$ref":"#/x/A"}]}`), result(`{"oneOf":[{"$ref":"#/x/B"},{"$ref":"#/x/A"}]}`), "breaking", "may have the form B"},
		"discriminator":            {body(`{"discriminator":{"propertyName":"a"}}`), body(`{"discriminator":{"propertyName":"b"}}`), "breaking", "told apart"},
		"through references": {
			described(`"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}`, `"A":{"properties":{"a":{"$ref":"#/components/schemas/A"},"b":{"type":"string"}}}`),
			described(`"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/B"}}}}}`, `"B":{"properties":{"a":{"$ref":"#/components/schemas/B"},"b":{"type":"integer"}}}`),
			"breaking", "member b may be integer",
		},
	} {
		t.Run(name, func(t *testing.T) {
			changes, err := openapi.Diff([]byte(c.old), []byte(c.new))
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if len(changes) > 0 {
					t.Errorf("changes: %v", changes)
				}
				return
			}
			if len(changes) == 0 || changes[0].Breaking != (c.want == "breaking") {
				t.Fatalf("%v, want a %s one first", changes, c.want)
			}
			if !slices.ContainsFunc(changes, func(change openapi.Change) bool {
				return change.Breaking == (c.want == "breaking") && strings.Contains(change.Reason, c.reason)
			}) {
				t.Errorf("%v, want %q", changes, c.reason)
			}
		})
	}
}

func TestDiffOfADocumentAndItself(t *testing.T) {
	document, err := openapi.Build(sample.New(), sample.Info)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{document.JSON(), document.Downgrade().JSON()} {
		if changes, err := openapi.Diff(text, text); err != nil || len(changes) > 0 {
			t.Errorf("%v, %v", changes, err)
		}
	}
}

func TestDiffRefusesWhatIsNoDocument(t *testing.T) {
	good := []byte(described(`"responses":{}`))
	for text, want := range map[string]string{
		"":                       "EOF",
		"[]":                     "not a JSON object",
		"{}":                     "version",
		`{"swagger":"2.0"}`:      "OpenAPI 3",
		`{"openapi":"3.1.0"} 1`:  "more behind",
		`{"a":1,"a":2}`:          "twice",
		strings.Repeat("[", 2e3): "nested",
	} {
		if _, err := openapi.Diff(good, []byte(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "the new document") {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
}

// Whatever is given, Diff ends, does not panic, and finds nothing between a text and
// itself.
func FuzzDiff(f *testing.F) {
	f.Add(body(`{"oneOf":[{"$ref":"#/components/schemas/A"}],"minimum":1e999}`), result(`{"properties":{"a":[1]},"required":[2]}`))
	f.Add(parameter(`,"schema":{"type":[1,null]}`), described(`"parameters":[{"$ref":"#/paths"},3],"responses":{"200":{"$ref":"#/a"}},"security":[1,{"a":2}]`))
	f.Add(described(`"responses":{"200":{"content":{"a":{"schema":{"$ref":"#/components/schemas/A"}}}}}`, `"A":{"$ref":"#/components/schemas/A"}`), "{}")
	f.Fuzz(func(t *testing.T, a, b string) {
		_, _ = openapi.Diff([]byte(a), []byte(b))
		if changes, err := openapi.Diff([]byte(a), []byte(a)); err == nil && len(changes) > 0 {
			t.Errorf("a document and itself: %v", changes)
		}
	})
}
