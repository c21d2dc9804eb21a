package risk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program writes a module that uses this checkout of the framework.
func program(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(testenv.Root(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(testenv.Root(), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	const framework = "github.com/ishaa-framework/ishaa"
	mod := strings.Replace(string(text), "module "+framework+"\n", "module example.com/shop\n", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %q\n", framework, framework, testenv.Root())
	put(t, dir, "go.mod", mod)
	put(t, dir, "go.sum", string(sum))
	for name, text := range files {
		put(t, dir, name, text)
	}
	return dir
}

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func analyze(t testing.TB, options risk.Options) *risk.Report {
	t.Helper()
	report, err := risk.Analyze(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// head begins each program of the table; what it imports is used once here.
const head = `package main

import (
	"context"
	"database/sql"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/outbound"
)

var (
	_ = context.Background
	_ = sql.Open
	_ = fmt.Sprint
	_ = html.EscapeString
	_ = io.EOF
	_ = http.Get
	_ = url.Parse
	_ = os.Open
	_ = exec.Command
	_ = path.Join
	_ = filepath.Join
	_ = regexp.MustCompile
	_ = slices.Contains[[]string]
	_ = strconv.Itoa
	_ = strings.Join
	_ sync.Mutex
	_ orm.Decimal
	_ = outbound.New
)

var db *sql.DB

type user struct {
	orm.Model
	Name string
}

func main() { app := ishaa.New("x"); add(app); app.Run() }
`

// flowTests are handlers with a flow and their twins without.
var flowTests = []struct {
	name, rule string // the rule of what is found, "" for nothing
	text       string
}{
	{"sql by two helpers", "sql", `
func add(app *ishaa.App) { app.Get("/a", show) }
func show(r *ishaa.Request) (any, error) { return find(r.Context(), r.Query("name")) }
func find(ctx context.Context, name string) (any, error) { return run(ctx, "SELECT id FROM users WHERE name = '" + name + "'") }
func run(ctx context.Context, text string) (any, error) { return db.QueryContext(ctx, text) }`},
	{"sql by two helpers, as an argument", "", `
func add(app *ishaa.App) { app.Get("/a", show) }
func show(r *ishaa.Request) (any, error) { return find(r.Context(), r.Query("name")) }
func find(ctx context.Context, name string) (any, error) { return run(ctx, "SELECT id FROM users WHERE name = ?", name) }
func run(ctx context.Context, text string, args ...any) (any, error) { return db.QueryContext(ctx, text, args...) }`},
	{"sql by a typed input, a method and Sprintf", "sql", `
type shop struct{ db *sql.DB }
type in struct{ Sort string ` + "`query:\"sort\"`" + ` }
func add(app *ishaa.App) { ishaa.Get(app, "/a", (&shop{db}).list) }
func (s *shop) list(ctx context.Context, in *in) (int, error) { _, err := s.db.ExecContext(ctx, fmt.Sprintf("SELECT 1 ORDER BY %s", in.Sort)); return 0, err }`},
	{"sql by a typed input from a list", "", `
type shop struct{ db *sql.DB }
type in struct{ Sort string ` + "`query:\"sort\" enum:\"id,name\"`" + ` }
func add(app *ishaa.App) { ishaa.Get(app, "/a", (&shop{db}).list) }
func (s *shop) list(ctx context.Context, in *in) (int, error) { _, err := s.db.ExecContext(ctx, fmt.Sprintf("SELECT 1 ORDER BY %s", in.Sort)); return 0, err }`},
	{"sql by a strings.Builder", "sql", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) {
	var b strings.Builder
	b.WriteString("SELECT id FROM users WHERE id = ")
	b.WriteString(r.Query("id"))
	return db.QueryContext(r.Context(), b.String())
}) }`},
	{"sql with a number", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) {
	n, err := strconv.Atoi(r.Query("id"))
	if err != nil { return nil, ishaa.BadRequest("id") }
	return db.QueryContext(r.Context(), "SELECT id FROM users WHERE id = " + strconv.Itoa(n))
}) }`},
	{"sql with a column from a list", "", `
var columns = map[string]string{"id": "id", "name": "name"}
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) {
	return db.QueryContext(r.Context(), "SELECT id FROM users ORDER BY " + columns[r.Query("sort")])
}) }`},
	{"sql behind slices.Contains", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) {
	sort := r.Query("sort")
	if !slices.Contains([]string{"id", "name"}, sort) { return nil, ishaa.BadRequest("sort") }
	return db.QueryContext(r.Context(), "SELECT id FROM users ORDER BY " + sort)
}) }`},
	{"sql with the check the wrong way round", "sql", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) {
	sort := r.Query("sort")
	if slices.Contains([]string{"id", "name"}, sort) { return nil, ishaa.BadRequest("sort") }
	return db.QueryContext(r.Context(), "SELECT id FROM users ORDER BY " + sort)
}) }`},
	{"raw SQL of the ORM in a transaction's closure", "sql", `
func add(app *ishaa.App) { var db *orm.DB; app.Get("/a", func(r *ishaa.Request) (any, error) {
	name := r.Query("name")
	return nil, db.Tx(r.Context(), func(tx *orm.Tx) error { _, err := orm.Exec(r.Context(), tx, "DELETE FROM u WHERE name='"+name+"'"); return err })
}) }`},
	{"a lookup of the ORM", "", `
func add(app *ishaa.App) { var db *orm.DB; app.Get("/a", func(r *ishaa.Request) (any, error) {
	return orm.Of[user](db).Filter("name__icontains", r.Query("name")).OrderBy(r.Query("sort")).All(r.Context())
}) }`},
	{"a parameter that is a number", "", `
func add(app *ishaa.App) { app.Get("/a/<int:number>", func(r *ishaa.Request) (any, error) { return db.QueryContext(r.Context(), "SELECT "+r.Param("number")) }) }`},
	{"a parameter that is text", "sql", `
func add(app *ishaa.App) { app.Get("/a/<id>", func(r *ishaa.Request) (any, error) { return db.QueryContext(r.Context(), "SELECT "+r.Param("id")) }) }`},
	{"a shell", "command", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return exec.Command("sh", "-c", "ping "+r.Query("host")).Output() }) }`},
	{"an argument of a program", "argument", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return exec.Command("ping", "-c1", r.Query("host")).Output() }) }`},
	{"an argument of a program behind the options", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return exec.Command("ping", "-c1", "--", r.Query("host")).Output() }) }`},
	{"a file", "file", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return os.ReadFile(filepath.Join("/srv", r.Query("file"))) }) }`},
	{"a file by its base", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return os.ReadFile(filepath.Join("/srv", filepath.Base(r.Query("file")))) }) }`},
	{"a file that is local", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) {
	name := r.Query("file")
	if !filepath.IsLocal(name) { return nil, ishaa.NotFound("no") }
	return os.ReadFile(filepath.Join("/srv", name))
}) }`},
	{"a file below a root", "", `
func add(app *ishaa.App) { root, _ := os.OpenRoot("/srv"); app.Get("/a", func(r *ishaa.Request) (any, error) { return root.Open(r.Query("file")) }) }`},
	{"a file that begins with the folder", "file", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) {
	name := "/srv/" + r.Query("file")
	if !strings.HasPrefix(name, "/srv") { return nil, ishaa.NotFound("no") }
	return os.ReadFile(name)
}) }`},
	{"a returned string", "html", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return "<p>" + r.Query("q") + "</p>", nil }) }`},
	{"HTMLf", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return ishaa.HTMLf("<p>%s</p>", r.Query("q")), nil }) }`},
	{"HTML of Sprintf", "html", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return ishaa.HTML(fmt.Sprintf("<p>%s</p>", r.Query("q"))), nil }) }`},
	{"HTML that is escaped", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return ishaa.HTML("<p>" + html.EscapeString(r.Query("q")) + "</p>"), nil }) }`},
	{"net/http behind Mount", "html", `
func add(app *ishaa.App) { mux := http.NewServeMux(); mux.HandleFunc("/a", old); app.Mount("/old/", http.StripPrefix("/old", mux)) }
func old(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "<p>%s", r.URL.Query().Get("q")) }`},
	{"net/http that answers text", "", `
func add(app *ishaa.App) { mux := http.NewServeMux(); mux.HandleFunc("/a", old); app.Mount("/old/", mux) }
func old(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/plain"); fmt.Fprintf(w, "<p>%s", r.FormValue("q")) }`},
	{"a redirect", "redirect", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return ishaa.Redirect(r.Query("next")), nil }) }`},
	{"a local redirect", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return ishaa.RedirectLocal(r.Query("next"), "/"), nil }) }`},
	{"a redirect below a fixed path", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { return ishaa.Redirect("/items/" + r.Query("id")), nil }) }`},
	{"a redirect whose host is compared", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) {
	next := r.Query("next")
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") { next = "/" }
	return ishaa.Redirect(next), nil
}) }`},
	{"a redirect by App.URL as a value", "", `
type pages struct{ url func(string, ...any) (string, error) }
func add(app *ishaa.App) { p := &pages{app.URL}; app.Get("/a", p.go_, ishaa.Name("a")) }
func (p *pages) go_(r *ishaa.Request) (any, error) { to, err := p.url("a", "q", r.Query("q")); return ishaa.Redirect(to), err }`},
	{"another server", "url", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { res, err := http.Get(r.Query("url")); if err != nil { return nil, err }; return res.Status, res.Body.Close() }) }`},
	{"another server by package outbound", "", `
type pages struct{ client *http.Client }
func add(app *ishaa.App) { p := &pages{outbound.New(outbound.Options{Hosts: []string{"a.example"}})}; app.Get("/a", func(r *ishaa.Request) (any, error) { res, err := p.client.Get(r.Query("url")); if err != nil { return nil, err }; return res.StatusCode, res.Body.Close() }) }`},
	{"a fixed host", "", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { res, err := http.Get("https://api.example.com/v1/" + r.Query("id")); if err != nil { return nil, err }; return res.StatusCode, res.Body.Close() }) }`},
	{"a host that only begins fixed", "url", `
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { res, err := http.Get("https://api.example.com" + r.Query("id")); if err != nil { return nil, err }; return res.StatusCode, res.Body.Close() }) }`},
	{"shared memory", "shared-write", `
type shop struct{ hits map[string]int }
func add(app *ishaa.App) { s := &shop{map[string]int{}}; app.Get("/a", s.show) }
func (s *shop) show(r *ishaa.Request) (any, error) { s.count(r.Query("k")); return 1, nil }
func (s *shop) count(k string) { s.hits[k]++ }`},
	{"shared memory with a lock", "", `
type shop struct{ mu sync.Mutex; hits map[string]int }
func add(app *ishaa.App) { s := &shop{hits: map[string]int{}}; app.Get("/a", s.show) }
func (s *shop) show(r *ishaa.Request) (any, error) { s.mu.Lock(); defer s.mu.Unlock(); s.count(r.Query("k")); return 1, nil }
func (s *shop) count(k string) { s.hits[k]++ }`},
	{"shared memory after the lock", "shared-write", `
type shop struct{ mu sync.Mutex; hits map[string]int }
func add(app *ishaa.App) { s := &shop{hits: map[string]int{}}; app.Get("/a", s.show) }
func (s *shop) show(r *ishaa.Request) (any, error) { s.mu.Lock(); n := len(s.hits); s.mu.Unlock(); s.hits["a"] = n; return 1, nil }`},
	{"a captured counter", "shared-write", `
func add(app *ishaa.App) { n := 0; app.Get("/a", func(r *ishaa.Request) (any, error) { n++; return 1, nil }) }`},
	{"a variable of the handler in a closure", "", `
func add(app *ishaa.App) { var db *orm.DB; app.Get("/a", func(r *ishaa.Request) (any, error) {
	n := 0
	err := db.Tx(r.Context(), func(*orm.Tx) error { n++; return nil })
	return n, err
}) }`},
	{"a package's variable", "shared-write", `
var last string
func add(app *ishaa.App) { app.Get("/a", func(r *ishaa.Request) (any, error) { last = r.Query("q"); return 1, nil }) }`},
	{"an ignored error of the database", "ignored-database-error", `
func add(app *ishaa.App) { var db *orm.DB; app.Get("/a", func(r *ishaa.Request) (any, error) { list, _ := orm.Of[user](db).Query().All(r.Context()); return list, nil }) }`},
	{"an error of the database that is returned", "", `
func add(app *ishaa.App) { var db *orm.DB; app.Get("/a", func(r *ishaa.Request) (any, error) { return orm.Of[user](db).Query().All(r.Context()) }) }`},
}

func TestFlows(t *testing.T) {
	files := map[string]string{}
	for i, test := range flowTests {
		files[fmt.Sprintf("p%02d/main.go", i)] = head + test.text
	}
	report := analyze(t, risk.Options{Dir: program(t, files)})
	found := map[string][]string{}
	for _, route := range report.Routes {
		folder := filepath.ToSlash(filepath.Dir(route.Place.File))
		found[folder] = append(found[folder], "")
		for _, f := range route.Findings {
			found[folder] = append(found[folder], f.Rule)
		}
	}
	for i, test := range flowTests {
		got := found[fmt.Sprintf("p%02d", i)]
		want := []string{""}
		if test.rule != "" {
			want = append(want, test.rule)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q", test.name, got, want)
		}
	}
}

const shop = `package main

import (
	"context"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/seqp"
)

type service struct{}

type order struct {
	Page int ` + "`query:\"page\"`" + `
	Body struct {
		Count int ` + "`json:\"count\" minimum:\"1\"`" + `
		Name  string ` + "`json:\"name\"`" + `
	}
}

func main() {
	app := ishaa.New("shop")
	furnish(app)
	app.Run()
}

func furnish(app *ishaa.App) {
	s := &service{}
	app.Get("/", s.home, ishaa.Name("home"))
	api := ishaa.NewBlueprint("api", "/api")
	v1 := inner()
	addOrders(v1, s)
	api.Register(v1)
	app.Register(api)
	app.Route("/both", logged(s.home), ishaa.Methods("GET", "POST"))
}

func inner() *ishaa.Blueprint { return ishaa.NewBlueprint("v1", "/v1") }

func logged(next ishaa.Handler) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) { return next(r) }
}

func addOrders(b *ishaa.Blueprint, s *service) {
	ishaa.Post(b, "/orders/<int:id>", s.place, seqp.Critical("financial_core", "orders"), ishaa.Name("place"))
}

func (s *service) home(r *ishaa.Request) (any, error) { return 1, nil }

func (s *service) place(ctx context.Context, in *order) (int, error) {
	total := 0
	for i := range in.Body.Count {
		if i > 2 && in.Page > 1 || in.Page == 7 {
			switch in.Body.Name {
			case "a":
				total++
			case "b", "c":
				total--
			default:
				total = 0
			}
		} else if i == 9 {
			total = 9
		}
	}
	return total, nil
}
`

func TestRoutesAndMetrics(t *testing.T) {
	dir := program(t, map[string]string{"main.go": shop})
	report := analyze(t, risk.Options{Dir: dir})
	var got []string
	for _, r := range report.Routes {
		got = append(got, fmt.Sprintf("%s %s %s %s %s", r.Method, r.Pattern, r.Name, r.Handler, r.Critical))
	}
	want := []string{
		"POST /api/v1/orders/<int:id> api.v1.place (*service).place financial_core",
		"GET / home (*service).home standard",
		"GET,POST /both  logged$1 standard",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("routes:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	m := report.Routes[0].Metrics
	// 1 + for + if + && + || + 2 cases + else if; 1 + 2 (if) + 1 (other operator) twice + 3 (switch) + 1 (else if)
	if m.Cyclomatic != 8 || m.Nesting != 3 || m.Cognitive != 9 || m.Inputs != 3 || m.Functions != 1 || m.Lines != 18 {
		t.Errorf("metrics %+v", m)
	}
	if level := report.Routes[0].Level; level != risk.Medium || report.Highest() != risk.Medium {
		t.Errorf("level %s, highest %s", level, report.Highest())
	}
	for i, reason := range report.Routes[0].Reasons {
		if reason.Text == "" || reason.Place.File != "main.go" || reason.Place.Line == 0 || i > 2 {
			t.Errorf("reason %+v", reason)
		}
	}
	again := analyze(t, risk.Options{Dir: dir})
	var first, second bytes.Buffer
	if err := report.WriteJSON(&first); err != nil {
		t.Fatal(err)
	}
	if err := again.WriteJSON(&second); err != nil || first.String() != second.String() {
		t.Errorf("two runs differ: %v", err)
	}
}

func TestCoverageMutationAndHistory(t *testing.T) {
	head, _, _ := strings.Cut(shop, "total := 0")
	line := 1 + strings.Count(head, "\n")
	dir := program(t, map[string]string{
		"main.go":   shop,
		"cover.out": fmt.Sprintf("mode: set\nexample.com/shop/main.go:%d.2,%d.30 3 1\nexample.com/shop/main.go:%d.2,%d.30 1 0\n", line, line+1, line+2, line+3),
		"mutants.json": strings.ReplaceAll(`{"packages": [{"mutants": [
			{"package": "example.com/shop", "file": "main.go", "line": LINE, "status": "killed"},
			{"package": "example.com/shop", "file": "main.go", "line": LINE, "status": "lived"},
			{"package": "example.com/shop", "file": "main.go", "line": 1, "status": "lived"}]}]}`, "LINE", fmt.Sprint(line)),
	})
	git := func(arguments ...string) {
		t.Helper()
		command := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, arguments...)...)
		command.Dir = dir
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git: %v\n%s", err, output)
		}
	}
	git("init", "-q")
	git("add", "main.go")
	git("commit", "-q", "-m", "Fix the orders")
	r := analyze(t, risk.Options{Dir: dir, Coverage: filepath.Join(dir, "cover.out"), Mutation: filepath.Join(dir, "mutants.json")}).Routes[0]
	if lines := float64(strings.Count(shop, "\n")); r.Metrics.Coverage != 0.75 || r.Metrics.Mutation != 0.5 || r.Metrics.Churn != lines {
		t.Errorf("%+v, the file has %.0f lines", r.Metrics, lines)
	}
	for _, options := range []risk.Options{{Dir: dir, Coverage: filepath.Join(dir, "main.go")}, {Dir: dir, Mutation: filepath.Join(dir, "main.go")}, {Dir: dir, Coverage: "none"}} {
		if _, err := risk.Analyze(context.Background(), options); err == nil {
			t.Errorf("%+v: no error", options)
		}
	}
}

func TestReports(t *testing.T) {
	dir := program(t, map[string]string{"main.go": head + flowTests[0].text})
	report := analyze(t, risk.Options{Dir: dir})
	if report.Highest() != risk.Critical || len(report.Findings()) != 1 {
		t.Fatalf("%+v", report)
	}
	finding := report.Findings()[0]
	if len(finding.Via) != 2 || finding.Place.File != "main.go" || finding.Via[0].Line >= finding.Via[1].Line {
		t.Errorf("%+v", finding)
	}
	var table, page, sarif bytes.Buffer
	if err := report.Write(&table); err != nil || !strings.Contains(table.String(), "critical") || !strings.Contains(table.String(), finding.Place.String()) {
		t.Errorf("%v\n%s", err, table.String())
	}
	if err := report.WriteHTML(&page); err != nil || !strings.Contains(page.String(), `class="cell critical"`) || strings.Contains(page.String(), "http") {
		t.Errorf("%v\n%s", err, page.String())
	}
	if err := report.WriteSARIF(&sarif); err != nil {
		t.Fatal(err)
	}
	var document struct {
		Version string
		Runs    []struct {
			Results []struct {
				RuleID    string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
				CodeFlows []struct{ ThreadFlows []struct{ Locations []any } }
			}
		}
	}
	if err := json.Unmarshal(sarif.Bytes(), &document); err != nil || document.Version != "2.1.0" {
		t.Fatalf("%v\n%s", err, sarif.String())
	}
	result := document.Runs[0].Results[0]
	if result.RuleID != "sql" || result.Locations[0].PhysicalLocation.Region.StartLine != finding.Place.Line || len(result.CodeFlows[0].ThreadFlows[0].Locations) != 3 {
		t.Errorf("%+v", result)
	}
}

func TestAnalyzeFile(t *testing.T) {
	dir := program(t, map[string]string{"main.go": head + flowTests[0].text, "quiet.go": "package main\n\nfunc twice(n int) int { return 2 * n }\n"})
	loud, err := risk.AnalyzeFile(t.Context(), filepath.Join(dir, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if loud.RiskLevel != risk.Critical || loud.RiskScore < 0.8 || loud.DBInteractions != 1 || !loud.SecuritySensitive || loud.CyclomaticComplexity != 5 {
		t.Errorf("%+v", loud)
	}
	quiet, err := risk.AnalyzeFile(t.Context(), filepath.Join(dir, "quiet.go"))
	if err != nil || quiet.RiskLevel != risk.Low || quiet.SecuritySensitive || quiet.DBInteractions != 0 {
		t.Errorf("%+v, %v", quiet, err)
	}
	if _, err := risk.AnalyzeFile(t.Context(), filepath.Join(dir, "none.go")); err == nil || !strings.Contains(err.Error(), "none.go") {
		t.Errorf("%v", err)
	}
}

func TestWhatDoesNotCompile(t *testing.T) {
	_, err := risk.Analyze(t.Context(), risk.Options{Dir: program(t, map[string]string{"main.go": "package main\n\nfunc main() { x }\n"})})
	if err == nil || !strings.Contains(err.Error(), "does not compile") || !strings.Contains(err.Error(), "main.go:3") {
		t.Errorf("%v", err)
	}
}

// The framework's own example has none of it.
func TestTheTourHasNoFinding(t *testing.T) {
	report := analyze(t, risk.Options{Dir: filepath.Join(testenv.Root(), "examples", "tour"), Patterns: []string{"."}})
	if len(report.Routes) < 40 {
		t.Errorf("only %d routes were found", len(report.Routes))
	}
	for _, f := range report.Findings() {
		t.Errorf("%s: %s: %s", f.Place, f.Rule, f.Text)
	}
	for _, route := range report.Routes {
		if route.Handler == "" || route.Level == risk.Critical {
			t.Errorf("%s %s: handler %q, level %s", route.Method, route.Pattern, route.Handler, route.Level)
		}
	}
}
