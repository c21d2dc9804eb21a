package static

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// A catalog knows the files that were asked for: of each the hash of its content, as
// long as its time and size are what they were when it was hashed. Nothing watches
// the disk: every request looks at the file it is about, so a file that changes is
// never served under the hash of what it was.

const (
	maxHashed  = 32 << 20  // bytes of the largest file that is hashed
	maxKnown   = 1 << 16   // files that are remembered; others are told apart by time and size
	scanBudget = 512 << 20 // bytes that are hashed before the application serves

	// fresh is how old a file must be for its time to tell a change: one that is
	// written twice within the resolution of its disk's clock keeps time and size.
	fresh = 2 * time.Second
)

// coding is a content coding and the extension of files that are in it.
type coding struct {
	name   string
	suffix string
	value  []string // of Content-Encoding
}

// codings in the order of preference, where a client has none.
var codings = []coding{
	{"br", ".br", []string{"br"}},
	{"zstd", ".zst", []string{"zstd"}},
	{"gzip", ".gz", []string{"gzip"}},
}

// version is a file as it was at one time. It never changes.
type version struct {
	modified time.Time
	size     int64
	certain  bool     // the file was old enough when it was read
	hash     string   // of the content, or "" for none
	etag     []string // as a header holds it
	url      string   // with the hash, or ""
	variants []coding // that lie beside the file
}

func (v *version) is(info fs.FileInfo) bool {
	return v.size == info.Size() && v.modified.Equal(info.ModTime())
}

type catalog struct {
	fsys    fs.FS
	prefix  string
	settled atomic.Bool // the disk need not be looked at to give an address
	known   sync.Map    // name to *version
	count   atomic.Int64
	hashing sync.Mutex // one file at a time: those who want the same wait for it
}

func newCatalog(fsys fs.FS, prefix string) *catalog {
	return &catalog{fsys: fsys, prefix: prefix}
}

// stat returns what there is under a name; anything but files and folders counts as
// nothing.
func (c *catalog) stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(c.fsys, name)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist} // opening a pipe would wait for its other end
	}
	if err != nil {
		if _, was := c.known.LoadAndDelete(name); was {
			c.count.Add(-1)
		}
		return nil, err
	}
	return info, nil
}

// content is an open file. The reader is the file itself, which the kernel can send
// without copying, unless that cannot seek: then it is what was in it.
type content struct {
	io.ReadSeeker
	info fs.FileInfo
	file fs.File // nil when it was read into memory
}

func (c *content) Close() {
	if c.file != nil {
		c.file.Close()
	}
}

// open opens a regular file.
func (c *catalog) open(name string) (*content, error) {
	file, err := c.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	if seeker, ok := file.(io.ReadSeeker); ok {
		return &content{seeker, info, file}, nil
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxHashed+1))
	if err == nil && len(data) > maxHashed {
		err = fmt.Errorf("%s: a %T cannot seek, which ranges need, and the file is too large to be read into memory; serve it from a folder", name, file)
	}
	if err != nil {
		return nil, err
	}
	return &content{bytes.NewReader(data), info, nil}, nil
}

// version returns the version of a file that stat has just described.
func (c *catalog) version(name string, info fs.FileInfo) (*version, error) {
	if v := c.remembered(name, info); v != nil {
		return v, nil
	}
	if info.Size() > maxHashed && !info.ModTime().IsZero() {
		return c.remember(name, unhashed(info), info), nil
	}
	c.hashing.Lock()
	defer c.hashing.Unlock()
	if v := c.remembered(name, info); v != nil {
		return v, nil
	}
	v, err := c.read(name)
	if err != nil {
		return nil, err
	}
	return c.remember(name, v, info), nil
}

func (c *catalog) remembered(name string, info fs.FileInfo) *version {
	known, ok := c.known.Load(name)
	if !ok {
		return nil
	}
	if v := known.(*version); v.certain && v.is(info) {
		return v
	}
	return nil
}

// remember completes a version and stores it, if there is room.
func (c *catalog) remember(name string, v *version, info fs.FileInfo) *version {
	v.variants, _ = c.variants(name, info)
	if v.hash != "" {
		v.url = plainURL(c.prefix, hashedName(name, v.hash))
	}
	if _, known := c.known.Load(name); !known && c.count.Load() >= maxKnown {
		return v
	}
	if _, known := c.known.Swap(name, v); !known {
		c.count.Add(1)
	}
	return v
}

// unhashed tells versions apart by time and size.
func unhashed(info fs.FileInfo) *version {
	return &version{
		modified: info.ModTime(), size: info.Size(), certain: true,
		etag: []string{fmt.Sprintf("\"%x-%x\"", info.ModTime().UnixNano(), info.Size())},
	}
}

// read hashes a file. One that changes meanwhile gets a weak ETag and no hash.
func (c *catalog) read(name string) (*version, error) {
	file, err := c.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		return nil, err
	}
	after := file.info
	if file.file != nil {
		if after, err = file.file.Stat(); err != nil {
			return nil, err
		}
	}
	v := unhashed(file.info)
	v.certain = v.modified.IsZero() || time.Since(v.modified) > fresh
	if !v.is(after) || n != v.size {
		v.certain = false
		v.etag = []string{"W/" + v.etag[0]}
		return v, nil
	}
	v.hash = hex.EncodeToString(sum.Sum(nil)[:16])
	v.etag = []string{`"` + v.hash + `"`}
	return v, nil
}

// variants looks for precompressed files beside one. Those that are older than it are
// stale.
func (c *catalog) variants(name string, info fs.FileInfo) (list []coding, stale []string) {
	for _, coding := range codings {
		variant, err := fs.Stat(c.fsys, name+coding.suffix)
		switch {
		case err != nil || !variant.Mode().IsRegular():
		case variant.ModTime().Before(info.ModTime()):
			stale = append(stale, name+coding.suffix)
		default:
			list = append(list, coding)
		}
	}
	return list, stale
}

// hashedURL returns the address of a file with its hash, or "".
func (c *catalog) hashedURL(name string) string {
	if c.settled.Load() {
		if v, ok := c.known.Load(name); ok {
			return v.(*version).url
		}
	}
	if !allowed(name) {
		return ""
	}
	info, err := c.stat(name)
	if err != nil || info.IsDir() {
		return ""
	}
	v, err := c.version(name, info)
	if err != nil {
		return ""
	}
	return v.url
}

// scan hashes the files, up to the budget. What cannot be read is left out, since it
// cannot be served either.
func (c *catalog) scan(ctx context.Context, log *slog.Logger) error {
	budget := int64(scanBudget)
	return fs.WalkDir(c.fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && name == ".":
			return err
		case err != nil:
			log.Warn("static: not served", "file", name, "error", err)
			return nil
		case name == ".":
			return nil
		case !allowed(name) && entry.IsDir():
			return fs.SkipDir
		case entry.IsDir() || !allowed(name):
			return nil
		case budget <= 0 || c.count.Load() >= maxKnown:
			return fs.SkipAll
		}
		info, err := c.stat(name)
		if err == nil && !info.IsDir() {
			if _, err = c.version(name, info); err == nil {
				if _, stale := c.variants(name, info); stale != nil {
					log.Warn("static: compressed files that are older than their original are not served", "files", stale)
				}
				budget -= min(info.Size(), maxHashed)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			log.Warn("static: not served", "file", name, "error", err)
		}
		return nil
	})
}
