//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package rmf

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes a lock that ends with the process, however that ends. It returns nil if somebody else has it.
func tryLock(name string) (unlock func() error, err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		closing := file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return nil, closing
		}
		return nil, errors.Join(err, closing)
	}
	return file.Close, nil
}
