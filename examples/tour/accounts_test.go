package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
)

const wordsToSignIn = "a trumpet in the kitchen"

// memberShop is the shop in debug mode, in which mail is shown and not sent; browser returns a visitor with cookies of their own.
func memberShop(t *testing.T) (db *orm.DB, browser func() *ishaatest.Client) {
	t.Helper()
	app := ishaa.New("tour", ishaa.Config{Debug: true})
	db = shopDB(t)
	furnish(app, db, nil)
	return db, func() *ishaatest.Client { return ishaatest.New(t, app, ishaatest.Header("Accept", "text/html")) }
}

var confirmLink = regexp.MustCompile(`http://[^/\s]+(/confirm/[A-Z2-7]{26})`)

// mailTo returns the last message to an address, with its link.
func mailTo(t *testing.T, client *ishaatest.Client, email string) (text, link string) {
	t.Helper()
	outbox := client.Get("/_ishaa/outbox", ishaatest.Host("localhost")).Status(200).Text()
	for _, article := range strings.Split(outbox, "<article>")[1:] { // the latest first
		if strings.Contains(article, "To "+email) {
			if m := confirmLink.FindStringSubmatch(article); m != nil {
				link = m[1]
			}
			return article, link
		}
	}
	return "", ""
}

func join(t *testing.T, client *ishaatest.Client, name, email string) {
	t.Helper()
	client.Post("/register", ishaatest.Form("name", name, "email", email, "password", wordsToSignIn)).Redirect("/register/sent")
	_, link := mailTo(t, client, strings.ToLower(email))
	client.Get(link).Status(200).HTML("Your address is right")
	client.Post(link, ishaatest.Form("password", wordsToSignIn)).Redirect("/account")
}

// From registration to signing out.
func TestMembers(t *testing.T) {
	_, browser := memberShop(t)
	ann := browser()
	ann.Get("/account").Redirect("/sign-in?next=%2Faccount")
	join(t, ann, "Ann <b>", "Ann@Example.com")
	ann.Get("/account").Status(200).Header("Cache-Control", "no-store").HTML("Ann &lt;b&gt;", "ann@example.com", "Welcome to the shop, Ann &lt;b&gt;.", "This one")
	if page := ann.Get("/account").Text(); strings.Contains(page, "Welcome to the shop") || strings.Contains(page, "End all others") {
		t.Error("the welcome is shown twice, or other sessions are")
	}
	ann.Get("/sign-in").Redirect("/account")
	ann.Post("/sign-out").Redirect("/sign-in")
	ann.Get("/sign-in").Status(200).HTML("You are signed out.")
	ann.Get("/account").Status(303)

	// In again, by the page that was wanted; another device, and its end.
	ann.Post("/sign-in", ishaatest.Form("email", "ann@example.com", "password", wordsToSignIn, "next", "/account?x=1")).Redirect("/account?x=1")
	phone := browser()
	phone.Post("/sign-in", ishaatest.Form("email", "ANN@example.com", "password", wordsToSignIn, "next", "//evil.example"), ishaatest.Header("User-Agent", "Phone <1>")).Redirect("/account")
	page := ann.Get("/account").Status(200).HTML("Phone &lt;1&gt;", "End all others").Text()
	handle := regexp.MustCompile(`name="session" value="([^"]+)"`).FindStringSubmatch(page)[1]
	ann.Post("/account/sessions", ishaatest.Form("session", handle)).Redirect("/account")
	ann.Get("/account").HTML("That session has ended.")
	phone.Get("/account").Status(303)
	phone.Post("/sign-in", ishaatest.Form("email", "ann@example.com", "password", wordsToSignIn)).Redirect("/account")
	phone.Post("/account/sessions", ishaatest.Form("session", "")).Redirect("/account")
	ann.Get("/account").Status(303)
	phone.Get("/account").Status(200)

	// A session of somebody else is not there to be ended.
	eve := browser()
	join(t, eve, "Eve", "eve@example.com")
	mine, ok := phone.Cookie("session")
	if !ok {
		t.Fatal("no cookie")
	}
	for _, guess := range []string{handle, mine, "x"} {
		eve.Post("/account/sessions", ishaatest.Form("session", guess)).Redirect("/account")
	}
	phone.Get("/account").Status(200)
}

// What is wrong with a registration stands beside its field; passwords do not come back.
func TestRegistrationThatDoesNotFit(t *testing.T) {
	_, browser := memberShop(t)
	client := browser()
	for _, c := range []struct{ name, email, password, field, message string }{
		{"A", "ann@example.com", wordsToSignIn, "name", "Your name must be at least 2 characters long"},
		{"Ann", "ann at example", wordsToSignIn, "email", "E-mail address must be an e-mail address"},
		{"Ann", "ann@example.com", "short", "password", "Password is too short: use at least 8 characters"},
		{"Ann", "ann@example.com", "password1", "password", "Password is one of the most common: choose another"},
		{"Ann", "ann@example.com", "aaaaaaaaaaaa", "password", "Password is one character many times: choose another"},
		{"Ann", "ann@example.com", "Record Shop 1", "password", "Password is little more than the name of the service or the account: choose another"},
		{"Marianne", "m@example.com", "marianne123", "password", "Password is little more than the name of the service or the account: choose another"},
		{"Ann", "ann@example.com", "", "password", "Password"},
	} {
		res := client.Post("/register", ishaatest.Form("name", c.name, "email", c.email, "password", c.password)).Status(422)
		res.HTML(`id="` + c.field + `-error">` + c.message)
		if page := res.Text(); !strings.Contains(page, `value="`+c.name+`"`) || c.password != "" && strings.Contains(page, `value="`+c.password+`"`) {
			t.Errorf("%q: the page is %s", c.password, page)
		}
	}
	client.Post("/register", ishaatest.Form("name", "Ann", "email", "ann@example.com", "password", "short"), ishaatest.Header("Accept", "application/json")).
		Status(422).Violation("/form/password", "policy") // what a program is told
	if text, _ := mailTo(t, client, "ann@example.com"); text != "" {
		t.Errorf("mail was sent: %s", text)
	}
}

// Neither registration nor sign-in says who is a member; the owner of the address is told by mail.
func TestNobodyLearnsWhoIsAMember(t *testing.T) {
	_, browser := memberShop(t)
	client := browser()
	join(t, client, "Ann", "ann@example.com")
	stranger := browser()
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		stranger.Post("/register", ishaatest.Form("name", "Eve", "email", email, "password", wordsToSignIn)).Redirect("/register/sent")
		res := stranger.Post("/sign-in", ishaatest.Form("email", email, "password", "not the password")).Status(401)
		res.HTML("The address or the password is wrong.", `value="`+email+`"`)
		if res.Headers().Get("WWW-Authenticate") == "" {
			t.Error("no challenge")
		}
	}
	text, link := mailTo(t, client, "ann@example.com")
	if !strings.Contains(text, "has an account") || link != "" {
		t.Errorf("a member is told %s", text)
	}
}

// A link alone makes no account, and makes one once.
func TestConfirmation(t *testing.T) {
	_, browser := memberShop(t)
	client := browser()
	client.Post("/register", ishaatest.Form("name", "Ann", "email", "ann@example.com", "password", wordsToSignIn)).Status(303)
	client.Post("/sign-in", ishaatest.Form("email", "ann@example.com", "password", wordsToSignIn)).Status(401)
	_, link := mailTo(t, client, "ann@example.com")
	client.Post(link, ishaatest.Form("password", "of somebody else")).Status(401).HTML("The address or the password is wrong.")
	client.Post(link, ishaatest.Form("password", "")).Status(401)
	client.Post(link, ishaatest.Form("other", "")).Status(422).HTML("Password is required")
	client.Post(link, ishaatest.Form("password", wordsToSignIn)).Redirect("/account")
	client.Get(link).Status(404)
	client.Post(link, ishaatest.Form("password", wordsToSignIn)).Status(404)
	for _, token := range []string{"x", strings.Repeat("A", 26), "..%2Fmembers", strings.Repeat("A", 5000)} {
		browser().Get("/confirm/" + token).Status(404)
	}
}

// Guessing is slowed down, per account, whatever the guesses are.
func TestGuessingIsSlowedDown(t *testing.T) {
	_, browser := memberShop(t)
	client := browser()
	join(t, client, "Ann", "ann@example.com")
	client.Post("/sign-out").Status(303)
	stranger := browser()
	refused := 0
	for range 10 {
		res := stranger.Post("/sign-in", ishaatest.Form("email", "bob@example.com", "password", "a guess"))
		if res.Code() == 429 {
			refused++
			res.HTML(`class="alert" role="alert"`)
			if res.Headers().Get("Retry-After") == "" {
				t.Error("it does not say when to come back")
			}
		}
	}
	if refused == 0 {
		t.Error("ten guesses in a row were let through")
	}
	// The browser that ann has signed in with before is not kept out by guesses of others.
	client.Post("/sign-in", ishaatest.Form("email", "ann@example.com", "password", wordsToSignIn)).Redirect("/account")
}

// Staff are members whose confirmed address is an employee's.
func TestStaff(t *testing.T) {
	db, browser := memberShop(t)
	jane, ann := browser(), browser()
	join(t, jane, "Jane", "jane@chinookcorp.com")
	join(t, ann, "Ann", "ann@example.com")
	jane.Get("/account").HTML("You work here")
	jane.Get("/staff").Status(200).Header("Cache-Control", "no-store").HTML("Jane Peacock, Sales Support Agent. You report to Nancy Edwards.", "mailto:luisg@embraer.com.br")
	ann.Get("/staff").Status(403).HTML("This page is for those who work here.")
	ann.Get("/staff", ishaatest.Header("Accept", "application/json")).Problem(403)
	browser().Get("/staff").Redirect("/sign-in?next=%2Fstaff")
	browser().Get("/staff", ishaatest.Header("Accept", "application/json")).Problem(401)

	// Who leaves is staff no more, at once; and a member who is no more is nobody.
	if _, err := orm.Of[Employee](db).Filter("email", "jane@chinookcorp.com").Update(t.Context(), orm.Set{"email": "nobody@chinookcorp.com"}); err != nil {
		t.Fatal(err)
	}
	jane.Get("/staff").Status(403)
	if _, err := orm.Of[Member](db).Filter("name", "Ann").Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	ann.Get("/account").Status(303)
}
