package ishaa

import (
	"io"
	"maps"
	"net/url"
	"slices"

	"github.com/ishaa-framework/ishaa/internal/multiform"
)

// Form is a submitted form, urlencoded or multipart. Files larger than 1 MiB in
// all are kept on disk and removed when the request ends.
type Form struct{ parsed *multiform.Form }

// Form reads the body as a form, within the route's body limit and at most 1,000
// fields and 100 files. It may be called again and gives the same form. A body
// that is not a form is a 415 problem, a malformed one a 400, one over a limit a
// 413. Values of the query are not part of the form.
func (r *Request) Form() (*Form, error) {
	if r.recorder != nil {
		r.recordHeader("Content-Type")
		r.record(Input{Kind: InputBody}, "")
	}
	rare := r.more()
	if rare.form == nil && rare.formErr == nil {
		rare.form, rare.formErr = r.readForm()
	}
	return rare.form, rare.formErr
}

func (r *Request) readForm() (*Form, error) {
	if r.raw.ContentLength > r.bodyLimit {
		return nil, bodyTooLarge(r.bodyLimit)
	}
	body := io.Reader(r.http().Body)
	parsed, err := multiform.Parse(body, r.raw.Header.Get("Content-Type"), multiform.Limits{MaxBytes: r.bodyLimit})
	if err != nil {
		return nil, formError(err)
	}
	return &Form{parsed}, nil
}

func formError(err error) error {
	problem := problemOf(err)
	if problem.HTTPStatus() < 500 {
		problem.Detail = err.Error()
	}
	return problem
}

func (f *Form) close() { _ = f.parsed.Close() }

// Value returns the first value of a field, or "".
func (f *Form) Value(name string) string { return f.parsed.Values.Get(name) }

// Has reports whether a field was sent.
func (f *Form) Has(name string) bool { return f.parsed.Values.Has(name) }

// Values returns all fields that are not files. The map is the caller's.
func (f *Form) Values() url.Values {
	values := make(url.Values, len(f.parsed.Values))
	for name, list := range f.parsed.Values {
		values[name] = slices.Clone(list)
	}
	return values
}

// File returns the first file of a field, or nil.
func (f *Form) File(name string) *FormFile {
	if files := f.parsed.Files[name]; len(files) > 0 {
		return &FormFile{files[0]}
	}
	return nil
}

// Files returns all files of a field, in the order they came.
func (f *Form) Files(name string) []*FormFile {
	var files []*FormFile
	for _, file := range f.parsed.Files[name] {
		files = append(files, &FormFile{file})
	}
	return files
}

// FileFields returns the names of the fields that have files, sorted.
func (f *Form) FileFields() []string { return slices.Sorted(maps.Keys(f.parsed.Files)) }

// FormFile is an uploaded file. It is gone when the request ends: copy what is
// to be kept.
type FormFile struct{ file *multiform.File }

// Name returns the name that the client gave, without any directory and made
// harmless for display. It is not a name to store the file under.
func (f *FormFile) Name() string { return f.file.Filename }

// RawName returns the name exactly as the client sent it. Never build a path
// from it.
func (f *FormFile) RawName() string { return f.file.RawFilename }

// ContentType returns what the client says the file is, which proves nothing.
func (f *FormFile) ContentType() string { return f.file.ContentType }

// Size returns the size in bytes.
func (f *FormFile) Size() int64 { return f.file.Size }

// FormContent is the content of an uploaded file.
type FormContent interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// Open opens the content for reading. Each call gives a reader of its own.
func (f *FormFile) Open() (FormContent, error) { return f.file.Open() }
