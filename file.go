package ishaa

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/nofile"
)

// fileError is a file answer that could not be given. A missing file is a 404, a
// name that is none a 404 too: a client learns nothing about the disk.
type fileError struct {
	name string
	err  error
}

func (e *fileError) Error() string { return fmt.Sprintf("file %q: %v", e.name, e.err) }
func (e *fileError) Unwrap() error { return e.err }

// File answers with a file of the disk: its type by its name, ranges, an ETag,
// Last-Modified and the If-* conditions (RFC 9110 §13, §14). The path is the
// program's own; for names that come with a request use FileFS, which cannot leave
// its folder. A missing file is a 404.
func File(name string) Responder {
	return fileAnswer{name: name, open: func() (fs.File, error) { return os.Open(name) }}
}

// FileFS answers with a file of a file system, as File does. A name that is not
// valid for io/fs — absolute, with "..", with an empty element — is a 404. Use
// os.Root's FS for a folder: it does not follow links out of it.
func FileFS(fsys fs.FS, name string) Responder {
	return fileAnswer{name: name, open: func() (fs.File, error) {
		if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") || !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, fs.ErrNotExist
		}
		return fsys.Open(name)
	}}
}

type fileAnswer struct {
	name string
	open func() (fs.File, error)
}

// Respond opens the file; it is read when the answer is sent.
func (f fileAnswer) Respond(r *Request, res *Response) error {
	file, err := f.open()
	if err != nil {
		if nofile.Is(err) {
			err = errors.Join(err, fs.ErrNotExist)
		}
		return &fileError{f.name, err}
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		file.Close()
		return &fileError{f.name, err}
	}
	content, ok := file.(io.ReadSeeker)
	if !ok {
		file.Close()
		return fmt.Errorf("file %q: a %T cannot seek, which ranges need", f.name, file)
	}
	r.OnSent(func() { file.Close() })
	r.setContent(res, path.Base(filepath.ToSlash(f.name)), info.ModTime(), info.Size(), content)
	return nil
}

// Content answers with anything that can seek, as File does. The name says the
// type, by its extension; the modification time may be zero, then there is neither
// Last-Modified nor ETag. If content is an io.Closer it is closed after it was sent.
func Content(name string, modified time.Time, content io.ReadSeeker) Responder {
	return contentAnswer{name, modified, content}
}

type contentAnswer struct {
	name     string
	modified time.Time
	content  io.ReadSeeker
}

// Respond prepares the content to be sent.
func (c contentAnswer) Respond(r *Request, res *Response) error {
	if closer, ok := c.content.(io.Closer); ok {
		r.OnSent(func() { closer.Close() })
	}
	size, err := c.content.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("content %q: %w", c.name, err)
	}
	r.setContent(res, c.name, c.modified, size, c.content)
	return nil
}

func (r *Request) setContent(res *Response, name string, modified time.Time, size int64, content io.ReadSeeker) {
	header := res.Header()
	if header["Content-Type"] == nil {
		// By the name alone: guessing from the content would make a page of an upload.
		contentType := mime.TypeByExtension(path.Ext(name))
		if contentType == "" {
			contentType = "application/octet-stream"
		}
		header.Set("Content-Type", contentType)
	}
	if header["Etag"] == nil && !modified.IsZero() {
		header.Set("Etag", fmt.Sprintf("\"%x-%x\"", modified.UnixNano(), size))
	}
	res.body = body{kind: bodyServe, content: http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		w = &steadyWriter{w, http.NewResponseController(w)}
		// r.res, since the answer may have been taken over from res.
		if status := r.res.Status(); status != http.StatusOK {
			serveWhole(w, raw, status, size, content)
			return
		}
		http.ServeContent(w, raw, name, modified, content)
	})}
}

// serveWhole answers with an error page kept in a file: whole, whatever ranges and
// conditions the client names, and with its own status.
func serveWhole(w http.ResponseWriter, raw *http.Request, status int, size int64, content io.ReadSeeker) {
	if bodyAllowed(status) {
		w.Header()["Content-Length"] = lengthValue(int(size))
	}
	_, err := content.Seek(0, io.SeekStart)
	w.WriteHeader(status)
	if raw.Method == http.MethodHead || !bodyAllowed(status) {
		return
	}
	if err == nil {
		_, err = io.CopyN(w, content, size)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // never let a part pass for the whole
	}
}

// steadyWriter gives a content of any length the time it needs, as long as it
// goes on: the server's WriteTimeout would cut a large file on a slow line.
type steadyWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// steadyStep is how much has to be written within streamStall.
const steadyStep = 256 << 10

func (w *steadyWriter) Write(p []byte) (int, error) {
	allowStall(w.control)
	return w.ResponseWriter.Write(p)
}

// ReadFrom writes in steps. Each is a limited reader, the form that sendfile takes.
func (w *steadyWriter) ReadFrom(src io.Reader) (total int64, err error) {
	whole, ok := src.(*io.LimitedReader)
	if !ok {
		whole = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	for whole.N > 0 {
		allowStall(w.control)
		step := min(whole.N, steadyStep)
		n, err := io.CopyN(w.ResponseWriter, whole.R, step)
		total += n
		whole.N -= n
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Unwrap lets http.ResponseController reach the connection.
func (w *steadyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
