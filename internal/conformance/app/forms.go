package main

import (
	"encoding/base64"
	"io"
	"maps"
	"slices"

	"github.com/ishaa-framework/ishaa"
)

// part is one part of a multipart form; fields have neither a file name nor a type.
type part struct {
	Name     string `json:"name"`
	Filename string `json:"filename,omitempty"` // made harmless
	Type     string `json:"ct,omitempty"`       // as the client says
	Size     int64  `json:"size"`
	Content  string `json:"b64"`
}

// addForms adds a form and an upload.
func addForms(app *ishaa.App, _ options) {
	app.Post("/_x/form", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		return form.Values(), nil
	})
	app.Post("/_x/upload", showUpload)
}

// showUpload lists the fields, then the files, each by name.
func showUpload(r *ishaa.Request) (any, error) {
	form, err := r.Form()
	if err != nil {
		return nil, err
	}
	parts := []part{}
	values := form.Values()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			parts = append(parts, part{Name: name, Size: int64(len(value)), Content: base64.StdEncoding.EncodeToString([]byte(value))})
		}
	}
	for _, name := range form.FileFields() {
		for _, file := range form.Files(name) {
			content, err := readFile(file)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part{name, file.Name(), file.ContentType(), file.Size(), base64.StdEncoding.EncodeToString(content)})
		}
	}
	return parts, nil
}

func readFile(file *ishaa.FormFile) ([]byte, error) {
	content, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return io.ReadAll(content)
}
