//go:build unix

package browsertest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Folder is the environment variable that names where screenshots are put. Unset, they go with the test.
const Folder = "ISHAA_TEST_SCREENSHOTS"

// tallest is how much of a page a picture shows at most, in CSS pixels.
const tallest = 8000

// Screenshot writes a picture of the whole page, not only of what fits the window, to NAME-VIEW.png, such as
// "home-phone-dark.png", in the folder that the environment variable [Folder] names or, if none, in one that goes with
// the test. It returns the file's path.
func (p *Page) Screenshot(name string) string {
	p.t.Helper()
	p.Eval("document.fonts.ready.then(() => true)")
	s := p.size()
	var picture struct{ Data []byte }
	p.call("Page.captureScreenshot", map[string]any{
		"format": "png", "captureBeyondViewport": true,
		"clip": map[string]any{"x": 0, "y": 0, "width": s.Width, "height": min(s.Height, tallest), "scale": 1},
	}, &picture)
	file := filepath.Join(folder(p.t), name+"-"+p.view.String()+".png")
	if err := os.WriteFile(file, picture.Data, 0o644); err != nil {
		p.t.Fatal(err)
	}
	return file
}

var making sync.Mutex

func folder(t testing.TB) string {
	dir := os.Getenv(Folder)
	if dir == "" {
		return t.TempDir()
	}
	making.Lock()
	defer making.Unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
