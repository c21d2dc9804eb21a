package terminal_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/creack/pty"

	"github.com/ishaa-framework/ishaa/internal/terminal"
)

func TestStyle(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	if got := terminal.StyleFor(&bytes.Buffer{}).Bad("x"); got != "x" {
		t.Errorf("colour in a buffer: %q", got)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if terminal.Is(null) {
		t.Error("the null device counts as a terminal")
	}
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no terminal: %v", err)
	}
	defer master.Close()
	defer tty.Close()
	s := terminal.StyleFor(tty)
	if got := s.Bold("a") + s.Quiet("b") + s.Good("c") + s.Bad("d") + s.Bad(""); got != "\x1b[1ma\x1b[0m\x1b[2mb\x1b[0m\x1b[32mc\x1b[0m\x1b[31md\x1b[0m" {
		t.Errorf("%q", got)
	}
	t.Setenv("NO_COLOR", "1")
	if got := terminal.StyleFor(tty).Bad("x"); got != "x" {
		t.Errorf("colour with NO_COLOR: %q", got)
	}
}

func TestClean(t *testing.T) {
	if got := terminal.Clean("a\x1b[2Jb\n\tc\r\u009b"); got != "a\ufffd[2Jb\n\tc\ufffd\ufffd" {
		t.Errorf("%q", got)
	}
}
