package shell

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

func TestMain(m *testing.M) {
	if os.Getenv("SHELL_TEST_PROGRAM") != "" {
		program()
		return
	}
	goleak.VerifyTestMain(m)
}

type User struct {
	orm.Model
	Name     string                   `db:"size:100"`
	Email    string                   `db:"unique,null"`
	Age      int                      `db:"default:0"`
	IsActive bool                     `db:"default:true"`
	Meta     orm.JSON[map[string]any] `db:"null"`
	Posts    orm.Many[Post]
}

type Post struct {
	ID     int64
	Title  string
	Seen   *time.Time
	Price  orm.Decimal `db:"default:0"`
	UserID int64
	User   orm.One[User]
}

// newTest is a session on a database of its own, and what it prints.
func newTest(t testing.TB, address string) (*session, *strings.Builder) {
	t.Helper()
	db, err := orm.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	app := newApp(db)
	if err := db.CreateTables(context.Background()); err != nil {
		t.Fatal(err)
	}
	out := &strings.Builder{}
	return newSession(app, db, out), out
}

func newApp(db *orm.DB) *ishaa.App {
	orm.Register[User](db)
	orm.Register[Post](db)
	app := ishaa.New("shop", ishaa.Config{Secret: strings.Repeat("geheim42", 4), StoreURL: "redis://ann:geheim@host:6379/?token=geheim", LogTo: io.Discard})
	app.Get("/users/<int:id>", func(*ishaa.Request) (any, error) { return nil, nil }, ishaa.Name("user"))
	app.Install(New(db))
	return app
}

// memory is a database that only the test knows.
const memory = "sqlite://:memory:"

// seed is the queries of the seed's README, as they stand there, with what the shell prints.
var seed = []struct{ code, want string }{
	{`user = User.create(name="Alice", email="alice@example.com", age=30)`, ""},
	{`print(user.id)`, "1"},
	{`print(user.name)`, "Alice"},
	{"user.age = 31\nuser.save()", ""},
	{`user = User.get(1)`, ""},
	{`user.age`, "31"},
	{`users = User.all()`, ""},
	{`len(users)`, "1"},
	{"active_users = (User.query()\n    .filter(is_active=True)\n    .filter(age__gt=18)\n    .order_by(\"name\")\n    .limit(10)\n    .all())", ""},
	{`[u.name for u in active_users]`, `["Alice"]`},
	{`count = User.query().filter(is_active=True).count()`, ""},
	{`count`, "1"},
	{`exists = User.query().filter(email="alice@example.com").exists()`, ""},
	{`exists`, "True"},
	{`User.query().filter(is_active=False).delete()`, "0"},
	{`User.query().filter(age__lt=18).update(is_active=False)`, "0"},
	{`results = User.query().filter(name__like="%Ali%").all()`, ""},
	{`results[0].email`, `"alice@example.com"`},
	{`results = User.query().filter(age__in=[25, 30, 35]).all()`, ""},
	{`results`, "[]"},
	{`len(User.query().filter(age__gt=18).all())`, "1"},
}

func TestSeedQueries(t *testing.T) {
	s, out := newTest(t, memory)
	for _, step := range seed {
		out.Reset()
		if err := s.script(t.Context(), "test", step.code); err != nil {
			t.Fatalf("%s: %v", step.code, err)
		}
		if got := strings.TrimSpace(out.String()); got != step.want {
			t.Errorf("%s\nprints %q, want %q", step.code, got, step.want)
		}
	}
}

// More of what may be asked, and what is printed.
func TestStatements(t *testing.T) {
	s, out := newTest(t, memory)
	for _, step := range []struct{ code, want string }{
		{`User(name="Bob").id`, "0"},
		{`bob = User(name="Bob", age=0, meta={"tags": ["a"]}); bob.save(); bob.id`, "1"},
		{`bob.meta["tags"][0]`, `"a"`},
		{`User.filter(meta__tags__0="a").count()`, "1"},
		{`p = Post.create(title="Hello", user_id=bob.id, price="1.50", seen=time.parse_time("2026-01-02T03:04:05Z"))`, ""},
		{`p.user.name`, `"Bob"`},
		{`[x.title for x in bob.posts]`, `["Hello"]`},
		{`p.price`, `"1.500000"`},
		{`p.seen.year`, "2026"},
		{`Post.filter(user=bob).count()`, "1"},
		{`Post.filter(user__in=User.filter(name="Bob")).count()`, "1"},
		{`Post.filter(user__name__icontains="bo", seen__year=2026).first().title`, `"Hello"`},
		{`p.seen = None; p.save(); p.refresh(); p.seen == None`, "True"},
		{`Post.exclude(title="Hello").all()`, "[]"},
		{`User.create(age=False)`, "error: User.create: age: orm"},
		{`User.get(name="Bob") == bob`, "True"},
		{`User.get(1) != bob`, "False"},
		{`bob.pk`, "1"},
		{`User.query().order_by("-age", "name").limit(1).offset(0).one().name`, `"Bob"`},
		{`type(bob)`, `"User"`},
		{`url("user", id=7)`, `"/users/7"`},
		{`[r.pattern for r in routes]`, `["/users/<int:id>"]`},
		{`config.secret`, `"(hidden)"`},
		{`config.store_url`, `"redis://ann:xxxxx@host:6379/?token=xxxxx"`},
		{`app`, `"shop"`},
		{`_`, `"shop"`},
		{`models[0].table`, `"posts"`},
		{"def f(x):\n    return x + 1\nf(41)", "42"},
		{`p.delete(); Post.all()`, "[]"},
	} {
		out.Reset()
		err := s.script(t.Context(), "test", step.code)
		if want, ok := strings.CutPrefix(step.want, "error: "); ok {
			if err == nil {
				t.Errorf("%s: no error, want %q", step.code, want)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", step.code, err)
		}
		if got := strings.TrimSpace(out.String()); got != step.want {
			if lines := strings.Split(got, "\n"); lines[len(lines)-1] != step.want {
				t.Errorf("%s\nprints %q, want %q", step.code, got, step.want)
			}
		}
	}
}

func TestTables(t *testing.T) {
	s, out := newTest(t, memory)
	s.maxRows = 2
	run := func(code string) string {
		t.Helper()
		out.Reset()
		if err := s.script(t.Context(), "test", code); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	run(`u = [Post.create(title=x, user_id=User.create(name=x).id) for x in ["first", "a\x1b[2Jb\nc", "third"]]`)
	const table = "id  title     seen  price     user_id\n" +
		"1   first     None  0.000000  1\n" +
		"2   a�[2Jb⏎c  None  0.000000  2\n" +
		"… and 1 more\n"
	if got := run(`Post.order_by("id").all()`); got != table {
		t.Errorf("%s\nwant\n%s", got, table)
	}
	if got := run(`Post.get(1)`); !strings.Contains(got, "title    first\n") {
		t.Error(got)
	}
	if got := run(`Post.filter(id=1)`); !strings.HasPrefix(got, "<query of Post: SELECT ") {
		t.Error(got)
	}
	for _, code := range []string{"help()", "help(User)", "help(User.query())", "help(User.filter)", "help(url)", "help(config)", "config", "routes", "models"} {
		if got := run(code); len(got) < 10 || strings.Contains(got, "geheim") {
			t.Errorf("%s prints %q", code, got)
		}
	}
	s.json = true
	var list []map[string]any
	if got := run(`Post.order_by("id").all()`); json.Unmarshal([]byte(got), &list) != nil || len(list) != 3 || list[0]["title"] != "first" {
		t.Error(got)
	}
	for _, code := range []string{"User.get(1)", "routes", "config", `{"a": [1, None, "x"]}`, "User", "1 << 60"} {
		if got := run(code); !json.Valid([]byte(got)) || strings.Contains(got, "geheim") {
			t.Errorf("%s: %s", code, got)
		}
	}
}

// What is wrong is said, with what was probably meant, and the session goes on.
func TestErrors(t *testing.T) {
	s, out := newTest(t, memory)
	for _, test := range []struct{ code, want string }{
		{`Usr.all()`, "did you mean User?"},
		{`nothing_like_it`, "help() says what there is"},
		{`User.filter(agee=3)`, `User.filter: User has no field "agee"; did you mean "age"?`},
		{`User.filter(age__gtt=3)`, `"gt"`},
		{`User.filter("age")`, "give what is looked for by name"},
		{`User.get(77)`, "no such row"},
		{`User.get()`, "it is used as get(key)"},
		{`User.first()`, "no such row"},
		{`User.create(nam="x")`, `did you mean "name"?`},
		{`User.create(name=None)`, "cannot be empty"},
		{`User(name="x").posts`, "[]"},
		{`User.order_by(3)`, `it is used as order_by("field", "-field")`},
		{`User.limit(-1)`, "not negative"},
		{`User.filter(age=1 << 70)`, "too large"},
		{`User.filter(age=User)`, "is no value for a column"},
		{`User.update(age=1, agee=2)`, `no field "agee"`},
		{`User.get(1`, "line 1"},
		{"x = 1\ny = \n", "line 2"},
		{"def f():\n    return 1 // 0\nf()", "division by zero"},
		{`url("users", id=1)`, "there is no route named"},
		{`url()`, "it is used as url"},
		{`p = User(name="x"); p.posts = []`, "is a relation"},
		{`config.secret = "x"`, "can't assign"},
		{`User.all = 1`, "can't assign"},
		{`{User.query(): 1}`, "no key of a dict"},
		{`load("x", "y")`, "load"},
	} {
		out.Reset()
		err := s.script(t.Context(), "test", test.code)
		text := out.String()
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, test.want) {
			t.Errorf("%s\nsays %q, want %q", test.code, text, test.want)
		}
	}
	out.Reset()
	if err := s.script(t.Context(), "test", "1 + 1"); err != nil || out.String() != "2\n" {
		t.Errorf("the session does not go on: %v %q", err, out.String())
	}
}

func TestReadOnly(t *testing.T) {
	s, out := newTest(t, "sqlite://"+filepath.Join(t.TempDir(), "test.db"))
	if err := s.script(t.Context(), "test", `User.create(name="Ann", age=20); Post.create(title="x", user_id=1)`); err != nil {
		t.Fatal(err)
	}
	s.readonly = true
	for _, code := range []string{`User.create(name="x")`, `u = User.get(1); u.age = 3; u.save()`, `User.get(1).delete()`, `User.delete()`, `User.update(age=1)`} {
		if err := s.script(t.Context(), "test", code); err == nil || !strings.Contains(err.Error(), "the shell is read-only") {
			t.Errorf("%s: %v", code, err)
		}
	}
	// Whatever gets past the shell is refused by the database.
	s.ctx = t.Context()
	err := s.read(func(on orm.Session) error {
		return orm.RowsOf(on, s.models["User"].table.Type).Create(t.Context(), &User{Name: "x"})
	})
	if !errors.Is(err, orm.ErrReadOnly) {
		t.Errorf("a write within read: %v", err)
	}
	out.Reset()
	if err := s.script(t.Context(), "test", `(User.count(), User.get(1).posts[0].title, User.get(1).age)`); err != nil || out.String() != "(1, \"x\", 20)\n" {
		t.Errorf("%v %q", err, out.String())
	}
}

// A statement ends when it is interrupted, be it a loop or a query, and the session goes on.
func TestInterrupt(t *testing.T) {
	s, out := newTest(t, memory)
	for _, code := range []string{"while True:\n    pass", "while True:\n    User.count()"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		timer := time.AfterFunc(50*time.Millisecond, func() { cancel(errInterrupted) })
		err := s.script(ctx, "test", code)
		timer.Stop()
		cancel(nil)
		if err == nil || !strings.Contains(err.Error(), "interrupted") {
			t.Errorf("%s: %v", code, err)
		}
	}
	out.Reset()
	if err := s.script(t.Context(), "test", "User.count()"); err != nil || out.String() != "0\n" {
		t.Errorf("%v %q", err, out.String())
	}
}

func TestComplete(t *testing.T) {
	s, _ := newTest(t, memory)
	if err := s.script(t.Context(), "test", `user = User.create(name="Ann"); q = User.query(); users = User.all()`); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		line string // "|" is the cursor
		want string // these are among the options, and the first of them is what the word becomes
		not  string
	}{
		{"Us|", "User", ""},
		{"x = Us|", "User", ""},
		{"User.qu|", "query", ""},
		{"User.query().fil|", "filter", ""},
		{"User.query().filter(age__gt=18).|", "all", "save"},
		{"(User.query()).or|", "order_by", ""},
		{"(User\n  .query()\n  .filter(is_active=True)\n  .ex|", "exclude exists", ""},
		{"User.query().filter(na|", "name= name__", ""},
		{"User.query().filter(age__g|", "age__gt= age__gte=", ""},
		{"User.query().filter(name__ico|", "name__icontains=", ""},
		{"User.query().filter(age__ico|", "", ""},
		{"User.query().filter(created_at__ye|", "created_at__year=", ""},
		{"User.query().filter(name=\"x\", is_|", "is_active=", ""},
		{"User.query().filter(posts__ti|", "posts__title= posts__title__", ""},
		{"Post.filter(user__name__star|", "user__name__startswith=", ""},
		{"User.create(em|", "email=", "email__"},
		{"User(em|", "email=", ""},
		{"User.query().order_by(\"cre|", "created_at", ""},
		{"User.query().order_by('-na|", "-name", ""},
		{"url(\"us|", "user", ""},
		{"user.na|", "name", ""},
		{"user.sa|", "save", ""},
		{"User.get(1).po|", "posts", ""},
		{"User.get(1).posts[0].ti|", "title", ""},
		{"users[0].em|", "email", ""},
		{"Post.first().user.em|", "email", ""},
		{"q.cou|", "count", ""},
		{"config.sec|", "secret", ""},
		{"time.no|", "now", ""},
		{"\"Us|", "", ""},
		{"# Us|", "", ""},
		{"len(Us|)", "User", ""},
		{"nothing.|", "", ""},
		{"User.query(.|", "", ""},
		{"é = Us|", "User", ""},
	} {
		before, after, _ := strings.Cut(test.line, "|")
		head, options, tail := s.complete(before+after, len([]rune(before)))
		for want := range strings.FieldsSeq(test.want) {
			if !slices.Contains(options, want) {
				t.Errorf("%s: %q is not among %q", test.line, want, options)
			}
		}
		if test.want == "" && len(options) > 0 {
			t.Errorf("%s: %q", test.line, options)
		}
		if test.not != "" && slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, test.not) }) {
			t.Errorf("%s: %q is among %q", test.line, test.not, options)
		}
		if !strings.HasPrefix(before, head) || tail != after {
			t.Errorf("%s: the line becomes %q + option + %q", test.line, head, tail)
		}
	}
}

func TestHistoryFile(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/state")
	for _, test := range []struct{ o, name, want string }{
		{"", "shop", "/state/ishaa/shop.history"}, {"", "../a b", "/state/ishaa/.._a b.history"}, {"-", "shop", ""}, {"/x", "shop", "/x"},
	} {
		if got := (plugin{o: Options{History: test.o}}).historyFile(test.name); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	name := filepath.Join(t.TempDir(), "new", "shop.history")
	if err := writePrivate(name, strings.NewReader("1 + 1\n")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestCommand(t *testing.T) {
	db, err := orm.Open(memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	app := newApp(db)
	run := func(args ...string) (string, error) {
		for _, c := range app.Commands() {
			if c.Name == "shell" {
				var out strings.Builder
				err := c.Run(t.Context(), app, args, &out)
				return out.String(), err
			}
		}
		t.Fatal("there is no command shell")
		return "", nil
	}
	if got, err := run("-c", "1 + 1"); err != nil || got != "2\n" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := run("-c", ""); err != nil || got != "" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := run("-h"); err != nil || !strings.Contains(got, "--readonly") {
		t.Errorf("%q, %v", got, err)
	}
	for _, args := range [][]string{{"--nothing"}, {"word"}, {"-c", "1 +"}, {"--readonly", "-c", `User.create(name="x")`}} {
		if got, err := run(args...); err == nil {
			t.Errorf("%q: %q", args, got)
		}
	}
}
