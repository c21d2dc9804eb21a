package ishaa

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
)

// Command is something the program does besides serving, run as
// "./program NAME arguments". The root brings routes, check and version.
type Command struct {
	Name  string // one word
	Usage string // one line
	// Run does it. Output for people and programs goes to out.
	Run func(ctx context.Context, app *App, args []string, out io.Writer) error
}

// Command adds commands. One that is named like a built-in replaces it.
func (a *App) Command(list ...Command) {
	a.mustBeOpen("Command")
	for _, c := range list {
		if c.Name == "" || strings.ContainsAny(c.Name, " \t-/") || c.Run == nil {
			panic(fmt.Sprintf("%s: Command(%q): a command has a name of one word and a Run function", callerOutside(), c.Name))
		}
		a.commands[c.Name] = c
	}
}

// Commands returns the commands, sorted by name.
func (a *App) Commands() []Command {
	var list []Command
	for _, name := range slices.Sorted(maps.Keys(a.commands)) {
		list = append(list, a.commands[name])
	}
	return list
}

func (a *App) runCommand(ctx context.Context, name string, args []string) error {
	command, ok := a.commands[name]
	if !ok {
		return fmt.Errorf("there is no command %q%s; -h lists what there is", name, suggest(name, a.commands))
	}
	return command.Run(ctx, a, args, os.Stdout)
}

func builtinCommands() map[string]Command {
	return map[string]Command{
		"routes":  {Name: "routes", Usage: "list the routes; --match PATH says which one answers, and why; --json for programs", Run: listRoutes},
		"check":   {Name: "check", Usage: "check that the application would start", Run: checkApp},
		"version": {Name: "version", Usage: "print the versions of the program, the framework and Go", Run: printVersion},
	}
}

func noArguments(command string, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no argument, but got %q", command, args[0])
	}
	return nil
}

// routeListing is a route as the command prints it.
type routeListing struct {
	Methods   []string `json:"methods"` // none is all
	Host      string   `json:"host,omitempty"`
	Pattern   string   `json:"pattern"`
	Name      string   `json:"name,omitempty"`
	Blueprint string   `json:"blueprint,omitempty"`
	Variant   string   `json:"variant,omitempty"`
	Source    string   `json:"source"`
}

const routesUsage = "routes [--json] [--match PATH [--method METHOD] [--host HOST]] lists the routes, or says which one answers a request, and why"

func listRoutes(_ context.Context, app *App, args []string, out io.Writer) error {
	flags := newFlags("routes")
	asJSON, match := flags.Bool("json", false, ""), flags.String("match", "", "")
	method, host := flags.String("method", "", ""), flags.String("host", "", "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(out, routesUsage)
		return err
	} else if err != nil {
		return fmt.Errorf("routes: %w; its flags are --json, --match, --method and --host", err)
	}
	if err := noArguments("routes", flags.Args()); err != nil {
		return err
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["match"] {
		found, err := app.explainMatch(*method, *host, *match)
		if err != nil {
			return fmt.Errorf("routes --match: %w", err)
		}
		return found.print(out, *asJSON)
	}
	if given["method"] || given["host"] {
		return errors.New("routes: --method and --host go with --match PATH")
	}
	list := []routeListing{}
	for _, route := range app.Routes() {
		list = append(list, listingOf(route))
	}
	if *asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false) // patterns are full of "<"
		return encoder.Encode(list)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "METHODS\tPATTERN\tNAME\tSOURCE")
	for _, r := range list {
		methods, pattern := r.columns()
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", methods, pattern, r.Name, r.Source)
	}
	return table.Flush()
}

func listingOf(route *Route) routeListing {
	return routeListing{
		Methods: append([]string{}, route.methods...), Host: route.host, Pattern: route.Pattern(), Name: route.name,
		Blueprint: route.Blueprint(), Variant: route.variantName, Source: route.source,
	}
}

// columns are the methods and the pattern as a person reads them.
func (r routeListing) columns() (methods, pattern string) {
	methods = "ANY"
	if len(r.Methods) > 0 {
		methods = strings.Join(r.Methods, ",")
	}
	pattern = r.Host + r.Pattern
	if r.Variant != "" {
		pattern += " (" + r.Variant + ")"
	}
	return methods, pattern
}

func (r routeListing) text() string {
	methods, pattern := r.columns()
	return methods + " " + pattern
}

func sortedPairs(m map[string]string) [][2]string {
	var list [][2]string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, [2]string{name, m[name]})
	}
	return list
}

// checkApp starts the application, as serving would, and stops it.
func checkApp(ctx context.Context, app *App, args []string, out io.Writer) error {
	if err := noArguments("check", args); err != nil {
		return err
	}
	if _, err := app.certificates(); err != nil {
		return err
	}
	if err := app.Start(ctx); err != nil {
		return err
	}
	if err := app.Stop(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d routes, ready to serve at %s\n", app.Name(), len(app.all), app.config.Addr)
	return nil
}

func printVersion(_ context.Context, app *App, args []string, out io.Writer) error {
	if err := noArguments("version", args); err != nil {
		return err
	}
	program, framework := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		program = info.Main.Version
		for _, module := range append(info.Deps, &info.Main) {
			if module.Path == modulePath {
				framework = module.Version
			}
		}
	}
	_, err := fmt.Fprintf(out, "%s %s\nishaa %s\n%s %s/%s\n", app.Name(), program, framework, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
