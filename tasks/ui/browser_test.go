//go:build unix

package ui_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/tasks/ui"
)

// The pages in a browser that has no internet, under the default policy: they list a job and show its error.
func TestInBrowser(t *testing.T) {
	testenv.Browser(t)
	for _, engine := range []ormtest.Engine{ormtest.SQLite, ormtest.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			app, task := shop(t, ormtest.New(t, engine), ishaa.Config{Debug: true}, ui.Options{})
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- app.Serve(ctx, listener) }()
			t.Cleanup(func() {
				cancel()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
			within, cancelWait := context.WithTimeout(t.Context(), time.Minute)
			defer cancelWait()
			page := browsertest.Launch(t).Open(t, browsertest.Wide) // Goto waits for the start
			page.Goto("http://" + listener.Addr().String() + "/jobs/")
			job, err := task.Delay(within, "nowhere")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := job.Wait(within); err == nil {
				t.Fatal("the job did not fail")
			}
			page.Goto("http://" + listener.Addr().String() + "/jobs/jobs?state=discarded")
			page.WaitFor(`document.querySelector("main")?.textContent.includes("deliver")`)
			page.Screenshot("jobs")
			page.Goto("http://" + listener.Addr().String() + "/jobs/jobs/1")
			page.WaitFor(`document.body.textContent.includes("no such street: nowhere")`)
			page.Screenshot("job")
			for _, complaint := range page.ConsoleErrors() {
				// A library among the pages' asks whether code may be made of text, and does without when it may not.
				if !strings.HasPrefix(complaint, "security:  Note that 'script-src'") {
					t.Errorf("the page logged %s", complaint)
				}
			}
			if foreign := page.ForeignRequests(); len(foreign) > 0 {
				t.Errorf("the page asked others: %q", foreign)
			}
			page.Forgive()
		})
	}
}
