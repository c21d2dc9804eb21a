//go:build unix

package mutation

import (
	"os/exec"
	"syscall"
)

// endsWithChildren has all that a test started end with it: it leads a process group, which is killed as a whole.
func endsWithChildren(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
}
