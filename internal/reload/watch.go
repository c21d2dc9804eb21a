//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package reload

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// What counts is what the program may be built from or read: Go, settings, SQL, pages and what belongs to them. A file
// that was touched and is the same counts as little as one that a program keeps its own data in.
var extensions = strings.Fields(`.go .mod .sum .work .sql .html .htm .tmpl .gohtml .jinja .jinja2 .j2 .txt .xml .css .js .mjs .json .svg .png
	.jpg .jpeg .gif .webp .avif .ico .woff .woff2 .md .yaml .yml .toml .graphql .gql .po .csv .pem`)

// Folders in which nothing counts.
var ignoredFolders = []string{"node_modules", "testdata", "uploads", "tmp", "bin", "dist"}

// quiet is how long nothing has to happen before what happened counts: editors write in several steps. A step that comes
// later ends the build that is under way, and begins another one.
const quiet = 20 * time.Millisecond

type watcher struct {
	root   string
	ignore []string // patterns of filepath.Match, for names and for paths from the root
	notify *fsnotify.Watcher
	known  map[string][sha256.Size]byte
	warn   func(error)
}

func newWatcher(root string, ignore []string, warn func(error)) (*watcher, error) {
	for _, pattern := range ignore {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("the pattern %q: %w", pattern, err)
		}
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching files: %w", err)
	}
	w := &watcher{root: root, ignore: ignore, notify: notify, known: map[string][sha256.Size]byte{}, warn: warn}
	if _, err := w.add(root); err != nil {
		notify.Close()
		return nil, fmt.Errorf("watching files: %w; if there are too many, raise fs.inotify.max_user_watches, or leave some out with --ignore", err)
	}
	return w, nil
}

// add watches a folder and all below it, and says whether a file that counts is new or has changed.
func (w *watcher) add(dir string) (changed bool, err error) {
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone again
			return nil
		case err != nil:
			if entry != nil && entry.IsDir() && name != dir {
				w.warn(err)
				return fs.SkipDir
			}
			return err
		case entry.IsDir():
			if name != w.root && w.ignored(name, true) {
				return fs.SkipDir
			}
			if err := w.notify.Add(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
		changed = w.differs(name) || changed
		return nil
	})
	return changed, err
}

// ignored reports whether nothing of a file, or of a folder, counts.
func (w *watcher) ignored(name string, folder bool) bool {
	base := filepath.Base(name)
	relative, err := filepath.Rel(w.root, name)
	if err != nil {
		return true
	}
	for _, pattern := range w.ignore {
		for _, text := range []string{base, relative} {
			if ok, _ := filepath.Match(pattern, text); ok {
				return true
			}
		}
	}
	if folder {
		return strings.HasPrefix(base, ".") || slices.Contains(ignoredFolders, base)
	}
	if base == ".env" {
		return false
	}
	return strings.HasPrefix(base, ".") || strings.HasSuffix(base, "_test.go") || !slices.Contains(extensions, strings.ToLower(filepath.Ext(base)))
}

// differs notes what is in a file, and says whether that is something else than before.
func (w *watcher) differs(name string) bool {
	if w.ignored(name, false) {
		return false
	}
	text, err := os.ReadFile(name)
	before, had := w.known[name]
	if err != nil {
		delete(w.known, name)
		return had
	}
	now := sha256.Sum256(text)
	w.known[name] = now
	return !had || before != now
}

// run sends on changes whenever files that count have changed, until the context ends. A change that nobody has taken yet
// is not sent twice.
func (w *watcher) run(ctx context.Context, changes chan<- struct{}) {
	defer w.notify.Close()
	touched := map[string]bool{}
	all := false
	settled := time.NewTimer(time.Hour)
	settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-w.notify.Events:
			if !ok {
				return
			}
			if event.Op == fsnotify.Chmod {
				continue
			}
			touched[event.Name] = true
			settled.Reset(quiet)
		case err, ok := <-w.notify.Errors:
			if !ok {
				return
			}
			if errors.Is(err, fsnotify.ErrEventOverflow) {
				all = true
				settled.Reset(quiet)
			} else {
				w.warn(err)
			}
		case <-settled.C:
			if w.changed(touched, all) {
				select {
				case changes <- struct{}{}:
				default:
				}
			}
			touched, all = map[string]bool{}, false
		}
	}
}

// changed looks at what was touched; a folder that is new is watched from now on.
func (w *watcher) changed(touched map[string]bool, all bool) (changed bool) {
	if all {
		touched = map[string]bool{w.root: true}
	}
	for name := range touched {
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			if name != w.root && w.ignored(name, true) {
				continue
			}
			more, err := w.add(name)
			if err != nil {
				w.warn(err)
			}
			changed = changed || more
		case err != nil: // a file, or a folder with all that was in it
			for known := range w.known {
				if known == name || strings.HasPrefix(known, name+string(filepath.Separator)) {
					delete(w.known, known)
					changed = true
				}
			}
		default:
			changed = w.differs(name) || changed
		}
	}
	return changed
}
