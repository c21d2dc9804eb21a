package ishaatest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestDifferences(t *testing.T) {
	many := make([]int, 14)
	long := strings.Repeat("x", 300)
	for _, test := range []struct {
		name, got string
		want      any
		list      []string
	}{
		{"equal scalars", `"a"`, "a", nil},
		{"equal by value", `[1.0, 1e2, 100]`, []any{1, 100, 1e2}, nil},
		{"null and absent differ", `{"a":null}`, map[string]any{}, []string{"/a: got null, want nothing"}},
		{"types", `[1, "1", true, null, {}, []]`, []any{"1", 1, nil, true, []int{}, map[string]int{}}, []string{
			`/0: got 1, want "1"`, `/1: got "1", want 1`, "/2: got true, want null", "/3: got null, want true", "/4: got {}, want []", "/5: got [], want {}",
		}},
		{"large integers", `18446744073709551616`, json.Number("18446744073709551617"), []string{"the value: got 18446744073709551616, want 18446744073709551617"}},
		{"numbers out of range", `1e999`, json.Number("2e999"), []string{"the value: got 1e999, want 2e999"}},
		{"ten and the rest", fmt.Sprint("[", strings.Repeat("1,", 13), "1]"), many, []string{
			"/0: got 1, want 0", "/1: got 1, want 0", "/2: got 1, want 0", "/3: got 1, want 0", "/4: got 1, want 0",
			"/5: got 1, want 0", "/6: got 1, want 0", "/7: got 1, want 0", "/8: got 1, want 0", "/9: got 1, want 0", "… and 4 more",
		}},
		{"long values", `"` + long + `"`, "", []string{`the value: got "` + long[:199] + `… (302 bytes), want ""`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseDocument([]byte(test.got))
			if err != nil {
				t.Fatal(err)
			}
			want, err := asDocument(test.want)
			if err != nil {
				t.Fatal(err)
			}
			if list := differences(got, want); strings.Join(list, "\n") != strings.Join(test.list, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(list, "\n"), strings.Join(test.list, "\n"))
			}
		})
	}
}

// A document does not differ from itself, and every value in it is found by its
// pointer.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{`{"a/b":[1,2,{"~":null}],"":{"":0}}`, `1e999`, `[]`, `"x"`, `{"a":1} 2`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := parseDocument(data)
		if err != nil {
			return
		}
		if list := differences(value, value); list != nil {
			t.Errorf("%s differs from itself: %q", data, list)
		}
		var visit func(pointer string, v any)
		visit = func(pointer string, v any) {
			found, err := valueAt(value, pointer)
			if err != nil || differences(found, v) != nil {
				t.Errorf("%s at %q: %v, %v", data, pointer, found, err)
			}
			switch v := v.(type) {
			case map[string]any:
				for name, member := range v {
					visit(pointer+"/"+strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"), member)
				}
			case []any:
				for i, element := range v {
					visit(fmt.Sprintf("%s/%d", pointer, i), element)
				}
			}
		}
		visit("", value)
	})
}
