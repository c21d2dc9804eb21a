package shell

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/terminal"
	"github.com/ishaa-framework/ishaa/orm"
)

// Options are what New may be told. The zero value is a good default.
type Options struct {
	// History is the file that lines are kept in; "-" is none. The default is NAME.history in the folder ishaa below
	// XDG_STATE_HOME, or below .local/state in the user's home.
	History string
	// ReadOnly refuses writes, as --readonly does.
	ReadOnly bool
	// MaxRows is how many rows a table shows; default 100. The others are there, and not shown.
	MaxRows int
}

// New returns the plugin that gives an application the command shell. Register the models before: they are what the
// shell has names for.
func New(db *orm.DB, options ...Options) ishaa.Plugin {
	p := plugin{db: db}
	if len(options) > 0 {
		p.o = options[0]
	}
	return p
}

type plugin struct {
	db *orm.DB
	o  Options
}

// Install adds the command.
func (p plugin) Install(app *ishaa.App) error {
	if p.db == nil {
		return errors.New("shell: New needs a database")
	}
	if p.o.MaxRows < 0 {
		return fmt.Errorf("shell: MaxRows is %d: give a number that is not negative", p.o.MaxRows)
	}
	app.Command(ishaa.Command{Name: "shell", Usage: "look at models and rows at a prompt; --readonly, -c CODE, --json", Run: p.run})
	return nil
}

const usage = `shell [--readonly] [--json] [-c CODE]
  --readonly  refuse writes
  --json      print values as JSON
  -c CODE     run an expression or statements, and end; otherwise what stands in standard input, or a prompt`

func (p plugin) run(ctx context.Context, app *ishaa.App, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("shell", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	code := flags.String("c", "", "")
	readonly, asJSON := flags.Bool("readonly", p.o.ReadOnly, ""), flags.Bool("json", false, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(out, usage)
		return nil
	} else if err != nil {
		return fmt.Errorf("shell: %w\n%s", err, usage)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("shell: %q is one argument too many\n%s", flags.Arg(0), usage)
	}
	s := newSession(app, p.db, out)
	s.readonly, s.json = *readonly, *asJSON
	s.maxRows = cmp.Or(p.o.MaxRows, 100)
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == "c" })
	switch {
	case given:
		return s.script(ctx, "-c", *code)
	case !terminal.Is(os.Stdin):
		text, err := io.ReadAll(io.LimitReader(os.Stdin, maxScript+1))
		if err != nil {
			return fmt.Errorf("shell: reading standard input: %w", err)
		}
		return s.script(ctx, "<stdin>", string(text))
	}
	return s.prompt(ctx, p.historyFile(app.Name()))
}

// maxScript is how long a script may be, in bytes.
const maxScript = 4 << 20

// historyFile is where lines are kept, or "" for nowhere.
func (p plugin) historyFile(name string) string {
	switch p.o.History {
	case "-":
		return ""
	case "":
		state := os.Getenv("XDG_STATE_HOME")
		if !filepath.IsAbs(state) {
			home, err := os.UserHomeDir()
			if err != nil {
				return ""
			}
			state = filepath.Join(home, ".local", "state")
		}
		name = strings.Map(func(c rune) rune {
			if strings.ContainsRune(`/\:*?"<>|`, c) || c < ' ' {
				return '_'
			}
			return c
		}, name)
		return filepath.Join(state, "ishaa", name+".history")
	}
	return p.o.History
}
