package admin

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/schema"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/static"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/tasks"
	"github.com/ishaa-framework/ishaa/template"
)

//go:embed pages
var pageFiles embed.FS

//go:embed assets/*.js assets/*.css assets/*.svg
var assetFiles embed.FS

// Options are the settings of New. All may be left out.
type Options struct {
	// Prefix is where the panel is; default "/admin".
	Prefix string
	// Title is the name at the top of each page; default the application's.
	Title string

	// Login and Sessions have people sign in as they do elsewhere in the program: the identity's roles are what counts. They
	// are given together. Without them the panel has accounts of its own, see Panel.SetAccount.
	Login    *auth.Login
	Sessions *session.Sessions
	// Store keeps the sessions of the panel's own accounts, for many nodes; default in memory. See Config.StoreURL.
	Store store.KV
	// Hasher is for the passwords of those accounts; default auth.NewHasher().
	Hasher *auth.Hasher

	// Roles are what people need one of to come in, and what each may do; default DefaultRoles.
	Roles Roles
	// Allow decides in place of Roles about models and single rows. Roles still say who comes in.
	Allow func(ctx context.Context, ask Ask) (bool, error)

	// Queue runs what takes long: actions in the background, and imports of large files. The program installs it.
	Queue *tasks.TaskQueue
	// LargeImport is from how many octets a file is imported by the Queue, if there is one; default 1 MiB.
	LargeImport int64

	// Translate gives the text of a label, a button or a message in the language of the visitor, and Language the language's
	// tag, such as "de". Texts with verbs of package fmt come with them: "%d rows".
	Translate func(r *ishaa.Request, text string) string
	Language  func(r *ishaa.Request) string

	// Route are options for all of the panel's routes, such as a host, or openapi.Hidden() to leave them out of documents.
	Route []ishaa.RouteOption

	// MaxImport is how large a file to be imported may be; default 64 MiB.
	MaxImport int64
}

// Panel is an admin panel, to be installed in an application.
type Panel struct {
	db        *orm.DB
	options   Options
	models    []*model
	bySlug    map[string]*model
	schemas   *schema.Registry
	engine    *template.Engine
	assets    *static.Files
	login     *auth.Login
	sessions  *session.Sessions
	accounts  *accounts // nil where the program's own sign in
	logger    *slog.Logger
	imports   *tasks.Task[jobArgs, jobResult] // of large files; nil without a queue
	installed bool
	byRole    bool // permissions are by role alone
}

// New returns a panel for models in a database. Register fills it.
func New(db *orm.DB, options Options) *Panel {
	if options.Prefix == "" {
		options.Prefix = "/admin"
	}
	if options.Roles == nil {
		options.Roles = DefaultRoles()
	}
	byRole := options.Allow == nil
	if byRole {
		options.Allow = options.Roles.Allow
	}
	if options.MaxImport == 0 {
		options.MaxImport = 64 << 20
	}
	if options.LargeImport == 0 {
		options.LargeImport = 1 << 20
	}
	return &Panel{byRole: byRole, db: db, options: options, bySlug: map[string]*model{}, schemas: &schema.Registry{}, logger: slog.Default()}
}

// Install implements ishaa.Plugin: it adds the panel's pages below its prefix. The panel's own tables, admin_log and, where it
// needs them, admin_accounts and admin_files, are made when the application starts.
func (p *Panel) Install(app *ishaa.App) error {
	switch {
	case p.installed:
		return errors.New("admin: the panel is installed already")
	case !strings.HasPrefix(p.options.Prefix, "/") || strings.HasSuffix(p.options.Prefix, "/"):
		return fmt.Errorf("admin: Options.Prefix %q: it begins with a slash and does not end with one, as \"/admin\"", p.options.Prefix)
	case (p.options.Login == nil) != (p.options.Sessions == nil):
		return errors.New("admin: give Options.Login and Options.Sessions together, or neither")
	case len(p.options.Roles) == 0:
		return errors.New("admin: Options.Roles is empty, so nobody could come in: leave it out for DefaultRoles")
	}
	if p.options.Title == "" {
		p.options.Title = words(app.Name())
	}
	for _, m := range p.models {
		if err := m.connect(); err != nil {
			return err
		}
	}
	pages, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return err
	}
	assets, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return err
	}
	p.engine = template.New(pages, template.Options{Syntax: template.Syntax{TrimBlocks: true, LstripBlocks: true}})
	if err := p.engine.Check(); err != nil {
		return err
	}
	p.assets = static.FS(assets, p.options.Prefix+"/-/static", static.Options{Name: "admin-static", Route: p.options.Route})
	p.login, p.sessions = p.options.Login, p.options.Sessions
	if p.login == nil {
		if err := p.ownAccounts(app); err != nil {
			return err
		}
	}
	if p.options.Queue != nil {
		p.imports = tasks.Define(p.options.Queue, "admin.import", p.importJob, tasks.MaxAttempts(1), tasks.Timeout(6*time.Hour))
	}
	p.installed = true
	p.routes(app)
	app.Install(p.assets)
	app.OnStart(func(ctx context.Context) error {
		p.logger = app.Logger()
		return p.makeTables(ctx)
	})
	return nil
}

// makeTables makes the panel's own tables, which are no part of the program's migrations.
func (p *Panel) makeTables(ctx context.Context) error {
	if err := makeTable[Entry](ctx, p.db); err != nil {
		return err
	}
	if p.imports != nil {
		if err := makeTable[filePart](ctx, p.db); err != nil {
			return err
		}
	}
	if p.accounts == nil {
		return nil
	}
	return makeTable[Account](ctx, p.db)
}

// makeTable makes a table unless it is there. Another node may be quicker.
func makeTable[T any](ctx context.Context, db *orm.DB) error {
	if err := orm.Of[T](db).CreateTable(ctx); err != nil {
		if _, again := orm.Of[T](db).Query().Limit(1).All(ctx); again != nil {
			return fmt.Errorf("admin: making the panel's own table: %w", err)
		}
	}
	return nil
}

func (p *Panel) routes(app *ishaa.App) {
	roles := slices.Sorted(maps.Keys(p.options.Roles))
	open := ishaa.NewBlueprint("admin-door", p.options.Prefix, p.sessions.Middleware()).With(p.options.Route...)
	b := ishaa.NewBlueprint("admin", p.options.Prefix, p.sessions.Middleware()).
		With(auth.LoginRequired(p.login), auth.RoleRequired(roles...), ishaa.Criticality.On(ishaa.SecurityCritical)).With(p.options.Route...)
	if p.accounts != nil {
		open.Get("/-/sign-in", p.accounts.page)
		open.Post("/-/sign-in", p.accounts.signIn, ishaa.BodyLimit(8<<10))
		open.OnStatus(401, p.accounts.again)
		open.OnStatus(429, p.accounts.again)
		b.Get("/-/password", p.visit(p.accounts.passwordPage))
		b.Post("/-/password", p.visit(p.accounts.changePassword), ishaa.BodyLimit(8<<10))
	}
	b.Get("/", p.visit(p.home))
	b.Post("/-/sign-out", p.visit(p.signOut))
	b.Post("/-/theme", p.visit(p.theme))
	b.Get("/-/log", p.visit(p.logPage))
	b.Get("/-/jobs/<int:id>", p.visit(p.jobPage))
	rows := func(fn func(*visit, *model) (any, error)) ishaa.Handler {
		return p.visit(func(v *visit) (any, error) {
			m := p.bySlug[v.r.Param("model")]
			if m == nil || !v.may(m, View) { // what somebody may not see is not there
				return nil, ishaa.NotFound("%s", v.say("There is no such page."))
			}
			return fn(v, m)
		})
	}
	b.Get("/<model>", rows(p.listPage))
	b.Post("/<model>", rows(p.bulk))
	b.Get("/<model>/-/new", rows(p.newPage))
	b.Post("/<model>/-/new", rows(p.create), ishaa.BodyLimit(4<<20))
	b.Get("/<model>/-/pick", rows(p.pick))
	b.Get("/<model>/-/export", rows(p.export))
	b.Get("/<model>/-/import", rows(p.importPage))
	b.Post("/<model>/-/import", rows(p.importFile), ishaa.BodyLimit(p.options.MaxImport+64<<10))
	b.Get("/<model>/<key>", rows(p.editPage))
	b.Post("/<model>/<key>", rows(p.edit), ishaa.BodyLimit(4<<20))
	b.Get("/<model>/<key>/delete", rows(p.deletePage))
	b.Post("/<model>/<key>/delete", rows(p.remove))
	b.Get("/<model>/<key>/log", rows(p.rowLog))
	for _, status := range []int{400, 403, 404, 409, 413, 415, 422} {
		b.OnStatus(status, p.failed)
	}
	app.Register(open)
	app.Register(b)
}

// A visit is one request of somebody who is signed in.
type visit struct {
	panel *Panel
	r     *ishaa.Request
	ctx   context.Context
	who   *auth.Identity
	name  string
	on    orm.Session // the database, or the transaction that is under way
	job   int64       // the job that acts in their name, if it is one
}

var visitKey = ishaa.NewKey[*visit]("admin visit")

// visit is a handler for those who are signed in. What is sent by POST needs the session's token.
func (p *Panel) visit(fn func(*visit) (any, error)) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		v := &visit{panel: p, r: r, ctx: r.Context(), who: auth.Who(r), on: p.db}
		v.name = v.who.Subject
		if named, ok := v.who.Value.(interface{ AdminName() string }); ok {
			v.name = named.AdminName()
		}
		visitKey.Set(r, v)
		if r.Method() == "POST" {
			if err := p.checkToken(r); err != nil {
				return nil, err
			}
		}
		return fn(v)
	}
}

// in is the same visit inside of a transaction.
func (v *visit) in(tx *orm.Tx) *visit {
	inside := *v
	inside.on = tx
	return &inside
}

// say gives a text in the visitor's language, with values in it.
func (v *visit) say(text string, values ...any) string { return v.panel.said(v.r, text, values...) }

func (p *Panel) said(r *ishaa.Request, text string, values ...any) string {
	if p.options.Translate != nil && r != nil { // a job has no visitor
		text = p.options.Translate(r, text)
	}
	if len(values) > 0 {
		text = fmt.Sprintf(text, values...)
	}
	return text
}

// at is the address of a page of the panel.
func (p *Panel) at(parts ...string) string {
	return p.options.Prefix + "/" + strings.Join(parts, "/")
}

// policy lets the panel's own files work, and nothing else: no script or style within a page, no frame, no other host.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// render makes a page, or one block of it, of a template.
func (p *Panel) render(r *ishaa.Request, name, block string, data map[string]any) (*ishaa.Response, error) {
	theme, _ := r.Cookie("admin-theme")
	if theme != "dark" && theme != "light" {
		theme = ""
	}
	language := "en"
	if p.options.Language != nil {
		language = p.options.Language(r)
	}
	all := map[string]any{
		"t":     func(text string, values ...any) string { return p.said(r, text, values...) },
		"asset": func(name string) string { return p.assets.URL(name) },
		"at":    p.at, "site": p.options.Title, "language": language, "theme": theme, "now": r.Time().UTC().Format(time.RFC3339),
	}
	maps.Copy(all, data)
	var out bytes.Buffer
	var err error
	if block == "" {
		err = p.engine.RenderContext(r.Context(), &out, name, all)
	} else {
		err = p.engine.RenderBlock(r.Context(), &out, name, block, all)
	}
	if err != nil {
		return nil, err
	}
	return ishaa.HTML(out.String()).WithHeader("Content-Security-Policy", policy).WithHeader("Vary", "HX-Request, HX-Target"), nil
}

// link is an entry of the menu.
type link struct {
	Label, Href string
	Current     bool
	Count       string
}

// show answers with a page for somebody who is signed in.
func (v *visit) show(name string, data map[string]any) (any, error) {
	return v.showPart(name, "", data)
}

func (v *visit) showPart(name, block string, data map[string]any) (any, error) {
	token, err := v.panel.token(v.r)
	if err != nil {
		return nil, err
	}
	all := map[string]any{"token": token, "who": v.name, "own_accounts": v.panel.accounts != nil, "here": v.r.Path()}
	if block == "" {
		flashes, err := v.panel.sessions.From(v.r).Flashes()
		if err != nil {
			return nil, err
		}
		all["flashes"], all["menu"] = flashes, v.menu()
		all["may_log"] = v.mayAsk(Ask{Action: Audit})
	}
	maps.Copy(all, data)
	res, err := v.panel.render(v.r, name, block, all)
	if err == nil && block != "" {
		res = res.WithHeader("X-Admin", "part") // by which the script tells a part from another page
	}
	return res, err
}

func (v *visit) menu() []link {
	var list []link
	current, _, _ := strings.Cut(strings.TrimPrefix(v.r.Path(), v.panel.options.Prefix+"/"), "/")
	for _, m := range v.panel.models {
		if v.may(m, View) {
			list = append(list, link{Label: v.say(m.many), Href: v.panel.at(m.slug), Current: m.slug == current})
		}
	}
	return list
}

// done goes to another page, with a message there.
func (v *visit) done(kind, message, to string) (any, error) {
	return ishaa.Redirect(to), v.panel.sessions.From(v.r).Flash(kind, message)
}

func (p *Panel) home(v *visit) (any, error) {
	type card struct {
		Label, Href, New string
		Count            string
	}
	var cards []card
	for _, m := range p.models {
		if !v.may(m, View) {
			continue
		}
		n, err := m.rows.count(v.ctx, p.db, v.seen(m), countMost+1)
		if err != nil {
			return nil, err
		}
		c := card{Label: v.say(m.many), Href: p.at(m.slug), Count: v.amount(n)}
		if v.may(m, Create) {
			c.New = p.at(m.slug, "-", "new")
		}
		cards = append(cards, c)
	}
	recent, err := v.entries(question{}, 8)
	if err != nil {
		return nil, err
	}
	return v.show("home.html", map[string]any{"cards": cards, "entries": recent})
}

func (p *Panel) signOut(v *visit) (any, error) {
	return ishaa.Redirect(p.at()), p.login.SignOut(v.r)
}

// failed shows an error as a page of the panel, or leaves it to the framework for clients that want no page.
func (p *Panel) failed(r *ishaa.Request, err error) (any, error) {
	var problem *ishaa.Problem
	v := visitKey.Get(r)
	if r.Accepts("application/json", "text/html") != "text/html" || auth.Who(r) == nil {
		return nil, err
	}
	if v == nil {
		v = &visit{panel: p, r: r, ctx: r.Context(), who: auth.Who(r), on: p.db}
	}
	status, detail := 500, ""
	if errors.As(err, &problem) {
		status, detail = problem.Status, problem.Detail
	} else if s, ok := err.(interface{ HTTPStatus() int }); ok {
		status, detail = s.HTTPStatus(), err.Error()
	}
	title := map[int]string{403: "Not allowed", 404: "Not found", 409: "That did not fit"}[status]
	if title == "" {
		title = "That did not work"
	}
	res, showErr := v.show("error.html", map[string]any{"title": v.say(title), "detail": detail})
	if showErr != nil {
		return nil, err
	}
	return res.(*ishaa.Response).WithStatus(status), nil
}
