//go:build unix

package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// What pages hear from the program: two visitors talk with each other, and a third one watches a job. The pages run under the
// default policy, by which no script runs that is not a file of the program.
func TestLiveInBrowser(t *testing.T) {
	testenv.Browser(t)
	cmd := exec.Command(build(t), "-addr", launch.FreeAddress(t))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), memory, "ISHAA_DEBUG=1")
	base := launch.Start(t, cmd, 1).URL("http")
	browser := browsertest.Launch(t)
	look := func(t *testing.T, page *browsertest.Page, name string) {
		t.Helper()
		accessible(t, page, name)
		for _, view := range []browsertest.View{browsertest.Phone, browsertest.Wide, browsertest.Wide.InDark()} {
			page.Look(view)
			page.Screenshot(name)
			if wider := page.Eval(`document.documentElement.scrollWidth > innerWidth`); wider != false {
				t.Errorf("%s is wider than the %s window", name, view)
			}
		}
	}

	t.Run("two visitors talk", func(t *testing.T) {
		ann, bob := browser.Open(t, browsertest.Wide), browser.Open(t, browsertest.Phone)
		ann.Goto(base + "/chat")
		ann.WaitFor(`document.querySelector("#state").textContent == "Connected."`)
		annName := ann.Text("#name")
		bob.Goto(base + "/chat")
		bob.WaitFor(`document.querySelector("#here").textContent.split(", ").length == 2`)
		ann.WaitFor(`document.querySelector("#here").textContent.split(", ").length == 2`)

		ann.Type("#text", `Is there <img src=x onerror="alert(1)"> Miles?`)
		ann.Click("#say button")
		bob.WaitFor(`document.querySelector("#said li")?.textContent.startsWith("` + annName + ` Is there <img src=x")`)
		bob.Type("#text", "Ten of them")
		bob.Press("Enter")
		ann.WaitFor(`document.querySelectorAll("#said li")[1]?.textContent.startsWith("` + bob.Text("#name") + ` Ten of them")`)
		look(t, ann, "chat")

		// Who comes back has the same name, and sees what was said.
		bob.Goto(base + "/chat")
		bob.WaitFor(`document.querySelectorAll("#said li").length == 2`)
		if ann.Eval(`document.querySelectorAll("#said li").length`) != 2.0 {
			t.Error("ann has not heard two lines")
		}

		// Who goes is seen to go.
		ann.Goto(base + "/")
		bob.WaitFor(`!document.querySelector("#here").textContent.includes(",")`)
	})

	t.Run("a job is watched", func(t *testing.T) {
		page := browser.Open(t, browsertest.Wide)
		page.Goto(base + "/letters")
		look(t, page, "letters")
		if status := page.Navigate(func() { page.Click(".favourite button") }); status != 200 {
			t.Fatalf("the job's page: %d", status)
		}
		address := page.Eval(`location.href`)
		page.Eval(`(() => { // notes what the bar shows
			window.shown = []
			const note = () => { const v = document.querySelector("#progress").value; if (window.shown.at(-1) !== v) window.shown.push(v) }
			note()
			new MutationObserver(note).observe(document.querySelector("#progress"), {attributes: true})
		})()`)
		page.WaitFor(`window.shown.length >= 3`)
		if grows := page.Eval(`window.shown.every((v, i, all) => i == 0 || v > all[i - 1])`); grows != true {
			t.Errorf("the bar shows %v", page.Eval(`window.shown`))
		}
		page.Goto(address.(string)) // a reload takes nothing away
		page.WaitFor(`document.querySelector("#status").textContent == "completed" && document.querySelector("#progress").value == 59`)
		look(t, page, "letter")
		page.Goto(base + "/_ishaa/outbox")
		if n := page.Eval(`document.querySelectorAll("details").length`); n != float64(mailed) {
			t.Errorf("the outbox has %v letters", n)
		}
	})
}
