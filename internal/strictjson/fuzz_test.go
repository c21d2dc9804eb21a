package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

var halfPair = regexp.MustCompile(`(?i)\\ud[89a-f]`)

// What Check accepts, encoding/json accepts; what only Check refuses, it refuses for a reason the package names.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00",true,false,null],"b":{"a":{}}}`, `{"a":1,"\u0061":2}`, "\"\xff\"",
		`"\ud800"`, "[[[[[[]]]]]]", " 1 ", "\xef\xbb\xbf1", `{"":0,"":0}`, `"12345678\""`,
		`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0,"r":0,"b":1}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := strictjson.Check(text, 5)
		valid := json.Valid(text)
		if err == nil {
			if !valid || !utf8.Valid(text) {
				t.Fatalf("accepted %q", text)
			}
			return
		}
		var syntax *strictjson.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > int64(len(text)) || syntax.Line < 1 || syntax.Column < 1 {
			t.Fatalf("%q: bad error %#v", text, err)
		}
		if !valid {
			return
		}
		named := !utf8.Valid(text) ||
			strings.HasPrefix(syntax.Msg, "duplicate key") && bytes.Count(text, []byte(`"`)) >= 4 ||
			strings.HasPrefix(syntax.Msg, "nested deeper") && bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > 5 ||
			strings.HasPrefix(syntax.Msg, "half of a surrogate") && halfPair.Match(text)
		if !named {
			t.Fatalf("%q is valid, refused: %v", text, err)
		}
		if strings.HasPrefix(syntax.Msg, "duplicate key") && strictjson.CheckSyntax(text, 5) == nil && !repeats(text) {
			t.Fatalf("%q has no duplicate: %v", text, err)
		}
	})
}

// repeats says by encoding/json's tokens whether an object repeats a name.
func repeats(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	type level struct {
		names map[string]bool
		key   bool
	}
	var stack []level
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		top := len(stack) - 1
		if name, ok := token.(string); ok && top >= 0 && stack[top].names != nil && stack[top].key {
			if stack[top].names[name] {
				return true
			}
			stack[top].names[name], stack[top].key = true, false
			continue
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, level{names: map[string]bool{}, key: true})
			continue
		case json.Delim('['):
			stack = append(stack, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:top]
		}
		if n := len(stack); n > 0 {
			stack[n-1].key = true
		}
	}
}

// A string read with Text is the string encoding/json reads.
func FuzzText(f *testing.F) {
	f.Add(`"a\n\u00e9\ud83d\ude00\/b"`)
	f.Add(`"é"`)
	f.Fuzz(func(t *testing.T, text string) {
		var s strictjson.Scanner
		if s.Reset([]byte(text), 0) != nil || s.Peek() != '"' {
			return
		}
		got, err := s.Text()
		if err != nil || s.End() != nil {
			return
		}
		var want string
		if err := json.Unmarshal([]byte(text), &want); err != nil || want != string(got) {
			t.Fatalf("%q: got %q, want %q, %v", text, got, want, err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	small := []byte(`{"id":1,"name":"Ada Lovelace","tags":["a","b"],"address":{"street":"x","no":1.5,"ok":true},"n":null}`)
	for _, c := range []struct {
		name string
		text []byte
	}{{"small", small}, {"million keys", manyKeys(1_000_000, "k")}} {
		b.Run(c.name+"/Check", func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := strictjson.Check(c.text, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/json.Valid", func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				json.Valid(c.text)
			}
		})
	}
}
