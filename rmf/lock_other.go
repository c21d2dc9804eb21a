//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package rmf

import (
	"errors"
	"os"
	"time"
)

// lockStale is when a lock is taken to be that of a process that died: nobody holds one for more than a few writes.
const lockStale = 30 * time.Second

// tryLock takes a lock: a file that only one can make. It returns nil if somebody else has it.
func tryLock(name string) (unlock func() error, err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) || errors.Is(err, os.ErrPermission) {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > lockStale {
			_ = os.Remove(name)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return func() error { return errors.Join(file.Close(), os.Remove(name)) }, nil
}
