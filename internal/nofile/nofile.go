// Package nofile tells a file that is not to be had from a file system that fails: the first is a 404 of whoever serves
// it, the second a 500.
//
//	file, err := root.Open(name)
//	if nofile.Is(err) {
//		return ishaa.NotFound("there is no such file")
//	}
package nofile

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// Is reports errors by which a file system says that a name leads to no file that it would give out: there is none, it
// may not be read, the name cannot be one, a link leads out of an os.Root. Others, such as running out of descriptors,
// are not among them.
func Is(err error) bool {
	for _, target := range []error{
		fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid,
		syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	escapes := escapesRoot()
	return escapes != nil && errors.Is(err, escapes)
}

// escapesRoot is the error by which an os.Root refuses a link that leads out of it, which package os does not export.
var escapesRoot = sync.OnceValue(func() error {
	file, err := os.OpenInRoot(".", "..")
	if err == nil {
		file.Close()
	}
	var refused *fs.PathError
	if errors.As(err, &refused) {
		return refused.Err
	}
	return nil
})
