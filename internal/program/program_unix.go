//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package program

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// endWithGroup has the end of a command's context end what the command started too: the compilers of "go build".
func endWithGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
}

// lock waits for a file to be nobody else's.
func lock(name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}

// Exec replaces this process by the program, so that signals, terminal and exit code are its own.
func Exec(file, dir string, args, env []string) error {
	if err := os.Chdir(dir); err != nil {
		return err
	}
	return syscall.Exec(file, append([]string{file}, args...), env)
}
