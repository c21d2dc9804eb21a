package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The marks of the region that belongs to this package.
const (
	beginMark = "# >>> seqp: written by \"ishaa pipeline\"; what is between these marks is overwritten"
	endMark   = "# <<< seqp"
)

// Merge returns a file's text with the pipeline in it. What stands outside the marked region stays as it is; in a text
// without one the region comes at the end. A text with one mark only, or with the end before the beginning, is refused:
// it cannot be told what is whose.
func Merge(existing string, p Pipeline, platform Platform) (string, error) {
	if err := platform.valid(); err != nil {
		return "", err
	}
	if !branchName(p.Branch) {
		return "", fmt.Errorf("pipeline: %q is no name of a branch (see git check-ref-format)", p.Branch)
	}
	marked := beginMark + "\n" + region(p, platform) + endMark + "\n"
	begin, end := strings.Index(existing, beginMark), strings.Index(existing, endMark)
	switch {
	case begin < 0 && end < 0:
		if existing != "" && !strings.HasSuffix(existing, "\n") {
			existing += "\n"
		}
		return existing + marked, nil
	case begin < 0 || end < begin || strings.Count(existing, beginMark) > 1 || strings.Count(existing, endMark) > 1:
		return "", errors.New("pipeline: the marks of the generated region do not come as one pair: remove them both and what is between them, then write it again")
	}
	rest := existing[end+len(endMark):]
	return existing[:begin] + marked + strings.TrimPrefix(rest, "\n"), nil
}

// branchName reports whether git lets a branch be called so, as far as it matters in a pipeline's text.
func branchName(name string) bool {
	return name != "" && !strings.ContainsAny(name, " ~^:?*[\\\x7f") && !strings.Contains(name, "..") &&
		!strings.HasPrefix(name, "-") && !strings.HasPrefix(name, "/") && !strings.HasSuffix(name, "/") &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < ' ' })
}

// Render returns what the platform's file below the root is and what it should be.
func Render(root string, p Pipeline, platform Platform) (path, is, should string, err error) {
	if err := platform.valid(); err != nil {
		return "", "", "", err
	}
	path = filepath.Join(root, filepath.FromSlash(platform.File()))
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return path, "", "", fmt.Errorf("pipeline: %w", err)
	}
	should, err = Merge(string(text), p, platform)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return path, string(text), should, err
}

// WriteFile writes the platform's file below the root of a repository, whole or not at all, and says whether that changed
// anything.
func WriteFile(root string, p Pipeline, platform Platform) (changed bool, err error) {
	path, is, should, err := Render(root, p, platform)
	if err != nil || is == should {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, fmt.Errorf("pipeline: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".seqp-*")
	if err != nil {
		return false, fmt.Errorf("pipeline: %w", err)
	}
	_, err = file.WriteString(should)
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return false, fmt.Errorf("pipeline: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return true, nil
}
