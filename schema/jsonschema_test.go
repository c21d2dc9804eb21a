package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ishaa-framework/ishaa/schema"
)

var update = flag.Bool("update", false, "write the golden files")

type catalogue struct {
	ID       UUID               `json:"id" required:"true" doc:"the key"`
	Title    string             `json:"title" minLength:"1" maxLength:"80" pattern:"^\\S" example:"Blue"`
	Price    Money              `json:"price" required:"true"`
	Stock    uint16             `json:"stock" default:"0" maximum:"9999"`
	Rating   *float64           `json:"rating" minimum:"0" maximum:"5" multipleOf:"0.5"`
	Status   *string            `json:"status" enum:"new,used"`
	Added    time.Time          `json:"added"`
	Lasts    time.Duration      `json:"lasts"`
	Cover    []byte             `json:"cover"`
	Tags     []string           `json:"tags" maxItems:"5" uniqueItems:"true" maxLength:"12"`
	Size     [3]float32         `json:"size" exclusiveMinimum:"0"`
	Prices   map[string]Money   `json:"prices" minProperties:"1"`
	ByLevel  map[UUID]int       `json:"byLevel,omitempty"`
	Maker    Address            `json:"maker"`
	Shop     *Address           `json:"shop,omitempty" doc:"where it is sold"`
	Outline  Shape              `json:"outline"`
	Parent   *catalogue         `json:"parent"`
	Pages    Page[Address]      `json:"pages"`
	Password string             `json:"password" secret:"true"`
	Old      int                `json:"old" deprecated:"true"`
	Extra    any                `json:"extra"`
	Raw      json.RawMessage    `json:"raw,omitempty"`
	Own      Pair               `json:"own"`
	Number   json.Number        `json:"number"`
	Inline   struct{ A, B int } `json:"inline"`
}

// The documents of both faces, as golden files: -update writes them.
func TestDocuments(t *testing.T) {
	typ := of(t, reflect.TypeFor[catalogue]())
	var defs schema.Definitions
	defs.Prefix = "#/components/schemas/"
	input, output := typ.JSONSchema(&defs), typ.OutputSchema(&defs)
	text, err := json.MarshalIndent(schema.Document{
		{Name: "input", Value: input}, {Name: "output", Value: output}, {Name: "definitions", Value: defs.All()},
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "catalogue.json", append(text, '\n'))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s (run with -update and look at the difference):\n%s", file, got)
	}
}

// What encoding/json writes of any value of a type is valid by the type's output schema.
func TestOutputSchemasDescribeWhatIsWritten(t *testing.T) {
	for name, typ := range agreed(t) {
		t.Run(name, func(t *testing.T) {
			var defs schema.Definitions
			doc := append(typ.OutputSchema(&defs), schema.Member{Name: "$defs", Value: defs.All()})
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			parsed, _ := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			c := jsonschema.NewCompiler()
			if err := c.AddResource("mem:output", parsed); err != nil {
				t.Fatal(err)
			}
			validator, err := c.Compile("mem:output")
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			for seed := range uint64(10) {
				v := newPointer(typ)
				if _, err := typ.Decode(typ.Example(seed), v, schema.DecodeOptions{}); err != nil {
					t.Fatal(err)
				}
				if hasUntaggedVariant(v) {
					continue // a variant without a field for the discriminator does not write it
				}
				written, err := json.Marshal(v)
				if err != nil {
					continue // Money has no JSON form of its own to write
				}
				value, _ := jsonschema.UnmarshalJSON(bytes.NewReader(written))
				if err := validator.Validate(value); err != nil && !strings.Contains(string(written), "Cents") {
					t.Errorf("%s\n%v\n%s", written, err, text)
				}
			}
		})
	}
}

func hasUntaggedVariant(v any) bool {
	text, _ := json.Marshal(v)
	return bytes.Contains(text, []byte(`"side"`))
}

func TestDefinitionNames(t *testing.T) {
	type Address struct{ Planet string }
	type both struct {
		Near Address
		Far  Page[Address]
		Old  []agedAddress
	}
	var defs schema.Definitions
	first, err := schema.For[both]()
	if err != nil {
		t.Fatal(err)
	}
	second, err := schema.For[addressBook]()
	if err != nil {
		t.Fatal(err)
	}
	first.JSONSchema(&defs)
	second.JSONSchema(&defs)
	second.OutputSchema(&defs)
	first.OutputSchema(&defs)
	var names []string
	for _, m := range defs.All() {
		names = append(names, m.Name)
	}
	want := []string{"both", "Address", "PageAddress", "agedAddress", "addressBook", "SchematestAddress", "addressBookOutput", "SchematestAddressOutput", "bothOutput", "AddressOutput", "PageAddressOutput", "agedAddressOutput"}
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
}

type agedAddress struct{ Year int }

type addressBook struct{ All map[string]Address }

func TestClosedDocumentsRefuseUnknownMembers(t *testing.T) {
	typ := of(t, reflect.TypeFor[Circle]())
	defs := schema.Definitions{Closed: true}
	typ.JSONSchema(&defs)
	text, _ := json.Marshal(defs.All())
	want := `{"Circle":{"type":"object","properties":{"type":{"type":"string"},"radius":{"type":"number","format":"double","exclusiveMinimum":0}},"required":["radius"],"additionalProperties":false}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestDocumentKeepsItsOrder(t *testing.T) {
	d := schema.Document{{Name: "z", Value: 1}, {Name: "a", Value: schema.Document{}}}
	d.Set("m", "<é>")
	d.Set("z", 2)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil || strings.TrimSpace(b.String()) != `{"z":2,"a":{},"m":"<é>"}` {
		t.Error(b.String(), err)
	}
	if d.Get("m") != "<é>" || d.Get("x") != nil {
		t.Error(d)
	}
	if _, err := json.Marshal(schema.Document{{Name: "a", Value: make(chan int)}}); err == nil {
		t.Error("a channel was written")
	}
}
