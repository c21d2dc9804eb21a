package static

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Options are the settings of Dir and FS.
type Options struct {
	// Name is the route's name; default "static". A second folder of one
	// application needs another one.
	Name string

	// Index has "docs/" answered by "docs/index.html", and "docs" by a redirect
	// there. Folders are never listed.
	Index bool

	// Fallback is a file such as "index.html" that answers where there is no file, for
	// applications that route in the browser. It is given to browsers that navigate
	// and to nothing else: the request accepts text/html by name and its last segment
	// has no dot. The address of the folder itself gives it to everybody, unless Index
	// finds a page.
	Fallback string

	// MaxAge is how long clients may keep a file under its plain address without
	// asking; default 0, no-cache. It does not apply to what Index and Fallback give.
	MaxAge time.Duration

	// Private keeps files out of caches that several people share. Set it where the
	// route is guarded.
	Private bool

	// Immutable says of names within the folder that what is there never changes, as
	// of those that a build tool has put a hash in. They are kept for a year.
	Immutable func(name string) bool

	// Types are content types by extension, such as {".glb": "model/gltf-binary"},
	// besides the usual ones.
	Types map[string]string

	// Route are options of the route, such as a guard or a host.
	Route []ishaa.RouteOption
}

// Served is the annotation by which a route's Files are found, such as by a
// template's url function: App.Lookup("static"), then Served.Of.
var Served = ishaa.NewAnnotation[*Files]("static")

// Files is a folder or file system that is served: a Plugin of one application. Its
// methods may be called by any goroutine.
type Files struct {
	dir     string // what Dir was given
	prefix  string // "/static", or "" for "/"
	options Options
	rules   rules
	mistake error // found before there was anybody to tell
	root    *os.Root
	app     *ishaa.App
	catalog atomic.Pointer[catalog] // nil until it is installed
}

// Dir serves a folder under a prefix, such as "/static" or "/". The folder is opened
// when the plugin is installed; what is put in its place later, as by changing a
// symbolic link, is served after a restart.
func Dir(dir, prefix string, options ...Options) *Files {
	f := newFiles(prefix, options)
	f.dir = dir
	return f
}

// FS serves a file system, such as an embed.FS, under a prefix. Use Dir for folders:
// os.DirFS follows links out of the folder.
//
//	//go:embed assets
//	var embedded embed.FS
//
//	assets, err := fs.Sub(embedded, "assets")
//	app.Install(static.FS(assets, "/static"))
func FS(fsys fs.FS, prefix string, options ...Options) *Files {
	f := newFiles(prefix, options)
	if fsys == nil {
		f.mistake = errors.Join(f.mistake, errors.New("the file system is nil"))
		return f
	}
	f.catalog.Store(newCatalog(fsys, f.prefix))
	return f
}

func newFiles(prefix string, options []Options) *Files {
	f := &Files{prefix: strings.TrimSuffix(prefix, "/")}
	switch {
	case len(options) > 1:
		f.mistake = fmt.Errorf("%d Options are given; give one", len(options))
	case len(options) == 1:
		f.options = options[0]
	}
	f.rules = newRules(f.options)
	if f.options.Name == "" {
		f.options.Name = "static"
	}
	if !strings.HasPrefix(prefix, "/") || strings.HasPrefix(prefix, "//") || strings.ContainsAny(prefix, "<>%?#") {
		f.mistake = errors.Join(f.mistake, fmt.Errorf(`the prefix %q is not the beginning of a path; give one such as "/static"`, prefix))
	}
	if page := f.options.Fallback; page != "" && !allowed(page) {
		f.mistake = errors.Join(f.mistake, fmt.Errorf(`the fallback %q is no file that could be served; give a name within the folder, such as "index.html"`, page))
	}
	for ext := range f.options.Types {
		if !strings.HasPrefix(ext, ".") || ext != strings.ToLower(ext) {
			f.mistake = errors.Join(f.mistake, fmt.Errorf(`the type %q is not an extension in lower case, such as ".glb"`, ext))
		}
	}
	return f
}

// Install opens the folder and registers its routes: GET, and with it HEAD, for every
// path below the prefix, and for the prefix itself where Index or Fallback can answer
// it.
func (f *Files) Install(app *ishaa.App) error {
	if f.mistake != nil {
		return fmt.Errorf("static: %w", f.mistake)
	}
	if f.app != nil {
		return errors.New("static: the files are installed already; make others for another application")
	}
	if f.catalog.Load() == nil {
		root, err := os.OpenRoot(f.dir)
		if err != nil {
			return fmt.Errorf("static: %w; a relative path begins at the working directory", err)
		}
		f.root = root
		f.catalog.Store(newCatalog(root.FS(), f.prefix))
	}
	f.app = app
	options := append([]ishaa.RouteOption{Served.On(f)}, f.options.Route...)
	app.Get(f.prefix+"/<path:path>", f.serve, append(options, ishaa.Name(f.options.Name))...)
	if f.options.Index || f.options.Fallback != "" {
		app.Get(f.prefix+"/", f.serve, options...)
	}
	return nil
}

// Start reads the files and computes their hashes, unless the application runs with
// Config.Debug, where each is read when it is asked for.
func (f *Files) Start(ctx context.Context) error {
	c := f.catalog.Load()
	if page := f.options.Fallback; page != "" {
		if _, err := c.stat(page); err != nil {
			if !f.app.Config().Debug {
				return fmt.Errorf("static: the fallback: %w", err)
			}
			f.app.Logger().Warn("static: the fallback cannot be served", "error", err)
		}
	}
	if f.app.Config().Debug {
		return nil
	}
	if err := c.scan(ctx, f.app.Logger()); err != nil {
		return fmt.Errorf("static: reading the files under %s/: %w", f.prefix, err)
	}
	c.settled.Store(true)
	return nil
}

// Stop closes the folder.
func (f *Files) Stop(context.Context) error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}

// URL returns the address of a file, given by its name within the folder, such as
// "css/app.css": with its hash, or the plain one for a file that has none. For a name
// that leads to no file it is the plain address, which is a 404. A "#fragment" goes
// behind what URL returns.
func (f *Files) URL(path string) string {
	name := strings.TrimPrefix(path, "/")
	if c := f.catalog.Load(); c != nil {
		if hashed := c.hashedURL(name); hashed != "" {
			return hashed
		}
	}
	return plainURL(f.prefix, name)
}

func plainURL(prefix, name string) string {
	return (&url.URL{Path: prefix + "/" + name}).EscapedPath()
}
