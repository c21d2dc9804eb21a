// Package static serves the files of a folder or an fs.FS: style sheets, scripts,
// images, a single-page application.
//
//	package main
//
//	import (
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/static"
//	)
//
//	func main() {
//		app := ishaa.New("shop")
//		assets := static.Dir("assets", "/static")
//		app.Install(assets)
//		app.Get("/", func(*ishaa.Request) (any, error) {
//			return ishaa.HTMLf(`<link rel="stylesheet" href="%s">`, assets.URL("app.css")), nil
//		})
//		app.Run()
//	}
//
// # Two addresses for each file
//
// Files.URL gives the address with the hash of the file's content in it, as
// "/static/app.2c26b46b68ffc68f.css"; so does url("static", "app.css") in a page of
// package template. What is there never changes, so browsers and
// proxies keep it for a year without asking. The plain address, "/static/app.css",
// is answered with no-cache and an ETag: a client may keep the file and asks each
// time whether it is still the one. An address with the hash of another content is a
// 404.
//
// Hashes are computed when the application starts, of a large folder the first half
// GiB and the rest when it is asked for. A file that changes is noticed when it is
// next asked for, by its time and size; with Config.Debug Files.URL looks at the disk
// each time too. A file above 32 MiB that has a modification time gets no hash: its
// ETag is made of time and size, and Files.URL gives its plain address. A file system
// that has no modification times, such as an embed.FS, is taken not to change.
//
// Names that a build tool has put a hash in are made immutable by Options.Immutable. A
// Before hook that sets Cache-Control has the last word.
//
// # Precompressed files
//
// If "app.css.br", "app.css.zst" or "app.css.gz" lies beside "app.css", it is what a
// client gets that accepts that coding (RFC 9110 §12.5.3), with an ETag of its own.
// One that is older than the file it was made from is left alone, and the log says so
// at the start. Nothing is compressed while serving.
//
// # What is never served
//
// A folder is opened as an os.Root: no name and no symbolic link leads out of it. The
// following are a 404, whether the file exists or not: names that begin with a dot
// (but those in a ".well-known" folder at the top), the folders of version control
// systems, device names of Windows (on every system), backslashes, colons, control
// characters, names that end in a dot or a space, short names such as GIT~1, and what
// is not a regular file. Paths are decoded once, by the router, which refuses dot
// segments, empty segments, escaped slashes and NUL. One that is malformed, by a "%"
// without two digits or octets that are not UTF-8, is its 400. Folders are not listed.
//
// The content type is told by the name alone, never guessed from the content.
package static
