// Package files keeps what visitors upload: in one folder, under names of its own,
// of types that the program allows, within limits, and gives it out so that a
// browser runs none of it.
//
//	package main
//
//	import (
//		"bytes"
//
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/files"
//	)
//
//	func main() {
//		uploads, err := files.Open("uploads", files.Options{Types: []string{"image/png", "image/jpeg", "application/pdf"}})
//		if err != nil {
//			panic(err)
//		}
//		defer uploads.Close()
//		app := ishaa.New("shop")
//		app.Post("/files/<name>", func(r *ishaa.Request) (any, error) {
//			body, err := r.Bytes()
//			if err != nil {
//				return nil, err
//			}
//			return uploads.Save(r.Context(), r.Param("name"), bytes.NewReader(body))
//		})
//		app.Get("/files/<id>", func(r *ishaa.Request) (any, error) {
//			return ishaa.Serve(uploads.Handler(r.Param("id"))), nil
//		})
//		app.Run()
//	}
//
// # Names
//
// A file gets an id of 128 random bits, and that is its name on disk. What the client
// calls it is kept beside it and comes back only in Content-Disposition; no path is
// ever made of it. All access goes through an os.Root, so links cannot lead out of
// the folder either.
//
// # Types
//
// The type is what the first bytes say, and must be among Options.Types. The client's
// own Content-Type counts for nothing, and the end of the name only tells apart
// formats that begin alike, such as CSV and plain text.
//
// # Crashes
//
// A file is there as a whole or not at all: it is written under another name,
// flushed to the disk and renamed. What a crash leaves behind is removed by a later
// Open. One process at a time owns the folder, since it counts the quota.
//
// Under effect.WithShadow a file is read and checked, but not kept, and reported.
package files
