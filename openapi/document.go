package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ishaa-framework/ishaa/schema"
)

// object is a JSON object whose members keep their order.
type object = schema.Document

type member = schema.Member

// Document is a finished OpenAPI document. It is immutable.
type Document struct {
	root object // objects, []any, string, json.Number, bool and nil all the way down
	left []string
}

// newDocument brings a document, of whatever encoding/json takes, into its plain form.
func newDocument(doc object) (*Document, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	root, err := parseObject(text)
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return &Document{root: root}, nil
}

// JSON returns the document as indented JSON.
func (d *Document) JSON() []byte {
	var out bytes.Buffer
	text, _ := json.Marshal(d.root) // of plain values
	_ = json.Indent(&out, text, "", "  ")
	out.WriteByte('\n')
	return out.Bytes()
}

// YAML returns the document as YAML 1.2.
func (d *Document) YAML() []byte { return yamlOf(d.root) }

// LeftOut lists routes that OpenAPI cannot express, each with the reason: one whose
// method it has no word for, or whose path differs from another's by the names of
// parameters only. Routes that are hidden on purpose are not in it.
func (d *Document) LeftOut() []string { return slices.Clone(d.left) }

// parseObject reads one JSON object, keeping the order of members.
func parseObject(text []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the document")
	}
	root, ok := value.(object)
	if !ok {
		return nil, errors.New("the document is not a JSON object")
	}
	return root, nil
}

// maxNesting bounds what parseValue follows.
const maxNesting = 1000

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxNesting {
		return nil, errors.New("the document is nested too deeply")
	}
	switch token {
	case json.Delim('{'):
		doc := object{}
		names := map[string]bool{}
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			if names[name.(string)] {
				return nil, fmt.Errorf("the member %q is there twice in one object", name)
			}
			names[name.(string)] = true
			doc = append(doc, member{Name: name.(string), Value: value})
		}
		_, err := decoder.Token()
		return doc, err
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := parseValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := decoder.Token()
		return list, err
	}
	return token, nil
}

// objectAt returns a member that is an object, or nil.
func objectAt(doc object, name string) object {
	found, _ := doc.Get(name).(object)
	return found
}

func textAt(doc object, name string) string {
	found, _ := doc.Get(name).(string)
	return found
}

func listAt(doc object, name string) []any {
	found, _ := doc.Get(name).([]any)
	return found
}
