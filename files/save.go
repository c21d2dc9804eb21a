package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Save keeps what the reader gives and returns what it was called. The name is the
// client's; of a path only the last part counts. Errors are ErrTooLarge, ErrType,
// ErrQuota, the context's, the reader's, or the disk's; then nothing is kept.
func (s *Storage) Save(ctx context.Context, name string, content io.Reader) (File, error) {
	head, err := readHead(content)
	if err != nil {
		return File{}, fmt.Errorf("files: reading the upload: %w", err)
	}
	base := secure.BaseName(name)
	f := File{ID: secure.NewRequestID(), Name: base, Type: typeOf(base, head), Created: s.options.Now().UTC()}
	if !s.types.allows(f.Type) {
		return File{}, fmt.Errorf("%w: %s", ErrType, f.Type)
	}
	content = io.MultiReader(bytes.NewReader(head), content)
	if effect.Shadow(ctx) {
		return s.pretend(ctx, f, content)
	}
	if err := s.reserve(0, 1); err != nil {
		return File{}, err
	}
	if err := s.write(ctx, &f, content); err != nil {
		s.release(f.Size, 1)
		return File{}, err
	}
	return f, nil
}

// headSize is how much of a file tells its type (http.DetectContentType).
const headSize = 512

func readHead(content io.Reader) ([]byte, error) {
	head := make([]byte, headSize)
	n, err := io.ReadFull(content, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:n], err
}

// pretend reads a file that a shadow would have kept.
func (s *Storage) pretend(ctx context.Context, f File, content io.Reader) (File, error) {
	into := &sink{storage: s, ctx: ctx, file: &f, digest: sha256.New(), free: true}
	if _, err := io.Copy(into, content); err != nil {
		return File{}, into.failed(err)
	}
	f.SHA256 = hex.EncodeToString(into.digest.Sum(nil))
	effect.Intend(ctx, effect.Intent{Kind: "file", Target: f.Name, Detail: fmt.Sprintf("save %s, %d bytes %s", f.Type, f.Size, f.SHA256[:16])})
	return f, nil
}

// write puts the content into place and then what is known of it.
func (s *Storage) write(ctx context.Context, f *File, content io.Reader) error {
	if err := s.mkdir(partFolder); err != nil {
		return err
	}
	if err := s.mkdir(f.ID[:2]); err != nil {
		return err
	}
	part := path.Join(partFolder, f.ID)
	err := s.create(part, func(out *os.File) error {
		into := &sink{storage: s, ctx: ctx, file: f, digest: sha256.New(), out: out}
		if _, err := io.Copy(into, content); err != nil {
			return into.failed(err)
		}
		f.SHA256 = hex.EncodeToString(into.digest.Sum(nil))
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.place(part, dataPath(f.ID)); err != nil {
		return err
	}
	note, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	err = s.create(part+infoSuffix, func(out *os.File) error {
		_, err := out.Write(note)
		return err
	})
	if err == nil {
		err = s.place(part+infoSuffix, infoPath(f.ID))
	}
	if err != nil {
		_ = s.root.Remove(dataPath(f.ID))
	}
	return err
}

func (s *Storage) mkdir(folder string) error {
	if err := s.root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("files: %w", err)
	}
	return nil
}

// create writes a new file and flushes it to the disk. Of one that fails nothing
// stays.
func (s *Storage) create(name string, fill func(*os.File) error) error {
	out, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	if err = fill(out); err == nil {
		if err = out.Sync(); err != nil {
			err = fmt.Errorf("files: %w", err)
		}
	}
	if closeErr := out.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("files: %w", closeErr)
	}
	if err != nil {
		_ = s.root.Remove(name)
	}
	return err
}

// place renames a file that is complete, and flushes the folder that it is in now.
func (s *Storage) place(from, to string) error {
	if err := s.root.Rename(from, to); err != nil {
		_ = s.root.Remove(from)
		return fmt.Errorf("files: %w", err)
	}
	if runtime.GOOS == "windows" {
		return nil // folders cannot be flushed there
	}
	folder, err := s.root.Open(path.Dir(to))
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		_ = s.root.Remove(to)
		return fmt.Errorf("files: %w", err)
	}
	return nil
}

// sink takes in content as long as there is room, and notes its size and digest.
type sink struct {
	storage *Storage
	ctx     context.Context
	file    *File
	digest  hash.Hash
	out     io.Writer
	free    bool // nothing is kept, so no room is taken
	err     error
}

// Write implements io.Writer.
func (k *sink) Write(p []byte) (int, error) {
	if k.err = k.check(int64(len(p))); k.err != nil {
		return 0, k.err
	}
	k.file.Size += int64(len(p))
	k.digest.Write(p)
	if k.out == nil {
		return len(p), nil
	}
	n, err := k.out.Write(p)
	if err != nil {
		k.err = fmt.Errorf("files: %w", err)
		return n, k.err
	}
	return n, nil
}

func (k *sink) check(more int64) error {
	if err := k.ctx.Err(); err != nil {
		return err
	}
	if k.file.Size+more > k.storage.options.MaxSize {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, k.storage.options.MaxSize)
	}
	if k.free {
		return nil
	}
	return k.storage.reserve(more, 0)
}

// failed tells the sink's own errors from the reader's.
func (k *sink) failed(err error) error {
	if k.err != nil {
		return k.err
	}
	return fmt.Errorf("files: reading the upload: %w", err)
}
