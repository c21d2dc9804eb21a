package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ishaa-framework/ishaa/schema"
)

// The formats of the OpenAPI registry that state the size of a number; they mean something to us, so they must to the
// independent validator.
func sizedNumbers() []*jsonschema.Format {
	var all []*jsonschema.Format
	for _, bits := range []uint{8, 16, 32, 64} {
		for _, signed := range []bool{true, false} {
			low, high, name := new(big.Rat), new(big.Rat), fmt.Sprintf("uint%d", bits)
			high.SetInt(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1)))
			if signed {
				name = name[1:]
				low.SetInt(new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), bits-1)))
				high.SetInt(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits-1), big.NewInt(1)))
			}
			all = append(all, &jsonschema.Format{Name: name, Validate: func(v any) error {
				n, ok := v.(json.Number)
				if !ok {
					return nil
				}
				r, ok := new(big.Rat).SetString(n.String())
				if !ok || r.Cmp(low) < 0 || r.Cmp(high) > 0 {
					return errors.New("out of range")
				}
				return nil
			}})
		}
	}
	return all
}

func independent(t testing.TB, typ *schema.Type) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(typ.Standalone())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.AssertContent()
	for _, format := range sizedNumbers() {
		c.RegisterFormat(format)
	}
	if err := c.AddResource("mem:schema", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("mem:schema")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return compiled
}

func TestSchemasOfFortyTypesAreSchemas(t *testing.T) {
	types := agreed(t)
	if len(types) < 40 {
		t.Errorf("only %d types", len(types))
	}
	meta, err := jsonschema.NewCompiler().Compile("https://json-schema.org/draft/2020-12/schema")
	if err != nil {
		t.Fatal(err)
	}
	for name, typ := range types {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(typ.Standalone())
			if err != nil {
				t.Fatal(err)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := meta.Validate(doc); err != nil {
				t.Errorf("%s\n%v", text, err)
			}
			again, _ := json.Marshal(typ.Standalone())
			if !bytes.Equal(text, again) {
				t.Error("not the same twice")
			}
			independent(t, typ)
		})
	}
}

// For every document, valid and not, we and an independent validator that knows only the schema say the same.
func TestAnIndependentValidatorAgreesOnTenThousandDocuments(t *testing.T) {
	const documents = 10_000
	types := agreed(t)
	names := slices.Sorted(maps.Keys(types))
	total, valid := 0, 0
	random := rand.New(rand.NewPCG(3, 2020_12))
	perType := documents/len(names) + 1
	for _, name := range names {
		typ := types[name]
		validator := independent(t, typ)
		good := 0
		for i, text := range generated(typ, random, perType) {
			violations, err := typ.Decode(text, newPointer(typ), schema.DecodeOptions{})
			if err != nil {
				t.Fatalf("%s, document %d: %s: %v", name, i, text, err)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			theirs := validator.Validate(doc)
			if (theirs == nil) != (len(violations) == 0) {
				s, _ := json.Marshal(typ.Standalone())
				t.Fatalf("%s: %s\nwe say   %+v\nthey say %v\n%s", name, text, violations, theirs, s)
			}
			total++
			if theirs == nil {
				good++
			}
		}
		if good == 0 || good == perType && typ.Kind() != schema.Any {
			t.Errorf("%s: %d of %d documents were valid", name, good, perType)
		}
		valid += good
	}
	if total < documents || valid < documents/5 || valid > documents*4/5 {
		t.Errorf("%d documents, %d valid: not a fair sample", total, valid)
	}
	t.Logf("%d documents of %d types, %d valid", total, len(names), valid)
}

// generated makes n documents: examples, boundaries, and both with one to three random changes.
func generated(typ *schema.Type, random *rand.Rand, n int) []json.RawMessage {
	var seeds []json.RawMessage
	for seed := range uint64(5) {
		if example := typ.Example(seed); example != nil {
			seeds = append(seeds, example)
		}
		for _, b := range typ.Boundaries(seed) {
			seeds = append(seeds, b.JSON)
		}
	}
	random.Shuffle(len(seeds), func(i, j int) { seeds[i], seeds[j] = seeds[j], seeds[i] })
	out := slices.Clone(seeds[:min(len(seeds), n/2)])
	for len(out) < n {
		tree := parseTree(seeds[random.IntN(len(seeds))])
		for range random.IntN(3) {
			tree = mutate(random, tree)
		}
		text, err := json.Marshal(tree)
		if err != nil {
			panic(err)
		}
		out = append(out, text)
	}
	return out
}

func parseTree(text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(fmt.Sprintf("%s: %v", text, err))
	}
	return v
}

var scraps = []string{
	`null`, `true`, `false`, `0`, `1`, `-1`, `2`, `3`, `7`, `14`, `1.0`, `1e2`, `-0`, `0.5`, `-0.5`, `0.3`, `1.5`, `99`, `100`, `127`,
	`128`, `-128`, `-129`, `255`, `256`, `32768`, `65535`, `65536`, `2147483648`, `-2147483649`, `9223372036854775807`,
	`9223372036854775808`, `18446744073709551615`, `18446744073709551616`, `1e19`, `1e300`, `""`, `"a"`, `"ab"`, `"abc12"`, `"é😀"`,
	`"12345"`, `"1234"`, `"red"`, `"a,b"`, `"12.50"`, `"5"`, `"-3"`, `"2026-01-31T12:00:00Z"`, `"2026-02-30T12:00:00Z"`, `"2026-01-31"`,
	`"12:00:00Z"`, `"ada@example.com"`, `"ada@"`, `"https://example.com/"`, `"/x"`, `"123e4567-e89b-12d3-a456-426614174000"`,
	`"123e4567e89b12d3a456426614174000"`, `"1.2.3.4"`, `"01.2.3.4"`, `"::1"`, `"example.com"`, `"-x"`, `"1h30m"`, `"1h30"`, `"PT1H"`,
	`"aGk="`, `"aGk"`, `"circle"`, `"square"`, `"group"`, `"triangle"`, `[]`, `[1]`, `[1,1.0]`, `["a","a"]`, `[{"a":1,"b":[2]},{"b":[2],"a":1}]`,
	`{}`, `{"a":1}`, `{"street":"x"}`, `{"street":"x","city":"y"}`, `{"type":"circle","radius":1}`, `{"side":2,"type":"square"}`, `{"name":"n"}`,
}

func scrap(random *rand.Rand) any { return parseTree([]byte(scraps[random.IntN(len(scraps))])) }

// mutate changes one place of a tree.
func mutate(random *rand.Rand, tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		if len(v) == 0 || random.IntN(8) == 0 {
			name := []string{"unknown", "a", "type", "x", "name", "TYPE"}[random.IntN(6)]
			v[name] = scrap(random)
			return v
		}
		name := slices.Sorted(maps.Keys(v))[random.IntN(len(v))]
		switch random.IntN(6) {
		case 0:
			delete(v, name)
		case 1:
			v[name] = scrap(random)
		default:
			v[name] = mutate(random, v[name])
		}
		return v
	case []any:
		if len(v) == 0 || random.IntN(6) == 0 {
			return append(v, scrap(random))
		}
		i := random.IntN(len(v))
		switch random.IntN(6) {
		case 0:
			return slices.Delete(v, i, i+1)
		case 1:
			return append(v, v[i])
		}
		v[i] = mutate(random, v[i])
		return v
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 32); err == nil && random.IntN(2) == 0 {
			return n + int64(random.IntN(5)) - 2
		}
	case string:
		switch random.IntN(4) {
		case 0:
			n := 5
			if strings.Contains(v, ":") {
				n = 3 // the other validator lets characters into a URI that RFC 3986 does not
			}
			return v + []string{"a", "1", "-", "é", " "}[random.IntN(n)]
		case 1:
			if v != "" {
				runes := []rune(v)
				return string(runes[:len(runes)-1])
			}
		case 2:
			return strings.ToUpper(v)
		}
	}
	return scrap(random)
}
