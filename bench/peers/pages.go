package peers

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing/fstest"

	hertzapp "github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	fiberstatic "github.com/gofiber/fiber/v3/middleware/static"
	"github.com/labstack/echo/v4"
	"github.com/valyala/fasthttp"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
	pages "github.com/ishaa-framework/ishaa/template"
)

// Page renders twenty rows by each framework's templates: html/template everywhere but in Ishaa. Static is a file of 12 kB on
// the disk, served by what each framework has for that.

type user struct {
	ID    int
	Name  string
	Email string
	Admin bool
}

type usersPage struct {
	Title string
	Users []user
}

// twentyUsers stands for the query that a program would make.
func twentyUsers() *usersPage {
	p := &usersPage{Title: "Users & co", Users: make([]user, 20)}
	for i := range p.Users {
		n := strconv.Itoa(i)
		p.Users[i] = user{i, "User <" + n + ">", "u" + n + "@example.com", i%3 == 0}
	}
	return p
}

const (
	ishaaUsers = `<html><title>{{ Title }}</title><table>{% for u in Users %}<tr id="u{{ u.ID }}"><td><a href="/users/{{ u.ID }}">{{ u.Name }}</a></td><td>{{ u.Email }}{% if u.Admin %} (admin){% endif %}</td></tr>{% endfor %}</table></html>`
	goUsers    = `<html><title>{{.Title}}</title><table>{{range .Users}}<tr id="u{{.ID}}"><td><a href="/users/{{.ID}}">{{.Name}}</a></td><td>{{.Email}}{{if .Admin}} (admin){{end}}</td></tr>{{end}}</table></html>`
)

const typeHTML = "text/html; charset=utf-8"

func goTemplate() *template.Template {
	return template.Must(template.New("users").Parse(goUsers))
}

// StyleSheet is the content of the file of Static.
func StyleSheet() string {
	var b strings.Builder
	for i := 0; b.Len() < 12_000; i++ {
		fmt.Fprintf(&b, ".c%d { margin: %dpx; color: #%06x }\n", i, i%40, i*7919%0xffffff)
	}
	return b.String()
}

// staticFolder is where the file is. It is made once and stays.
var staticFolder = sync.OnceValue(func() string {
	dir := filepath.Join(os.TempDir(), "ishaa-bench-static")
	file := filepath.Join(dir, "site.css")
	if text, err := os.ReadFile(file); err == nil && string(text) == StyleSheet() {
		return dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(file, []byte(StyleSheet()), 0o644); err != nil {
		panic(err)
	}
	return dir
})

func pageByHand() http.HandlerFunc {
	page := goTemplate()
	return func(w http.ResponseWriter, _ *http.Request) {
		var out bytes.Buffer // an error in the middle must not leave half a page
		if err := page.Execute(&out, twentyUsers()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", typeHTML)
		out.WriteTo(w)
	}
}

func fileServer() http.Handler {
	return http.StripPrefix("/static/", http.FileServer(http.Dir(staticFolder())))
}

// echoTemplates is the renderer of Echo's documentation.
type echoTemplates struct{ *template.Template }

func (t echoTemplates) Render(w io.Writer, name string, data any, _ echo.Context) error {
	return t.ExecuteTemplate(w, name, data)
}

var pageHandlers = map[string]map[Work]func() http.Handler{
	"nethttp": {
		Page: func() http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /users", pageByHand())
			return mux
		},
		Static: func() http.Handler {
			mux := http.NewServeMux()
			mux.Handle("GET /static/", fileServer())
			return mux
		},
	},
	"chi": {
		Page: func() http.Handler {
			r := chi.NewRouter()
			r.Get("/users", pageByHand())
			return r
		},
		Static: func() http.Handler {
			r := chi.NewRouter()
			r.Get("/static/*", fileServer().ServeHTTP)
			return r
		},
	},
	"gin": {
		Page: func() http.Handler {
			r := gin.New()
			r.SetHTMLTemplate(goTemplate())
			r.GET("/users", func(c *gin.Context) { c.HTML(http.StatusOK, "users", twentyUsers()) })
			return r
		},
		Static: func() http.Handler {
			r := gin.New()
			r.Static("/static", staticFolder())
			return r
		},
	},
	"echo": {
		Page: func() http.Handler {
			e := echo.New()
			e.Renderer = echoTemplates{goTemplate()}
			e.GET("/users", func(c echo.Context) error { return c.Render(http.StatusOK, "users", twentyUsers()) })
			return e
		},
		Static: func() http.Handler {
			e := echo.New()
			e.Static("/static", staticFolder())
			return e
		},
	},
	"ishaa": {
		Page: func() http.Handler {
			app := bareIshaa()
			app.Install(pages.New(fstest.MapFS{"users.html": {Data: []byte(ishaaUsers)}}))
			app.Get("/users", func(*ishaa.Request) (any, error) { return pages.Page("users.html", twentyUsers()), nil })
			return app
		},
		Static: func() http.Handler {
			app := bareIshaa()
			app.Install(static.Dir(staticFolder(), "/static"))
			return app
		},
	},
}

// pageServers do the same on peers with servers of their own. They have no templates themselves.
var pageServers = map[string]map[Work]func(net.Listener) error{
	"fasthttp": {
		Page: func(l net.Listener) error {
			page := goTemplate()
			return (&fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
				ctx.SetContentType(typeHTML)
				if err := page.Execute(ctx, twentyUsers()); err != nil {
					ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
				}
			}}).Serve(l)
		},
		Static: func(l net.Listener) error {
			files := &fasthttp.FS{Root: staticFolder(), PathRewrite: fasthttp.NewPathSlashesStripper(1)}
			return (&fasthttp.Server{Handler: files.NewRequestHandler()}).Serve(l)
		},
	},
	"fiber": {
		Page: func(l net.Listener) error {
			app, page := fiber.New(), goTemplate()
			app.Get("/users", func(c fiber.Ctx) error {
				c.Set(fiber.HeaderContentType, typeHTML)
				return page.Execute(c.Response().BodyWriter(), twentyUsers())
			})
			return listen(app, l)
		},
		Static: func(l net.Listener) error {
			app := fiber.New()
			app.Get("/static*", fiberstatic.New(staticFolder()))
			return listen(app, l)
		},
	},
	"hertz": {
		Page: func(l net.Listener) error {
			h := newHertz(l)
			h.SetHTMLTemplate(goTemplate())
			h.GET("/users", func(_ context.Context, c *hertzapp.RequestContext) { c.HTML(consts.StatusOK, "users", twentyUsers()) })
			return h.Run()
		},
		Static: func(l net.Listener) error {
			h := newHertz(l)
			h.StaticFS("/static", &hertzapp.FS{Root: staticFolder(), PathRewrite: hertzapp.NewPathSlashesStripper(1)})
			return h.Run()
		},
	},
}
