//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// checkout is known before tests change the working directory.
var checkout = testenv.Root()

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ishaa runs a command line in a folder. What it would become runs beside it.
func ishaa(t *testing.T, dir string, args ...string) (code int, out, errOut string) {
	t.Helper()
	t.Chdir(dir)
	var o, e bytes.Buffer
	c := &cli{out: &o, err: &e, exec: func(file, dir string, args, env []string) error {
		cmd := exec.CommandContext(t.Context(), file, args...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &o, &e
		if err := cmd.Run(); err != nil {
			if cmd.ProcessState != nil {
				return exitError{cmd.ProcessState.ExitCode()}
			}
			return err
		}
		return nil
	}}
	code = c.report(t.Context(), c.run(t.Context(), args))
	return code, o.String(), e.String()
}

func must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	code, out, errOut := ishaa(t, dir, args...)
	if code != 0 {
		t.Fatalf("ishaa %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

// goTool runs the go command in a project, as its README says.
func goTool(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// The two commands of a new project's README: it serves, and its tests pass.
func TestProjects(t *testing.T) {
	for kind, page := range map[string]string{"": "/", "--minimal": "/", "--api": "/docs"} {
		t.Run("kind"+kind, func(t *testing.T) {
			dir := t.TempDir()
			args := []string{"create", "project", "demo"}
			if kind != "" {
				args = append(args, kind)
			}
			out := must(t, dir, args...)
			project := filepath.Join(dir, "demo")
			if !strings.Contains(out, "cd demo") || !strings.Contains(out, "main.go") {
				t.Errorf("it does not say what was made and what is next:\n%s", out)
			}
			readme, err := os.ReadFile(filepath.Join(project, "README.md"))
			if err != nil {
				t.Fatal(err)
			}
			var commands []string
			for _, m := range shellBlock.FindAllStringSubmatch(string(readme), -1) {
				commands = append(commands, strings.TrimSpace(m[1]))
			}
			if !slices.Equal(commands, []string{"go run .", "go test ./..."}) {
				t.Fatalf("the README has the commands %q", commands)
			}
			goTool(t, project, "vet", "./...")
			goTool(t, project, "test", "./...")
			if dirty := gofmt(t, project); dirty != "" {
				t.Errorf("not formatted: %s", dirty)
			}
			res, err := http.Get(serve(t, project, "go", "run", ".") + page)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 200 || len(body) == 0 {
				t.Errorf("%s: %d %v\n%s", page, res.StatusCode, err, body)
			}
			http.DefaultClient.CloseIdleConnections()
			if info, err := os.Stat(filepath.Join(project, ".env")); kind != "--minimal" && (err != nil || info.Mode().Perm() != 0o600) {
				t.Errorf(".env, which has the secret: %v, %v", info.Mode(), err)
			}
		})
	}
}

var listening = regexp.MustCompile(`url=(http://\S+)`)

// patience is how long something may take on a machine with much else to do, such as compiling a database.
const patience = 5 * time.Minute

// serve starts a command that serves, and returns where. At the end it gets SIGTERM, with what it started.
func serve(t *testing.T, dir, name string, args ...string) (url string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "ISHAA_ADDR=127.0.0.1:0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = input, input
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	input.Close()
	found := make(chan string, 1)
	ended := make(chan string)
	go func() {
		var all strings.Builder
		for lines := bufio.NewScanner(output); lines.Scan(); {
			all.WriteString(lines.Text() + "\n")
			if m := listening.FindStringSubmatch(lines.Text()); m != nil && len(found) == 0 {
				found <- m[1]
			}
		}
		output.Close()
		ended <- all.String()
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case text := <-ended:
			if !strings.Contains(text, "msg=stopped") {
				t.Errorf("it does not end well:\n%s", text)
			}
		case <-time.After(patience):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			t.Errorf("it does not end:\n%s", <-ended)
		}
		_ = cmd.Wait()
	})
	select {
	case url = <-found:
	case <-time.After(patience):
		t.Fatalf("%s does not listen", cmd)
	}
	return url
}

func gofmt(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "gofmt", "-l", ".")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("gofmt: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// A model, a blueprint and a migration are added to a project, which builds, passes its tests and knows them.
func TestPieces(t *testing.T) {
	dir := t.TempDir()
	must(t, dir, "create", "project", "demo")
	project := filepath.Join(dir, "demo")

	out := must(t, project, "create", "model", "BlogPost", "title:text", "body:text:null", "published_at:time:null", "price:decimal", "user_id:int:index")
	if !strings.Contains(out, "models/blog_post.go") || !strings.Contains(out, "models/models.go") || !strings.Contains(out, "ishaa migrate create") {
		t.Error(out)
	}
	if code, _, errOut := ishaa(t, project, "create", "model", "BlogPost"); code != exitFailed || !strings.Contains(errOut, "is there already") {
		t.Errorf("the same again: %d %s", code, errOut)
	}
	code, out, errOut := ishaa(t, project, "check")
	if code != exitFailed || !strings.Contains(out, "FAIL  migrations") || !strings.Contains(out, "no migration has") {
		t.Errorf("a model without a migration: %d\n%s%s", code, out, errOut)
	}
	out = must(t, project, "create", "migration", "add_posts")
	if files, _ := filepath.Glob(filepath.Join(project, "migrations", "*_add_posts.sql")); len(files) != 1 || !strings.Contains(out, "add_posts.sql") {
		t.Errorf("%v\n%s", files, out)
	}
	if out := must(t, project, "migrate", "status", "--json"); !strings.Contains(out, `"add_posts"`) {
		t.Error(out)
	}
	if out := must(t, project, "check", "--json"); json.Valid([]byte(out)) == false || strings.Contains(out, `"ok": false`) {
		t.Error(out)
	}
	if out := must(t, project, "shell", "--json", "-c", `BlogPost.create(title="First", price="1.50", user_id=1).title`); strings.TrimSpace(out) != `"First"` {
		t.Error(out)
	}

	out = must(t, project, "create", "blueprint", "shop")
	if !strings.Contains(out, "app.Register(routes.Shop())") {
		t.Error(out)
	}
	edit(t, filepath.Join(project, "main.go"), "app.Register(routes.API(db))", "app.Register(routes.API(db))\n\tapp.Register(routes.Shop())")
	if out := must(t, project, "routes", "--match", "/shop/"); !strings.Contains(out, "→ GET /shop/") {
		t.Error(out)
	}
	goTool(t, project, "test", "./...")

	must(t, project, "create", "task", "send_letter")
	text, err := os.ReadFile(filepath.Join(project, "jobs", "send_letter.go"))
	if err != nil || !strings.Contains(string(text), "func SendLetter(queue *tasks.TaskQueue)") {
		t.Errorf("%v\n%s", err, text)
	}
	// As it says what is next. The tasks bring modules of their own, which the go command finds in those of the framework.
	edit(t, filepath.Join(project, "main.go"), "import (", "import (\n\t\"demo/jobs\"\n\t\"github.com/ishaa-framework/ishaa/tasks\"\n")
	edit(t, filepath.Join(project, "main.go"), "app.Register(routes.Shop())", `app.Register(routes.Shop())
	queue := tasks.New(db, tasks.Options{})
	sendLetter := jobs.SendLetter(queue)
	app.Install(queue)
	app.Get("/letter", func(r *ishaa.Request) (any, error) {
		job, err := sendLetter.Delay(r.Context(), jobs.SendLetterInput{ID: 7})
		if err != nil {
			return nil, err
		}
		return job.ID, nil
	})`)
	goTool(t, project, "vet", "-mod=mod", "./...")
}

func edit(t *testing.T, name, from, to string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s has no %q", name, from)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Words that are no command of ishaa are the application's, with its exit code.
func TestForward(t *testing.T) {
	dir := t.TempDir()
	must(t, dir, "create", "project", "demo", "--minimal")
	project := filepath.Join(dir, "demo")
	edit(t, filepath.Join(project, "main.go"), `import "github.com/ishaa-framework/ishaa"`, `import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/ishaa-framework/ishaa"
)`)
	edit(t, filepath.Join(project, "main.go"), "app.Run()", `app.Command(ishaa.Command{Name: "seed", Usage: "seed", Run: func(_ context.Context, _ *ishaa.App, args []string, out io.Writer) error {
		fmt.Fprintln(out, "seeding", args)
		os.Exit(7)
		return nil
	}})
	app.Run()`)
	inner := filepath.Join(project, "deep", "er")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := ishaa(t, inner, "seed", "10", "--fast"); code != 7 || !strings.Contains(out, "seeding [10 --fast]") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	if code, out, _ := ishaa(t, dir, "--app", project, "routes", "--json"); code != 0 || !json.Valid([]byte(out)) {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := ishaa(t, project, "app", "-h"); code != 0 || !strings.Contains(out, "seed") {
		t.Errorf("%d %s", code, out)
	}
	if code, _, errOut := ishaa(t, project, "sed"); code != exitFailed || !strings.Contains(errOut, `did you mean "seed"`) {
		t.Errorf("%d %s", code, errOut)
	}
	edit(t, filepath.Join(project, "main.go"), "app.Run()", "app.Walk()")
	if code, _, errOut := ishaa(t, project, "routes"); code != exitNoProgram || !strings.Contains(errOut, "app.Walk undefined") {
		t.Errorf("%d %s", code, errOut)
	}
}

func TestExitCodes(t *testing.T) {
	empty := t.TempDir()
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--nothing"}, exitUsage, "unknown flag"},
		{[]string{"run", "somewhere"}, exitUsage, "takes no argument"},
		{[]string{"run", "--port", "many"}, exitUsage, "invalid argument"},
		{[]string{"run", "--reload"}, exitNoProgram, "ishaa create project NAME"},
		{[]string{"routes"}, exitNoProgram, "no application here"},
		{[]string{"seed"}, exitNoProgram, `ishaa has no command "seed", and there is no application here`},
		{[]string{"check"}, exitNoProgram, "no application here"},
		{[]string{"create", "castle"}, exitUsage, `makes no "castle"`},
		{[]string{"create", "project"}, exitUsage, "one name"},
		{[]string{"create", "project", "a", "--api", "--minimal"}, exitUsage, "one of"},
		{[]string{"create", "project", "Böse"}, exitUsage, "no name for a project"},
		{[]string{"create", "project", "..\x1b[2J"}, exitUsage, "no name for a project"},
		{[]string{"create", "project", "demo", "--replace", empty}, exitUsage, "no checkout"},
		{[]string{"create", "model", "Post"}, exitNoProgram, "no application here"},
		{[]string{"version", "1"}, exitUsage, "takes no argument"},
	} {
		code, out, errOut := ishaa(t, empty, test.args...)
		if code != test.code || !strings.Contains(errOut, test.says) {
			t.Errorf("ishaa %q: %d, want %d with %q\n%s%s", test.args, code, test.code, test.says, out, errOut)
		}
		if strings.Contains(errOut, "\x1b") {
			t.Errorf("ishaa %q prints a control character", test.args)
		}
	}
	if list, err := os.ReadDir(empty); err != nil || len(list) > 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	t.Chdir(checkout)
	if code := execute(ended, []string{"--app", "examples/tour", "routes"}, io.Discard, io.Discard); code != exitInterrupted {
		t.Errorf("interrupted: exit code %d", code)
	}
}

func TestHelpAndCompletion(t *testing.T) {
	dir := t.TempDir()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := must(t, dir, "completion", shell); !strings.Contains(out, "ishaa") || len(out) < 1000 {
			t.Errorf("%s: %q", shell, out)
		}
	}
	if out := must(t, dir, "__complete", "mig"); !strings.Contains(out, "migrate") {
		t.Error(out)
	}
	if out := must(t, dir, "__complete", "migrate", ""); !strings.Contains(out, "baseline") {
		t.Error(out)
	}
	help := must(t, dir)
	for _, name := range []string{"create", "run", "routes", "migrate", "shell", "check", "version", "completion"} {
		if !strings.Contains(help, "\n  "+name+" ") {
			t.Errorf("the help has no %s:\n%s", name, help)
		}
	}
	var v struct{ Ishaa, Go string }
	if out := must(t, dir, "version", "--json"); json.Unmarshal([]byte(out), &v) != nil || v.Ishaa == "" || !strings.HasPrefix(v.Go, "go") {
		t.Error(out)
	}
}

func TestAddress(t *testing.T) {
	root := t.TempDir()
	t.Setenv("ISHAA_ADDR", "")
	same := func(got string, err error, want string) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	got, err := address(root, "127.0.0.1", 8000, false, false)
	same(got, err, "127.0.0.1:8000")
	if err := os.WriteFile(filepath.Join(root, ".env"), []byte("ISHAA_ADDR=127.0.0.1:9000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err = address(root, "127.0.0.1", 8000, false, false)
	same(got, err, "127.0.0.1:9000")
	got, err = address(root, "0.0.0.0", 8000, true, false)
	same(got, err, "0.0.0.0:9000")
	got, err = address(root, "127.0.0.1", 81, false, true)
	same(got, err, "127.0.0.1:81")
	got, err = address(root, "[::1]", 81, true, true)
	same(got, err, "[::1]:81")
	t.Setenv("ISHAA_ADDR", "unix:/run/x")
	got, err = address(root, "127.0.0.1", 8000, false, false)
	same(got, err, "unix:/run/x")
	if _, err := address(root, "127.0.0.1", 81, false, true); err == nil {
		t.Error("a port for a socket file")
	}
	if _, err := address(root, "127.0.0.1", 70000, true, true); err == nil {
		t.Error("a port that is none")
	}
}

// Without --reload the program is served the production way, and a signal ends it well.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	must(t, dir, "create", "project", "demo", "--minimal")
	binary := filepath.Join(t.TempDir(), "ishaa")
	goTool(t, checkout, "build", "-o", binary, "./cmd/ishaa")
	res, err := http.Get(serve(t, filepath.Join(dir, "demo"), binary, "run") + "/hello/ann")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Error(res.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}
