//go:build unix

package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// The pages in a real browser: a test fails when one logs an error or asks another host for anything. Run it with
// ISHAA_TEST_SCREENSHOTS=folder to look at them.
func TestInBrowser(t *testing.T) {
	testenv.Browser(t)
	cmd := exec.Command(build(t), "-addr", launch.FreeAddress(t))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), memory)
	base := launch.Start(t, cmd, 1).URL("http")
	browser := browsertest.Launch(t)
	views := []browsertest.View{browsertest.Wide, browsertest.Phone, browsertest.Wide.InDark(), browsertest.Phone.InDark()}

	t.Run("pages", func(t *testing.T) {
		for path, c := range map[string]struct {
			name   string
			status int
		}{
			"/": {"home", 200}, "/search?q=miles": {"search", 200}, "/search?q=%3Cb%3E": {"nothing-found", 200},
			"/albums/48": {"album", 200}, "/nowhere": {"missing", 404},
		} {
			page := browser.Open(t, browsertest.Wide)
			if status := page.Goto(base + path); status != c.status {
				t.Errorf("%s: %d", path, status)
			}
			for _, view := range views {
				page.Look(view)
				page.Eval(`Promise.all([...document.images].map(i => { i.loading = "eager"; return i.decode() }))`)
				page.Screenshot(c.name)
				if wider := page.Eval(`document.documentElement.scrollWidth > innerWidth`); wider != false {
					t.Errorf("%s is wider than the %s window", path, view)
				}
			}
			accessible(t, page, path)
		}
	})

	t.Run("a reservation, at the third try", func(t *testing.T) {
		page := browser.Open(t, browsertest.Phone)
		page.Goto(base + "/albums/48")
		page.Type("#name", "A")
		page.Type("#email", "ann at example.com")
		page.Type("#copies", "9")
		if status := page.Navigate(func() { page.Click(".panel button") }); status != 422 {
			t.Errorf("a form that does not fit: %d", status)
		}
		for selector, want := range map[string]string{
			"#name-error": "Your name must be at least 2 characters long", "#email-error": "E-mail address must be an e-mail address",
			"#copies-error": "Copies must be at most 5", "#day-error": "Day you come must be a date like 2026-01-31",
		} {
			if got := page.Text(selector); got != want {
				t.Errorf("%s says %q, want %q", selector, got, want)
			}
		}
		for selector, want := range map[string]string{"#name": "A", "#email": "ann at example.com", "#copies": "9"} {
			if got := page.Eval(`document.querySelector("` + selector + `").value`); got != want {
				t.Errorf("%s has become %v", selector, got)
			}
		}
		accessible(t, page, "the form with errors")
		for _, view := range views {
			page.Look(view)
			page.Screenshot("form-with-errors")
		}
		page.Type("#name", "Ann <b>")
		page.Type("#email", "ann@example.com")
		page.Type("#copies", "2")
		page.Eval(`document.querySelector("#day").value = "2020-01-01"`)
		page.Navigate(func() { page.Click(".panel button") })
		if got := page.Text("#day-error"); got != "Day you come must be within two weeks, and not today" {
			t.Errorf("a day that is over: %q", got)
		}
		page.Eval(`(() => { // the next day but one, or two when that is a Sunday
			const day = new Date(Date.now() + 2 * 86400e3)
			if (day.getUTCDay() == 0) day.setUTCDate(day.getUTCDate() + 1)
			document.querySelector("#day").value = day.toISOString().slice(0, 10)
		})()`)
		if status := page.Navigate(func() { page.Click(".panel button") }); status != 200 || page.Text("h1") != "It is put by, Ann <b>" {
			t.Errorf("%d %s", status, page.Text("h1"))
		}
		page.Screenshot("reservation")
		accessible(t, page, "the reservation")
	})

	t.Run("fragments", func(t *testing.T) {
		page := browser.Open(t, browsertest.Wide)
		page.Goto(base + "/")
		page.WaitFor(`window.htmx`)
		page.Eval(`window.unmoved = true`)
		page.Click(".more a")
		page.WaitFor(`document.querySelectorAll(".album").length == 24 && !document.querySelector(".htmx-added, .htmx-settling")`)
		page.Click(".more a")
		page.WaitFor(`document.querySelectorAll(".album").length == 36`)
		if page.Eval(`window.unmoved`) != true {
			t.Error("the page was loaded anew")
		}

		page.Goto(base + "/search")
		page.WaitFor(`window.htmx`)
		page.Type("input[name=q]", "davis essential")
		page.WaitFor(`document.querySelector("#results .count")?.textContent == "2 albums for “davis essential”"`)
		page.WaitFor(`location.pathname + location.search == "/search?q=davis+essential"`)
		page.Type("input[name=q]", "<img src=x onerror=alert(1)>")
		page.WaitFor(`document.querySelector("#results .count")?.textContent.startsWith("0 albums for “<img")`)
		if status := page.Navigate(func() { page.Click(".search button") }); status != 200 {
			t.Errorf("the form itself: %d", status)
		}
	})

	t.Run("a cover is uploaded", func(t *testing.T) {
		var drawn bytes.Buffer
		if err := png.Encode(&drawn, image.NewGray(image.Rect(0, 0, 77, 77))); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "cover.png")
		if err := os.WriteFile(file, drawn.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		page := browser.Open(t, browsertest.Wide)
		page.Goto(base + "/albums/2")
		page.Choose("#cover", file)
		if status := page.Navigate(func() { page.Click(".upload button") }); status != 200 || page.Eval(`location.pathname`) != "/albums/2" {
			t.Errorf("%d at %v", status, page.Eval(`location.href`))
		}
		page.WaitFor(`document.querySelector(".cover").naturalWidth == 77`)
	})

	t.Run("a favourite is remembered", func(t *testing.T) {
		page := browser.Open(t, browsertest.Phone)
		page.Goto(base + "/")
		page.Eval(`document.querySelector("#genre").value = "Jazz"`)
		page.Navigate(func() { page.Click(".favourite button") })
		if got := page.Text("h1"); got != "Jazz" {
			t.Errorf("the page shows %s", got)
		}
		page.Screenshot("favourite")
	})
}

// accessible checks what readers of a page need: a language, a title, one heading of the first order, a label for every
// field, a text for every picture and every link, and enough contrast.
func accessible(t *testing.T, page *browsertest.Page, name string) {
	t.Helper()
	complaints, _ := page.Eval(`(() => {
		const list = []
		const all = s => [...document.querySelectorAll(s)]
		if (!document.documentElement.lang) list.push("no language")
		if (!document.title.trim()) list.push("no title")
		if (all("h1").length != 1) list.push(all("h1").length + " headings of the first order")
		for (const e of all("input:not([type=hidden]), select, textarea"))
			if (!(e.labels?.length || e.getAttribute("aria-label"))) list.push("no label: " + e.outerHTML)
		for (const e of all("img")) if (!e.hasAttribute("alt")) list.push("no alt: " + e.outerHTML)
		for (const e of all("a, button")) if (!(e.textContent.trim() || e.getAttribute("aria-label"))) list.push("no text: " + e.outerHTML)
		for (const e of all("[aria-describedby], [aria-labelledby]"))
			for (const id of (e.getAttribute("aria-describedby") || e.getAttribute("aria-labelledby")).split(" "))
				if (!document.getElementById(id)) list.push("no element " + id)
		const ids = all("[id]").map(e => e.id)
		for (const id of ids) if (ids.indexOf(id) != ids.lastIndexOf(id)) list.push("twice: " + id)
		const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
		for (const e of all("h1, h2, p, a, label, small, button, .error")) {
			let under = e
			while (under && /^rgba\(.*, 0\)$/.test(getComputedStyle(under).backgroundColor)) under = under.parentElement
			const a = light(getComputedStyle(e).color), b = light(getComputedStyle(under || document.body).backgroundColor)
			const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
			if (contrast < 4.5) list.push("contrast " + contrast.toFixed(2) + ": " + e.outerHTML.slice(0, 80))
		}
		return list
	})()`).([]any)
	for _, complaint := range complaints {
		t.Errorf("%s: %v", name, complaint)
	}
}
