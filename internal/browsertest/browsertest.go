//go:build unix

// Package browsertest drives Chromium in tests: it opens pages, clicks and types as a visitor does, takes screenshots,
// and reports what browsers complain about. It speaks the DevTools protocol with the browser over a pipe.
//
//	func TestShop(t *testing.T) {
//		browser := browsertest.Launch(t) // skips, with one line that says why, where there is no Chromium
//		page := browser.Open(t, browsertest.Phone)
//		page.Goto(server.URL + "/")
//		page.Type("#q", "miles davis")
//		page.Navigate(func() { page.Press("Enter") })
//		page.WaitFor(`document.querySelectorAll(".album").length > 0`)
//		page.Screenshot("search")
//	} // fails if the page logged an error or asked another host for anything
//
// The browser reaches loopback only: other names do not resolve in it, so that a page that needs the internet fails here.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// Patience is how long the browser may take for one thing: milliseconds usually, seconds on a machine that is busy.
const Patience = 60 * time.Second

// Browser is a running Chromium. Its pages share nothing: each has cookies and storage of its own.
type Browser struct {
	wire *wire
}

// flags keep Chromium from doing anything but what it is told.
var flags = []string{
	"--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
	"--disable-dev-shm-usage", "--disable-extensions", "--disable-sync", "--disable-component-update", "--disable-default-apps",
	"--disable-background-networking", "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--disable-quic",
	"--metrics-recording-only", "--no-pings", "--password-store=basic", "--use-mock-keychain", "--mute-audio", "--hide-scrollbars",
	"--force-color-profile=srgb", "--font-render-hinting=none", "--lang=en-US",
	"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost",
}

// Launch starts Chromium, with a profile of its own, until the test ends.
func Launch(t testing.TB) *Browser {
	t.Helper()
	path := testenv.Browser(t)
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append(flags, "--user-data-dir="+profile, "about:blank")...)
	if os.Geteuid() == 0 {
		cmd.Args = append(cmd.Args, "--no-sandbox") // which it refuses to set up for root
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var complaints head
	cmd.Stderr = &complaints
	w, err := startOverPipe(cmd)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	b := &Browser{w}
	t.Cleanup(func() {
		b.stop(t, cmd)
		removeProfile(t, profile)
	})
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	var version struct{ Product string }
	if err := w.call(ctx, "", "Browser.getVersion", nil, &version); err != nil {
		t.Fatalf("%s does not answer: %v\n%s", path, err, complaints.String())
	}
	return b
}

// startOverPipe starts the browser with its end of the protocol's pipes as file descriptors 3 and 4.
func startOverPipe(cmd *exec.Cmd) (*wire, error) {
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		ourOut.Close()
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	err = cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		ourOut.Close()
		ourIn.Close()
		return nil, err
	}
	return newWire(ourIn, ourOut), nil
}

// stop asks the browser to end, and ends it with all of its processes if it does not.
func (b *Browser) stop(t testing.TB, cmd *exec.Cmd) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	_ = b.wire.call(ctx, "", "Browser.close", nil, nil) // it may have gone already
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // whatever it ends with: it was told to
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(Patience / 4):
		t.Log("the browser does not stop when it is told to")
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left behind
	<-ended
	b.wire.close()
}

// removeProfile tries again while the browser's last processes still write.
func removeProfile(t testing.TB, dir string) {
	deadline := time.Now().Add(Patience / 4)
	for {
		err := os.RemoveAll(dir)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Logf("the browser's profile stays: %v", err)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// View is what a page is looked at with. Sizes are in CSS pixels.
type View struct {
	Width, Height int
	Phone         bool // a touch screen, and the page's viewport counts
	Dark          bool // the visitor prefers dark pages
}

// The usual views. Motion is always reduced, so that pictures do not depend on when they are taken.
var (
	Wide  = View{Width: 1280, Height: 800}
	Phone = View{Width: 390, Height: 844, Phone: true}
)

// InDark returns the view for a visitor who prefers dark pages.
func (v View) InDark() View {
	v.Dark = true
	return v
}

// String returns a name for files: "wide", "wide-dark", "phone", "600x400".
func (v View) String() string {
	name := fmt.Sprintf("%dx%d", v.Width, v.Height)
	light := v
	light.Dark = false
	switch light {
	case Wide:
		name = "wide"
	case Phone:
		name = "phone"
	}
	if v.Dark {
		name += "-dark"
	}
	return name
}

// head keeps the beginning of what was written to it.
type head struct {
	mu   sync.Mutex
	text strings.Builder
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.text.Len() < 16<<10 {
		h.text.Write(p)
	}
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}
