package openapi

import (
	"errors"
	"fmt"

	"github.com/ishaa-framework/ishaa"
)

// Info is what a document says that no route does. Title and Version are required.
type Info struct {
	Title       string
	Version     string // of the API, not of OpenAPI: "1.4.0"
	Summary     string // one line
	Description string // CommonMark
	Terms       string // URL of the terms of service
	Contact     Contact
	License     License

	// Servers are where the API is; none means where the document was fetched from.
	Servers []Server
	// Tags describe blueprints by their full name, such as "api.v1", and tags given by
	// the option Tags, and order them. Those not listed follow.
	Tags []Tag
	// Skip leaves routes out for which it is true, beside those that are Hidden.
	Skip func(*ishaa.Route) bool
	// DocsPath is where the pages are; "" means "/docs". DocumentPath is where the
	// document is, without ending; "" means "/openapi", for /openapi.json and
	// /openapi.yaml.
	DocsPath, DocumentPath string
}

// Contact is whom to ask about the API.
type Contact struct{ Name, URL, Email string }

// License is the licence of the API. Identifier is an SPDX expression such as
// "Apache-2.0"; it and URL exclude each other.
type License struct{ Name, Identifier, URL string }

// Server is a place where the API is.
type Server struct {
	URL         string // such as "https://api.example.com/v2", or relative to the document
	Description string
}

// Tag describes a tag.
type Tag struct{ Name, Description string }

func (in Info) check() error {
	switch {
	case in.Title == "":
		return errors.New("openapi: Info has no Title")
	case in.Version == "":
		return errors.New(`openapi: Info has no Version; give the API's own, such as "1.0.0"`)
	case in.License.Name == "" && in.License != (License{}):
		return errors.New("openapi: Info.License has no Name")
	case in.License.Identifier != "" && in.License.URL != "":
		return errors.New("openapi: Info.License has an Identifier and a URL; OpenAPI takes one of them")
	}
	for _, server := range in.Servers {
		if server.URL == "" {
			return errors.New("openapi: Info.Servers has one without URL")
		}
	}
	seen := map[string]bool{}
	for _, tag := range in.Tags {
		if tag.Name == "" || seen[tag.Name] {
			return fmt.Errorf("openapi: Info.Tags: the tag %q has no name or is there twice", tag.Name)
		}
		seen[tag.Name] = true
	}
	return nil
}

// document is the "info" object.
func (in Info) document() object {
	doc := object{{Name: "title", Value: in.Title}}
	add(&doc, "summary", in.Summary)
	add(&doc, "description", in.Description)
	add(&doc, "termsOfService", in.Terms)
	var contact object
	add(&contact, "name", in.Contact.Name)
	add(&contact, "url", in.Contact.URL)
	add(&contact, "email", in.Contact.Email)
	if contact != nil {
		doc.Set("contact", contact)
	}
	if in.License.Name != "" {
		license := object{{Name: "name", Value: in.License.Name}}
		add(&license, "identifier", in.License.Identifier)
		add(&license, "url", in.License.URL)
		doc.Set("license", license)
	}
	doc.Set("version", in.Version)
	return doc
}

func (in Info) servers() []object {
	if len(in.Servers) == 0 {
		return []object{{{Name: "url", Value: "/"}}}
	}
	var list []object
	for _, server := range in.Servers {
		doc := object{{Name: "url", Value: server.URL}}
		add(&doc, "description", server.Description)
		list = append(list, doc)
	}
	return list
}

// add sets a text that is not empty.
func add(doc *object, name, text string) {
	if text != "" {
		doc.Set(name, text)
	}
}
