package peers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	hertzapp "github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	"github.com/valyala/fasthttp"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite" // and the driver "sqlite", which the others use by database/sql
)

// Row reads one row from SQLite by the number in the path: by a prepared statement of database/sql everywhere but in
// Ishaa, which has an ORM. The driver is the same, and so are its settings.

type artist struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// TableName says where they are, to package orm.
func (artist) TableName() string { return "bench_artists" }

const artistCount = 1000

func artistName(id int64) string { return "Artist no. " + strconv.FormatInt(id, 10) }

// pragmas are what package orm sets on its connections to SQLite, with Options.Relaxed.
const pragmas = "?_timezone=UTC&_dqs=0&_busy_timeout=30000&_foreign_keys=1&_txlock=immediate&_journal_mode=WAL&_synchronous=NORMAL&_pragma=journal_size_limit(67108864)"

// artistsFile is the database. It is made once and stays, as static's file does.
var artistsFile = sync.OnceValue(func() string {
	file := filepath.Join(os.TempDir(), "ishaa-bench-artists.db")
	if _, err := os.Stat(file); err == nil {
		return file
	}
	made := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := makeArtists(made); err != nil {
		panic(err)
	}
	if err := os.Rename(made, file); err != nil { // whole, or not there
		panic(err)
	}
	return file
})

func makeArtists(file string) (err error) {
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var rows strings.Builder
	for id := range int64(artistCount) {
		if id > 0 {
			rows.WriteByte(',')
		}
		fmt.Fprintf(&rows, "(%d, '%s')", id+1, artistName(id+1))
	}
	_, err = db.Exec("CREATE TABLE bench_artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL); INSERT INTO bench_artists VALUES " + rows.String())
	return err
}

// artistStatement is what a program prepares once.
var artistStatement = sync.OnceValue(func() *sql.Stmt {
	db, err := sql.Open("sqlite", "file:"+artistsFile()+pragmas)
	if err == nil {
		db.SetMaxIdleConns(16)
		var statement *sql.Stmt
		if statement, err = db.Prepare("SELECT id, name FROM bench_artists WHERE id = ?"); err == nil {
			return statement
		}
	}
	panic(err)
})

var artistRepository = sync.OnceValue(func() orm.Repository[artist] {
	db, err := orm.Open("sqlite://"+filepath.ToSlash(artistsFile()), orm.Options{MaxConnections: 16, Relaxed: true})
	if err != nil {
		panic(err)
	}
	return orm.Of[artist](db)
})

// artistByHand reads the artist whose number a path has. There is none for a path that has no number.
func artistByHand(ctx context.Context, number string) (a artist, err error) {
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return a, sql.ErrNoRows
	}
	err = artistStatement().QueryRowContext(ctx, id).Scan(&a.ID, &a.Name)
	return a, err
}

// statusOfRow is 404 for a row that is not there.
func statusOfRow(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, sql.ErrNoRows):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

func rowByHand(w http.ResponseWriter, r *http.Request, number string) {
	a, err := artistByHand(r.Context(), number)
	if err != nil {
		status := statusOfRow(err)
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(a); err != nil {
		panic(http.ErrAbortHandler)
	}
}

var rowHandlers = map[string]map[Work]func() http.Handler{
	"nethttp": {Row: func() http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /artists/{id}", func(w http.ResponseWriter, r *http.Request) { rowByHand(w, r, r.PathValue("id")) })
		return mux
	}},
	"chi": {Row: func() http.Handler {
		r := chi.NewRouter()
		r.Get("/artists/{id}", func(w http.ResponseWriter, r *http.Request) { rowByHand(w, r, chi.URLParam(r, "id")) })
		return r
	}},
	"gin": {Row: func() http.Handler {
		r := gin.New()
		r.GET("/artists/:id", func(c *gin.Context) {
			a, err := artistByHand(c.Request.Context(), c.Param("id"))
			if err != nil {
				c.AbortWithStatus(statusOfRow(err))
				return
			}
			c.JSON(http.StatusOK, a)
		})
		return r
	}},
	"echo": {Row: func() http.Handler {
		e := echo.New()
		e.GET("/artists/:id", func(c echo.Context) error {
			a, err := artistByHand(c.Request().Context(), c.Param("id"))
			if err != nil {
				return echo.NewHTTPError(statusOfRow(err))
			}
			return c.JSON(http.StatusOK, a)
		})
		return e
	}},
	"ishaa": {Row: func() http.Handler {
		app, artists := bareIshaa(), artistRepository()
		app.Get("/artists/<int:id>", func(r *ishaa.Request) (any, error) {
			return artists.Get(r.Context(), r.ParamInt("id"))
		})
		return app
	}},
}

// rowServers do the same on peers with servers of their own.
var rowServers = map[string]map[Work]func(net.Listener) error{
	"fasthttp": {Row: func(l net.Listener) error {
		return (&fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
			a, err := artistByHand(ctx, strings.TrimPrefix(string(ctx.Path()), "/artists/"))
			if err != nil {
				ctx.SetStatusCode(statusOfRow(err))
				return
			}
			fastJSON(ctx, a)
		}}).Serve(l)
	}},
	"fiber": {Row: func(l net.Listener) error {
		app := fiber.New()
		app.Get("/artists/:id", func(c fiber.Ctx) error {
			a, err := artistByHand(c, c.Params("id"))
			if err != nil {
				return fiber.NewError(statusOfRow(err))
			}
			return c.JSON(a)
		})
		return listen(app, l)
	}},
	"hertz": {Row: func(l net.Listener) error {
		h := newHertz(l)
		h.GET("/artists/:id", func(ctx context.Context, c *hertzapp.RequestContext) {
			a, err := artistByHand(ctx, c.Param("id"))
			if err != nil {
				c.AbortWithStatus(statusOfRow(err))
				return
			}
			c.JSON(consts.StatusOK, a)
		})
		return h.Run()
	}},
}
