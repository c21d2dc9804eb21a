package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/peterh/liner"

	"github.com/ishaa-framework/ishaa/internal/terminal"
)

// prompt reads statements from the terminal until Ctrl-D.
func (s *session) prompt(ctx context.Context, history string) error {
	// The context that commands get ends with the first Ctrl-C, which ends one statement here.
	ctx, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM)
	defer signal.Stop(ends)

	line := liner.NewLiner()
	defer line.Close() // gives the terminal back as it was
	line.SetCtrlCAborts(true)
	line.SetMultiLineMode(true)
	line.SetTabCompletionStyle(liner.TabPrints)
	line.SetWordCompleter(s.complete)
	kept := loadHistory(line, history)
	defer func() {
		if err := kept(); err != nil {
			fmt.Fprintln(os.Stderr, "shell: the lines could not be kept:", err)
		}
	}()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-ends: // a terminal in raw mode would be left behind
			_ = kept()
			line.Close()
			os.Exit(128 + int(syscall.SIGTERM))
		case <-stop:
		}
	}()

	fmt.Fprintf(s.out, "%s: help() says what there is, Tab completes, Ctrl-D leaves\n", s.app.Name())
	for {
		again, err := s.statement(ctx, line, interrupts)
		if err != nil {
			fmt.Fprintln(s.out, s.style.Bad("error:"), terminal.Clean(s.explain(err)))
		}
		if !again {
			fmt.Fprintln(s.out)
			return nil
		}
	}
}

// statement reads one statement, which may have several lines, and runs it.
func (s *session) statement(ctx context.Context, line *liner.State, interrupts <-chan os.Signal) (again bool, err error) {
	sign := ">>> "
	if s.readonly {
		sign = "read-only> "
	}
	var typed []string
	var stopped error
	file, err := dialect.ParseCompoundStmt("<stdin>", func() ([]byte, error) {
		text, err := line.Prompt(sign)
		if err != nil {
			stopped = err
			return nil, err
		}
		sign = strings.Repeat(".", len(strings.TrimSpace(sign))) + " "
		typed = append(typed, text)
		if len(typed) == 1 {
			text = strings.TrimLeft(text, " \t") // a blank keeps it out of the history, and is no indentation
		}
		return []byte(text + "\n"), nil
	})
	for _, text := range typed {
		if text != "" && !strings.HasPrefix(text, " ") || len(typed) > 1 && strings.TrimSpace(text) != "" {
			line.AppendHistory(text)
		}
	}
	switch {
	case errors.Is(stopped, liner.ErrPromptAborted):
		return true, nil
	case stopped != nil:
		return false, nil // the end of the input
	case err != nil:
		return true, err
	}
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-interrupts:
			cancel(errInterrupted)
		case <-done:
		}
	}()
	err = s.execute(running, file)
	close(done)
	<-watched
	select {
	case <-interrupts: // that came too late
	default:
	}
	return true, err
}

// loadHistory reads the lines of last time. The function that it returns writes them back.
func loadHistory(line *liner.State, name string) (keep func() error) {
	if name == "" {
		return func() error { return nil }
	}
	if text, err := os.ReadFile(name); err == nil {
		_, _ = line.ReadHistory(bytes.NewReader(text)) // a line that is too long ends it
	}
	return func() error {
		var text bytes.Buffer
		if _, err := line.WriteHistory(&text); err != nil {
			return err
		}
		return writePrivate(name, &text)
	}
}

// writePrivate writes a file that nobody else may read, in one step.
func writePrivate(name string, text io.Reader) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".history-") // with mode 0600
	if err != nil {
		return err
	}
	_, err = io.Copy(file, text)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		if removed := os.Remove(file.Name()); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return err
}
