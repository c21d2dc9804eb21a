package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
)

// Options are the settings of Open.
type Options struct {
	// Types are the media types that are taken, such as "image/png"; "image/*" is a
	// family, "*/*" is any. It is required.
	Types []string

	// MaxSize is the size of the largest file, in bytes; default 10 MiB.
	MaxSize int64

	// Quota is how much all files may take together, in bytes; default 1 GiB.
	Quota int64

	// MaxFiles is how many there may be; default 100,000.
	MaxFiles int64

	// Now tells the time; default time.Now.
	Now func() time.Time
}

// File is what is known of a file.
type File struct {
	ID      string    `json:"id"`   // 26 letters and digits
	Name    string    `json:"name"` // as the client called it, made harmless; for showing, not for paths
	Type    string    `json:"type"` // by its content
	Size    int64     `json:"size"` // in bytes
	SHA256  string    `json:"sha256"`
	Created time.Time `json:"created"`
}

// Errors that callers tell apart, by errors.Is. They have a method HTTPStatus, so a
// handler may return them as they are.
var (
	ErrNotFound error = &problem{404, "files: there is no such file"}
	ErrTooLarge error = &problem{413, "files: the file is larger than is taken"}
	ErrType     error = &problem{415, "files: files of this type are not taken"}
	ErrQuota    error = &problem{507, "files: there is no room for more files"}
)

type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// HTTPStatus is the status that the error is answered with.
func (p *problem) HTTPStatus() int { return p.status }

// Storage is a folder of files. It is safe for concurrent use.
type Storage struct {
	root    *os.Root
	options Options
	types   typeList

	mu    sync.Mutex
	bytes int64 // kept and being written
	count int64
}

// Open opens a folder, which is made if it is not there, for this process alone. It
// counts what is there and removes what a crash left.
func Open(folder string, options Options) (*Storage, error) {
	setDefault(&options.MaxSize, 10<<20)
	setDefault(&options.Quota, 1<<30)
	setDefault(&options.MaxFiles, 100_000)
	if options.Now == nil {
		options.Now = time.Now
	}
	types, err := parseTypes(options.Types)
	if err != nil {
		return nil, fmt.Errorf("files: Options.Types: %w", err)
	}
	if options.MaxSize < 0 || options.Quota < 0 || options.MaxFiles < 0 {
		return nil, errors.New("files: limits are positive, or 0 for the default")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	s := &Storage{root: root, options: options, types: types}
	if err := s.takeStock(); err != nil {
		root.Close()
		return nil, fmt.Errorf("files: reading %s: %w", folder, err)
	}
	return s, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Close gives the folder up.
func (s *Storage) Close() error { return s.root.Close() }

// Usage returns how many files there are, and their bytes together.
func (s *Storage) Usage() (count, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, s.bytes
}

// A file lies in a folder by the first two letters of its id, as "ID" and, with what
// is known of it, "ID.json". It exists once the latter does.
const (
	partFolder = "part" // where files are while they are written
	infoSuffix = ".json"
)

func dataPath(id string) string { return path.Join(id[:2], id) }
func infoPath(id string) string { return dataPath(id) + infoSuffix }

// validID reports ids that this package can have given. Nothing else gets near a path.
func validID(id string) bool {
	if len(id) != 26 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !('a' <= c && c <= 'z' || '2' <= c && c <= '7') {
			return false
		}
	}
	return true
}

// Info returns what is known of a file, or ErrNotFound.
func (s *Storage) Info(ctx context.Context, id string) (File, error) {
	if err := ctx.Err(); err != nil {
		return File{}, err
	}
	if !validID(id) {
		return File{}, ErrNotFound
	}
	data, err := s.root.ReadFile(infoPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, ErrNotFound
	}
	if err != nil {
		return File{}, fmt.Errorf("files: %w", err)
	}
	var f File
	if err := json.Unmarshal(data, &f); err != nil || f.ID != id {
		return File{}, fmt.Errorf("files: what is noted of %s cannot be read", id)
	}
	return f, nil
}

// Content is a file's content, open for reading.
type Content interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// Open opens a file for reading, or gives ErrNotFound. Close the content.
func (s *Storage) Open(ctx context.Context, id string) (Content, File, error) {
	f, err := s.Info(ctx, id)
	if err != nil {
		return nil, File{}, err
	}
	content, err := s.root.Open(dataPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, File{}, ErrNotFound // deleted meanwhile
	}
	if err != nil {
		return nil, File{}, fmt.Errorf("files: %w", err)
	}
	return content, f, nil
}

// Delete removes a file. One that is not there is ErrNotFound.
func (s *Storage) Delete(ctx context.Context, id string) error {
	f, err := s.Info(ctx, id)
	if err != nil {
		return err
	}
	if effect.Intend(ctx, effect.Intent{Kind: "file", Target: id, Detail: "delete"}) {
		return nil
	}
	// What is known of it goes first: then it is gone, whatever happens to the rest.
	err = s.root.Remove(infoPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	s.release(f.Size, 1)
	if err := s.root.Remove(dataPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("files: %w", err)
	}
	return nil
}

// List gives all files in the order of their ids. Files that come or go meanwhile
// may or may not be among them. An error ends it.
func (s *Storage) List(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for id, err := range s.ids() {
			var f File
			if err == nil {
				f, err = s.Info(ctx, id)
			}
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// ids gives the ids of the files whose notes are there.
func (s *Storage) ids() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := s.walk(func(folder, name string) error {
			id, isInfo := strings.CutSuffix(name, infoSuffix)
			if isInfo && validID(id) && id[:2] == folder && !yield(id, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield("", fmt.Errorf("files: %w", err))
		}
	}
}

// walk visits the entries of the folders, sorted.
func (s *Storage) walk(visit func(folder, name string) error) error {
	folders, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		entries, err := fs.ReadDir(s.root.FS(), folder.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if err := visit(folder.Name(), entry.Name()); err != nil {
				if errors.Is(err, fs.SkipAll) {
					return nil
				}
				return err
			}
		}
	}
	return nil
}

// leftover is from what age on something that belongs to no file is taken for what a
// crash left. Younger ones may be another process's that is about to end.
const leftover = time.Hour

// takeStock counts the files and removes what belongs to none.
func (s *Storage) takeStock() error {
	now := s.options.Now()
	return s.walk(func(folder, name string) error {
		at := path.Join(folder, name)
		info, err := s.root.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		id := strings.TrimSuffix(name, infoSuffix)
		stray := folder == partFolder
		switch {
		case stray:
		case !validID(id) || id[:2] != folder:
			return nil // not ours
		case name == id: // content
			_, err := s.root.Lstat(infoPath(id))
			if stray = errors.Is(err, fs.ErrNotExist); !stray {
				s.bytes += info.Size()
				s.count++
			}
		default:
			_, err := s.root.Lstat(dataPath(id))
			stray = errors.Is(err, fs.ErrNotExist)
		}
		if stray && now.Sub(info.ModTime()) > leftover {
			err = s.root.Remove(at)
		}
		return err
	})
}

// reserve takes room for more, or says that there is none.
func (s *Storage) reserve(bytes, count int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+bytes > s.options.Quota || s.count+count > s.options.MaxFiles {
		return ErrQuota
	}
	s.bytes += bytes
	s.count += count
	return nil
}

func (s *Storage) release(bytes, count int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= bytes
	s.count -= count
}
