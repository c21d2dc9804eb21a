package ishaa_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// command runs a command and gives what it printed, with the lines of this file
// left out.
func command(t *testing.T, app *ishaa.App, args ...string) (string, error) {
	t.Helper()
	for _, c := range app.Commands() {
		if c.Name == args[0] {
			var out strings.Builder
			err := c.Run(t.Context(), app, args[1:], &out)
			return regexp.MustCompile(`[^/"\s]+/command_test\.go:\d+`).ReplaceAllString(out.String(), "command_test.go"), err
		}
	}
	t.Fatalf("there is no command %q", args[0])
	return "", nil
}

func commandApp(t *testing.T) *ishaa.App {
	app := newApp(t)
	first := ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 0 })
	api := ishaa.NewBlueprint("api", "/api")
	api.Get("/albums/<int:id>", echo, ishaa.Name("album"), ishaa.Variant("reality", "old"), ishaa.SelectBy(first))
	api.Get("/albums/<int:id>", echo, ishaa.Variant("reality", "new"))
	api.Post("/albums", echo)
	app.Register(api)
	app.Get("/", echo, ishaa.Name("index"))
	app.Any("/any", echo, ishaa.Host("<tenant>.example.com"))
	app.Route("/dav", echo, ishaa.Methods("PROPFIND", "GET"))
	return app
}

func TestRoutesCommand(t *testing.T) {
	const table = `METHODS       PATTERN                     NAME       SOURCE
GET           /                           index      command_test.go
ANY           <tenant>.example.com/any               command_test.go
POST          /api/albums                            command_test.go
GET           /api/albums/<int:id> (old)  api.album  command_test.go
GET           /api/albums/<int:id> (new)             command_test.go
GET,PROPFIND  /dav                                   command_test.go
`
	if got, err := command(t, commandApp(t), "routes"); err != nil || got != table {
		t.Errorf("%v\n%s\nwant\n%s", err, got, table)
	}
	const list = `[
  {
    "methods": [
      "GET"
    ],
    "pattern": "/",
    "name": "index",
    "source": "command_test.go"
  },
  {
    "methods": [],
    "host": "<tenant>.example.com",
    "pattern": "/any",
    "source": "command_test.go"
  },
  {
    "methods": [
      "POST"
    ],
    "pattern": "/api/albums",
    "blueprint": "api",
    "source": "command_test.go"
  },
  {
    "methods": [
      "GET"
    ],
    "pattern": "/api/albums/<int:id>",
    "name": "api.album",
    "blueprint": "api",
    "variant": "old",
    "source": "command_test.go"
  },
  {
    "methods": [
      "GET"
    ],
    "pattern": "/api/albums/<int:id>",
    "blueprint": "api",
    "variant": "new",
    "source": "command_test.go"
  },
  {
    "methods": [
      "GET",
      "PROPFIND"
    ],
    "pattern": "/dav",
    "source": "command_test.go"
  }
]
`
	if got, err := command(t, commandApp(t), "routes", "--json"); err != nil || got != list {
		t.Errorf("%v\n%s\nwant\n%s", err, got, list)
	}
	if got, err := command(t, newApp(t), "routes", "--json"); err != nil || got != "[]\n" {
		t.Errorf("without routes: %q, %v", got, err)
	}
}

func TestCheckCommand(t *testing.T) {
	app := commandApp(t)
	var life []string
	app.OnStart(func(context.Context) error { life = append(life, "start"); return nil })
	app.OnStop(func(context.Context) error { life = append(life, "stop"); return nil })
	if got, err := command(t, app, "check"); err != nil || got != "test: 6 routes, ready to serve at 127.0.0.1:8000\n" {
		t.Errorf("%q, %v", got, err)
	}
	same(t, "hooks", life, []string{"start", "stop"})

	for _, c := range []struct {
		name  string
		wrong func(*ishaa.App)
		says  []string
	}{
		{"a hook fails", func(app *ishaa.App) { app.OnStart(func(context.Context) error { return errors.New("no database") }) }, []string{"command_test.go:", "no database"}},
		{"a stop hook fails", func(app *ishaa.App) { app.OnStop(func(context.Context) error { return errors.New("no disk") }) }, []string{"no disk"}},
		{"variants without a selector", func(app *ishaa.App) {
			app.Get("/x", echo, ishaa.Variant("a", "b"))
			app.Get("/x", echo, ishaa.Variant("a", "c"))
		}, []string{"command_test.go:", "/x", "SelectBy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t)
			c.wrong(app)
			got, err := command(t, app, "check")
			if err == nil || got != "" {
				t.Fatalf("check prints %q, %v", got, err)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %q", err, part)
				}
			}
		})
	}
}

func TestVersionCommand(t *testing.T) {
	got, err := command(t, newApp(t), "version")
	lines := strings.Split(got, "\n")
	if err != nil || len(lines) != 4 || !strings.HasPrefix(lines[0], "test ") || !strings.HasPrefix(lines[1], "ishaa ") ||
		lines[2] != runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCommandArguments(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"routes", "all"}, `routes takes no argument, but got "all"`},
		{[]string{"routes", "--jsn"}, "routes: flag provided but not defined: -jsn; its flags are --json, --match, --method and --host"},
		{[]string{"check", "-v"}, `check takes no argument, but got "-v"`},
		{[]string{"version", "2"}, `version takes no argument, but got "2"`},
	} {
		if got, err := command(t, newApp(t), c.args...); err == nil || err.Error() != c.says || got != "" {
			t.Errorf("%q: %v, printed %q; want %s", c.args, err, got, c.says)
		}
	}
	if got, err := command(t, newApp(t), "routes", "-h"); !errors.Is(err, flag.ErrHelp) || !strings.Contains(got, "--json") {
		t.Errorf("routes -h: %v, printed %q", err, got)
	}
}

// Programs bring commands of their own, which may take the place of a built-in one,
// and get what stands behind their name.
func TestOwnCommands(t *testing.T) {
	app := newApp(t)
	for _, name := range []string{"seed", "version"} {
		app.Command(ishaa.Command{Name: name, Usage: "test", Run: func(_ context.Context, a *ishaa.App, args []string, out io.Writer) error {
			_, err := io.WriteString(out, a.Name()+" "+name+" "+strings.Join(args, ","))
			return err
		}})
	}
	for args, want := range map[string]string{
		"seed":                        "test seed ",
		"seed -n 3 all":               "test seed -n,3,all",
		"version":                     "test version ",
		"-drain-timeout 1s seed -h":   "test seed -h",
		"-debug=true seed -debug=yes": "test seed -debug=yes",
	} {
		if got, err := runPrinting(t, app, strings.Fields(args)...); err != nil || got != want {
			t.Errorf("%s: printed %q, %v; want %q", args, got, err, want)
		}
	}
	for name, says := range map[string]string{
		"sed": `there is no command "sed"; did you mean "seed"?; -h lists what there is`, "elsewhere": `there is no command "elsewhere"; -h lists what there is`,
	} {
		if got, err := runPrinting(t, app, name); err == nil || err.Error() != says || got != "" {
			t.Errorf("%s: printed %q, %v; want %s", name, got, err, says)
		}
	}
	for _, wrong := range []ishaa.Command{{}, {Name: "x"}, {Name: "two words", Run: nothing}, {Name: "-x", Run: nothing}, {Run: nothing}} {
		if message := recovered(t, func() { app.Command(wrong) }); !strings.Contains(message, "command_test.go:") {
			t.Errorf("Command(%q): %s", wrong.Name, message)
		}
	}
}
