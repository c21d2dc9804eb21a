package peers

import (
	"io"
	"log/slog"
	"net/http"

	"github.com/go-playground/validator/v10"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// echoPeer is Echo with its own middlewares, and the validator that its documentation registers.
func echoPeer() Peer {
	plain := func(c echo.Context) error { return c.String(http.StatusOK, greeting) }
	return Peer{Name: "echo", Module: "github.com/labstack/echo/v4", Handlers: map[Work]func() http.Handler{
		Plain: func() http.Handler {
			e := echo.New()
			e.GET("/plain", plain)
			return e
		},
		Param: func() http.Handler {
			e := echo.New()
			e.GET("/users/:name", func(c echo.Context) error {
				return c.String(http.StatusOK, "Hello, "+c.Param("name"))
			})
			return e
		},
		Typed: func() http.Handler {
			e := echo.New()
			e.Validator = structValidator{validator.New()}
			e.GET("/artists/:id/albums", echoAlbums)
			return e
		},
		Five: func() http.Handler {
			headers := Secured()
			e := echo.New()
			e.Use(
				middleware.Recover(),
				middleware.RequestID(),
				middleware.RequestLoggerWithConfig(requestLog(slog.New(slog.NewTextHandler(io.Discard, nil)))),
				middleware.CORSWithConfig(middleware.CORSConfig{AllowOrigins: []string{origin}}),
				middleware.SecureWithConfig(middleware.SecureConfig{
					ContentTypeNosniff:    headers["X-Content-Type-Options"],
					XFrameOptions:         headers["X-Frame-Options"],
					ContentSecurityPolicy: headers["Content-Security-Policy"],
					ReferrerPolicy:        headers["Referrer-Policy"],
				}),
			)
			e.GET("/plain", plain)
			return e
		},
	}}
}

// requestLog is the configuration that Echo's documentation gives for log/slog.
func requestLog(log *slog.Logger) middleware.RequestLoggerConfig {
	return middleware.RequestLoggerConfig{
		LogStatus: true, LogURI: true, LogMethod: true, LogLatency: true, LogRequestID: true, LogRemoteIP: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			log.LogAttrs(c.Request().Context(), slog.LevelInfo, "REQUEST",
				slog.String("method", v.Method), slog.String("uri", v.URI), slog.Int("status", v.Status),
				slog.Duration("latency", v.Latency), slog.String("id", v.RequestID), slog.String("remote", v.RemoteIP))
			return nil
		},
	}
}

// structValidator makes go-playground's validator what Echo and Fiber ask for.
type structValidator struct{ rules *validator.Validate }

// Validate checks the tags of a struct.
func (v structValidator) Validate(in any) error { return v.rules.Struct(in) }

func echoAlbums(c echo.Context) error {
	in := struct {
		Artist int    `param:"id" validate:"min=1"`
		Limit  int    `query:"limit" validate:"min=1,max=100"`
		Sort   string `query:"sort" validate:"oneof=title year"`
	}{Limit: defaultLimit, Sort: defaultSort}
	if err := c.Bind(&in); err != nil {
		return err
	}
	if err := c.Validate(&in); err != nil {
		return echo.NewHTTPError(http.StatusUnprocessableEntity, err.Error())
	}
	return c.JSON(http.StatusOK, albums(in.Artist, in.Limit, in.Sort))
}
