package multiform

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
)

// A spool is the one temporary file of a form, in which the contents of its big files lie one after another.
type spool struct {
	file *os.File
	size int64

	close  sync.Once
	remove bool // the name is still there, because the system does not remove the name of an open file
	err    error
}

func newSpool(dir string) (*spool, error) {
	file, err := os.CreateTemp(dir, "ishaa-form-*")
	if err != nil {
		return nil, err
	}
	return &spool{file: file, remove: os.Remove(file.Name()) != nil}, nil
}

func (s *spool) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.size += int64(n)
	return n, err
}

// Close gives the space back.
func (s *spool) Close() error {
	s.close.Do(func() {
		s.err = s.file.Close()
		if s.remove {
			s.err = errors.Join(s.err, os.Remove(s.file.Name()))
		}
	})
	return s.err
}

// Open returns the content from its beginning. Several may be open at once, and each may be closed or left to the
// form's Close.
func (f *File) Open() (Content, error) {
	if f.spool == nil {
		return &content{bytes.NewReader(f.memory)}, nil
	}
	return &content{io.NewSectionReader(f.spool.file, f.offset, f.Size)}, nil
}

// content adds a Close to a reader over memory or over the spool, which the form owns.
type content struct{ seekable }

type seekable interface {
	io.ReadSeeker
	io.ReaderAt
}

func (c *content) Close() error {
	c.seekable = closed{}
	return nil
}

type closed struct{}

func (closed) Read([]byte) (int, error)          { return 0, os.ErrClosed }
func (closed) ReadAt([]byte, int64) (int, error) { return 0, os.ErrClosed }
func (closed) Seek(int64, int) (int64, error)    { return 0, os.ErrClosed }
