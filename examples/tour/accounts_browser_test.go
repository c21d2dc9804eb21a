//go:build unix

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// Membership in a real browser, from the first form to signing out, with the mail in the outbox of debug mode.
func TestMembersInBrowser(t *testing.T) {
	testenv.Browser(t)
	cmd := exec.Command(build(t), "-addr", launch.FreeAddress(t))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), memory, "ISHAA_DEBUG=1")
	base := launch.Start(t, cmd, 1).URL("http")
	browser := browsertest.Launch(t)
	look := func(page *browsertest.Page, name string) {
		t.Helper()
		accessible(t, page, name)
		views := []browsertest.View{browsertest.Wide, browsertest.Phone.InDark()}
		if os.Getenv(browsertest.Folder) != "" { // for somebody to look at
			views = append(views, browsertest.Phone, browsertest.Wide.InDark())
		}
		for _, view := range views {
			page.Look(view)
			page.Screenshot(name)
			if wider := page.Eval(`document.documentElement.scrollWidth > innerWidth`); wider != false {
				t.Errorf("%s is wider than the %s window", name, view)
			}
		}
		page.Look(browsertest.Phone)
	}
	submit := func(page *browsertest.Page, button string, status int, title string) {
		t.Helper()
		if got := page.Navigate(func() { page.Click(button) }); got != status || page.Text("h1") != title {
			t.Fatalf("%d %q at %v, want %d %q", got, page.Text("h1"), page.Eval(`location.pathname`), status, title)
		}
	}

	page := browser.Open(t, browsertest.Phone)
	page.Goto(base + "/staff") // for staff only, so it leads to the sign-in page
	if path := page.Eval(`location.pathname + location.search`); path != "/sign-in?next=%2Fstaff" {
		t.Errorf("a stranger is sent to %v", path)
	}
	look(page, "account-signin")
	page.Navigate(func() { page.Click(`.panel a[href="/register"]`) })
	look(page, "account-register")

	// A registration, at the third try.
	page.Type("#name", "Jane")
	page.Type("#email", "Jane@chinookcorp.com")
	page.Type("#password", "short")
	submit(page, ".panel button", 422, "Become a member")
	if got := page.Text("#password-error"); got != "Password is too short: use at least 8 characters" {
		t.Errorf("the password's error is %q", got)
	}
	if kept := page.Eval(`[document.querySelector("#email").value, document.querySelector("#password").value].join()`); kept != "Jane@chinookcorp.com," {
		t.Errorf("the form has %v", kept)
	}
	look(page, "account-register-errors")
	page.Type("#password", "password1")
	submit(page, ".panel button", 422, "Become a member")
	page.Type("#password", wordsToSignIn)
	submit(page, ".panel button", 200, "You have mail")
	look(page, "account-sent")

	// The mail.
	page.Navigate(func() { page.Click(`a[href="/_ishaa/outbox"]`) })
	page.Eval(`document.querySelector("details").open = true`)
	page.Screenshot("outbox")
	letter := page.Text("pre")
	link := confirmLink.FindStringSubmatch(letter)
	if link == nil || !strings.HasPrefix(link[0], base) {
		t.Fatalf("the letter says %q", letter)
	}
	page.Goto(link[0])
	look(page, "account-confirm")
	page.Type("#password", wordsToSignIn)
	submit(page, ".panel button", 200, "Jane")
	if got := page.Text(".notice"); got != "Welcome to the shop, Jane." {
		t.Errorf("the notice is %q", got)
	}

	// Another device, and its end.
	other := browser.Open(t, browsertest.Wide)
	other.Goto(base + "/sign-in?next=%2Fstaff")
	other.Type("#email", "jane@chinookcorp.com")
	other.Type("#password", "not the password")
	submit(other, ".panel button", 401, "Sign in")
	if got := other.Text(".alert"); got != "The address or the password is wrong." {
		t.Errorf("the alert is %q", got)
	}
	look(other, "account-signin-wrong")
	other.Type("#password", wordsToSignIn)
	submit(other, ".panel button", 200, "Staff")
	look(other, "account-staff")
	page.Goto(base + "/account")
	look(page, "account")
	page.Look(browsertest.Wide)
	submit(page, `.rows button`, 200, "Jane")
	if got := page.Text(".notice"); got != "That session has ended." {
		t.Errorf("the notice is %q", got)
	}
	other.Goto(base + "/account")
	if path := other.Eval(`location.pathname`); path != "/sign-in" {
		t.Errorf("the session that was ended sees %v", path)
	}

	// Signing out, and what the browser's back button shows then.
	submit(page, `.hero button`, 200, "Sign in")
	page.Eval(`history.back()`)
	page.WaitFor(`location.pathname == "/sign-in" && document.readyState == "complete"`)
	if cookie := page.Eval(`document.cookie`); cookie != "" {
		t.Errorf("scripts see %v", cookie)
	}

	// Somebody who does not work here.
	guest := browser.Open(t, browsertest.Phone)
	guest.Goto(base + "/register")
	guest.Type("#name", "Ann")
	guest.Type("#email", "ann@example.com")
	guest.Type("#password", wordsToSignIn)
	submit(guest, ".panel button", 200, "You have mail")
	guest.Goto(base + "/_ishaa/outbox")
	guest.Eval(`document.querySelector("details").open = true`)
	guest.Goto(confirmLink.FindString(guest.Text("pre")))
	guest.Type("#password", wordsToSignIn)
	submit(guest, ".panel button", 200, "Ann")
	if status := guest.Goto(base + "/staff"); status != 403 || guest.Text("h1") != "For staff" {
		t.Errorf("%d %s", status, guest.Text("h1"))
	}
	look(guest, "account-refused")
}
