//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package reload

import "syscall"

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
