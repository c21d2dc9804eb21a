package reload

import "syscall"

// attributes make a process group. On Linux the program ends even if this process is killed without a chance to end it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
