// Package multiform reads the bodies that HTML forms send, multipart/form-data (RFC 7578) and
// application/x-www-form-urlencoded, from clients that mean no good: every quantity that a client chooses has a limit,
// and what is refused is refused as soon as it passes its limit, not after it has been read.
//
//	form, err := multiform.Parse(body, r.Header.Get("Content-Type"), multiform.Limits{})
//	if err != nil {
//		return err // *multiform.Error: 400, 413 or 415
//	}
//	defer form.Close() // removes what was spooled to disk
//	name := form.Values.Get("name")
//	for _, upload := range form.Files["photo"] {
//		content, err := upload.Open()
//		…
//	}
//
// Files up to Limits.MaxMemory together stay in memory; what goes beyond shares one temporary file, whose name is
// removed from the disk as soon as it exists where the system allows that, so that nothing is left behind even by a
// process that is killed.
//
// Names are taken literally: "a[999999999]" is the name of a field and never an index. Of several values with one name
// url.Values.Get returns the first.
package multiform

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// Limits bounds what a form may contain. A zero field means its default; a negative one means no limit.
type Limits struct {
	MaxBytes       int64 // the whole body, in bytes; 32 MiB
	MaxMemory      int64 // of file contents held in memory, in bytes; the rest goes to disk; 1 MiB
	MaxFields      int   // values that are not files; 1000
	MaxFiles       int   // files; 100
	MaxParts       int   // fields, files and parts that turn out to be neither; MaxFields + MaxFiles
	MaxPartHeaders int   // header lines of one part; 16
	MaxHeaderBytes int   // header lines of one part, in bytes; 8 KiB
	MaxValueBytes  int64 // one value that is not a file, in bytes; 1 MiB
	MaxFormBytes   int64 // all names and values that are not files, in bytes, since they are held in memory; 8 MiB

	TempDir string // where big files are spooled; os.TempDir()
}

const (
	kib       = 1 << 10
	mib       = 1 << 20
	unlimited = 1<<63 - 1
)

func (l Limits) withDefaults() Limits {
	set := func(limit *int64, fallback int64) {
		if *limit == 0 {
			*limit = fallback
		} else if *limit < 0 {
			*limit = unlimited
		}
	}
	setInt := func(limit *int, fallback int64) {
		if *limit == 0 {
			*limit = int(min(fallback, 1<<31-1))
		} else if *limit < 0 {
			*limit = 1<<31 - 1
		}
	}
	set(&l.MaxBytes, 32*mib)
	set(&l.MaxMemory, mib)
	set(&l.MaxValueBytes, mib)
	set(&l.MaxFormBytes, 8*mib)
	setInt(&l.MaxFields, 1000)
	setInt(&l.MaxFiles, 100)
	setInt(&l.MaxParts, int64(l.MaxFields)+int64(l.MaxFiles))
	setInt(&l.MaxPartHeaders, 16)
	setInt(&l.MaxHeaderBytes, 8*kib)
	return l
}

// Form is what a body contained.
type Form struct {
	Values url.Values         // fields that are not files, by name
	Files  map[string][]*File // files, by the name of their field; nil for a urlencoded form
	Order  []Entry            // all of them as they came

	spool *spool
}

// Entry is one field of a form: a file if File is set, else a value.
type Entry struct {
	Name        string
	Value       string
	ContentType string // as the part says; "" if it says nothing, as parts that are not files do
	File        *File
}

// Close removes what was spooled to disk; what was read from there fails with os.ErrClosed from then on. It may be called
// more than once, and on a nil Form.
func (f *Form) Close() error {
	if f == nil || f.spool == nil {
		return nil
	}
	return f.spool.Close()
}

// RemoveAll is Close, under the name that it has in mime/multipart.
func (f *Form) RemoveAll() error { return f.Close() }

// Error is a form that was refused. Its text never quotes the body.
type Error struct {
	Status int    // 400, 413 or 415; 500 if this machine could not spool a file
	Msg    string // what was wrong and which limit was passed
	Err    error  // the cause, if there is one: a failed read or write
}

// Error returns Msg.
func (e *Error) Error() string { return e.Msg }

// Unwrap returns the cause, so that a cancelled request can be told from a bad one.
func (e *Error) Unwrap() error { return e.Err }

// HTTPStatus returns Status.
func (e *Error) HTTPStatus() int { return e.Status }

func bad(msg string) *Error      { return &Error{Status: http.StatusBadRequest, Msg: msg} }
func tooLarge(msg string) *Error { return &Error{Status: http.StatusRequestEntityTooLarge, Msg: msg} }

// maxContentType bounds the header before it is parsed: a boundary has at most 70 characters (RFC 2046 §5.1.1).
const maxContentType = 1 * kib

// Parse reads a form from a body. The error is an *Error, and then nothing of the body is left on disk. The caller
// closes the form, and the body.
func Parse(body io.Reader, contentType string, l Limits) (*Form, error) {
	l = l.withDefaults()
	if len(contentType) > maxContentType {
		return nil, bad("form: the Content-Type header is longer than 1 KiB")
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		// The media type alone decides between "not a form" and "a form with a broken boundary".
		mediaType, _, _ = strings.Cut(contentType, ";")
		mediaType = strings.ToLower(strings.Trim(mediaType, " \t"))
	}
	var form *Form
	switch {
	case mediaType != "multipart/form-data" && mediaType != "application/x-www-form-urlencoded":
		return nil, &Error{Status: http.StatusUnsupportedMediaType,
			Msg: "form: the body is neither multipart/form-data nor application/x-www-form-urlencoded"}
	case err != nil:
		return nil, bad("form: the parameters of the Content-Type header are malformed")
	case mediaType == "multipart/form-data":
		form, err = parseMultipart(body, parameters["boundary"], l)
	default:
		if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
			return nil, &Error{Status: http.StatusUnsupportedMediaType, Msg: "form: the charset is not UTF-8"}
		}
		form, err = parseURLEncoded(body, l)
	}
	if err != nil {
		return nil, err
	}
	return form, nil
}

// readError turns the failure of reading a body into an Error. A limit that the caller put around the body is 413 too.
func readError(err error) *Error {
	var own *Error
	var capped *http.MaxBytesError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &capped):
		return &Error{Status: http.StatusRequestEntityTooLarge, Msg: "form: the body is larger than allowed", Err: err}
	}
	return &Error{Status: http.StatusBadRequest, Msg: "form: the body could not be read to its end", Err: err}
}

// File is one uploaded file.
type File struct {
	Filename    string // made harmless by secure.BaseName; may be ""; not a name to store the file under
	RawFilename string // as the client sent it: never build a path from it
	ContentType string // as the client sent it; it proves nothing about the content
	Size        int64  // in bytes
	Header      textproto.MIMEHeader

	memory []byte
	spool  *spool
	offset int64 // of the content in the spool
}

// Content is an open file: it is read, sought in, and read at positions, as a multipart.File is.
type Content interface {
	io.ReadSeekCloser
	io.ReaderAt
}
