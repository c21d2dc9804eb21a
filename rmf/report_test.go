package rmf_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/rmf"
)

// The report is JSON for programs, and for browsers a page that needs nothing and may do nothing.
func TestReport(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{Unit: rmf.ByRequest})
	app.Get("/x/<name>", say("v1"), rmf.Reality("stable"))
	app.Get("/x/<name>", say("v2"), rmf.Reality("experimental", rmf.Traffic(50), rmf.Tags("<b>beta</b>")))
	app.Get("/rmf/report", realities.Report)
	client := ishaatest.New(t, app)
	for range 50 {
		client.Get("/x/a")
	}
	var stats rmf.Stats
	client.Get("/rmf/report").Status(200).Header("Cache-Control", "no-store").JSON(&stats)
	if e := stats.Experiments[0]; e.Name != "GET /x/<name>" || e.Salt != "GET /x/<name>#0" || len(e.Realities) != 2 || e.Realities[0].Requests+e.Realities[1].Requests != 50 {
		t.Errorf("%+v", stats)
	}
	page := client.Get("/rmf/report", ishaatest.Header("Accept", "text/html")).Status(200)
	page.HTML("experimental", "errors", "canary")
	text, policy := page.Text(), page.Headers().Get("Content-Security-Policy")
	_, style, _ := strings.Cut(text, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("the policy %s does not fit the style", policy)
	}
	for _, part := range []string{"<script", "<b>beta", "style=", "src=", "href=", "onclick", "ZgotmplZ"} {
		if strings.Contains(text, part) {
			t.Errorf("the page has %q", part)
		}
	}
	var printed bytes.Buffer
	if err := realities.PrintReport(&printed); err != nil || !strings.Contains(printed.String(), "experimental against stable") {
		t.Errorf("%v\n%s", err, printed.String())
	}
}

// The command reaches the serving process through the folder.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	start := func() (*ishaa.App, *rmf.Realities) {
		app := ishaa.New("shop", ishaa.Config{Secret: secret})
		app.SetLogger(slog.New(slog.DiscardHandler))
		realities := rmf.Enable(app, rmf.Options{Dir: dir, Interval: 10 * time.Millisecond})
		app.Get("/x", say("v1"), rmf.Reality("stable"))
		app.Get("/x", say("v2"), rmf.Reality("experimental", rmf.Traffic(20)))
		return app, realities
	}
	app, realities := start()
	client := ishaatest.New(t, app, ishaatest.KeepLogger())
	client.Get("/x").Status(200)
	run := func(args ...string) (string, error) {
		other, _ := start()
		var out bytes.Buffer
		for _, c := range other.Commands() {
			if c.Name == "rmf" {
				err := c.Run(context.Background(), other, args, &out)
				return out.String(), err
			}
		}
		t.Fatal("there is no command rmf")
		return "", nil
	}
	for _, c := range []struct {
		args []string
		want string
		then rmf.Stage // of the serving process
	}{
		{[]string{"-h"}, "rmf rollback", rmf.StageCanary},
		{[]string{"plan", "/x", "experimental", "--rate", "50"}, "counted requests", rmf.StageCanary},
		{[]string{"status"}, "stable is stable", rmf.StageCanary},
		{[]string{"pause", "/x", "--reason", "lunch"}, "paused", rmf.StagePaused},
		{[]string{"resume", "GET /x", "experimental"}, "resumed", rmf.StageCanary},
		{[]string{"promote", "/x", "experimental", "--reason", "it is good"}, "promoted", rmf.StageGuard},
		{[]string{"status"}, "stable is experimental", rmf.StageGuard},
		{[]string{"rollback", "/x"}, "rolled back", rmf.StageRolledBack},
		{[]string{"replay", "/x"}, "decided by a person: it is good", rmf.StageRolledBack},
	} {
		out, err := run(c.args...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("rmf %q: %v\n%s", c.args, err, out)
		}
		eventually(t, "the serving process follows", func() bool { return stage(t, realities, "experimental") == c.then })
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"promote", "/x"}, "-h"}, {[]string{"nothing"}, "-h"}, {[]string{"rollback", "/y"}, "no experiment"}, {[]string{"promote", "/x", "stable"}, "stable"},
		{[]string{"promote", "/x", "nobody"}, "has no reality"}, {[]string{"plan", "/x", "experimental"}, "--rate"}, {[]string{"plan", "/x", "experimental", "--rate", "0.001"}, "hopeless"},
		{[]string{"plan", "/x", "stable", "--rate", "5"}, "hopeless"}, {[]string{"resume", "/x", "experimental"}, "cannot be resumed"}, {[]string{"status", "--no"}, "-h"},
	} {
		if out, err := run(c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("rmf %q: %v\n%s", c.args, err, out)
		}
	}
}
