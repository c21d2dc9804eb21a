//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package program

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

func endWithGroup(*exec.Cmd) {}

func lock(string) (unlock func(), err error) { return func() {}, nil }

// Exec runs the program in the place of this one, and ends with its exit code.
func Exec(file, dir string, args, env []string) error {
	cmd := exec.Command(file, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signal.Ignore(os.Interrupt) // it is the program's
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err == nil {
		os.Exit(0)
	}
	return err
}
