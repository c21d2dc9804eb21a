package ishaa

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// modulePath is the prefix of the functions of this module, as the runtime
// names them.
const modulePath = "github.com/ishaa-framework/ishaa"

// callerOutside returns "dir/file.go:line" of the nearest caller that is not the
// framework's own code: where a user registered something.
func callerOutside() string {
	var pcs [32]uintptr
	n := runtime.Callers(2, pcs[:])
	frames := runtime.CallersFrames(pcs[:n])
	for {
		frame, more := frames.Next()
		if !ownFrame(frame) {
			dir, file := filepath.Split(frame.File)
			return filepath.Base(dir) + "/" + file + ":" + strconv.Itoa(frame.Line)
		}
		if !more {
			return "unknown source"
		}
	}
}

// ownFrame tells the framework's code from programs that live in its
// repository: examples, commands and tests register routes like any user.
func ownFrame(frame runtime.Frame) bool {
	rest, ok := strings.CutPrefix(frame.Function, modulePath)
	if !ok || strings.HasSuffix(frame.File, "_test.go") {
		return false
	}
	for _, program := range []string{"/examples/", "/cmd/", "/internal/conformance/", "/bench/"} {
		if strings.HasPrefix(rest, program) {
			return false
		}
	}
	return strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "/")
}
