// Package callsite names the line that called into a package, for messages about what is wrong there: mistakes that are
// found when an application is set up stop it with the line that has them.
//
//	panic(callsite.Outside("github.com/ishaa-framework/ishaa/auth") + ": auth.JWT: the key is empty")
package callsite

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Outside returns "dir/file.go:line" of the nearest caller that is not code of the package with an import path. The
// package's own tests count as outside.
func Outside(path string) string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		inside := strings.HasPrefix(frame.Function, path+".") && !strings.HasSuffix(frame.File, "_test.go")
		if !inside {
			dir, file := filepath.Split(frame.File)
			return filepath.Base(dir) + "/" + file + ":" + strconv.Itoa(frame.Line)
		}
		if !more {
			return "unknown source"
		}
	}
}
