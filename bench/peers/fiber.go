package peers

import (
	"io"
	"net"

	"github.com/go-playground/validator/v10"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/gofiber/fiber/v3/middleware/helmet"
	"github.com/gofiber/fiber/v3/middleware/logger"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/requestid"
)

// fiberPeer is Fiber with its own middlewares, on its own server.
func fiberPeer() Peer {
	plain := func(c fiber.Ctx) error { return c.SendString(greeting) }
	return Peer{Name: "fiber", Module: "github.com/gofiber/fiber/v3", Servers: map[Work]func(net.Listener) error{
		Plain: func(l net.Listener) error {
			app := fiber.New()
			app.Get("/plain", plain)
			return listen(app, l)
		},
		Param: func(l net.Listener) error {
			app := fiber.New()
			app.Get("/users/:name", func(c fiber.Ctx) error { return c.SendString("Hello, " + c.Params("name")) })
			return listen(app, l)
		},
		Typed: func(l net.Listener) error {
			app := fiber.New(fiber.Config{StructValidator: structValidator{validator.New()}})
			app.Get("/artists/:id/albums", fiberAlbums)
			return listen(app, l)
		},
		Five: func(l net.Listener) error {
			headers := Secured()
			app := fiber.New()
			app.Use(recover.New(), requestid.New(), logger.New(logger.Config{Stream: io.Discard}))
			app.Use(cors.New(cors.Config{AllowOrigins: []string{origin}}))
			app.Use(helmet.New(helmet.Config{
				ContentTypeNosniff:    headers["X-Content-Type-Options"],
				XFrameOptions:         headers["X-Frame-Options"],
				ContentSecurityPolicy: headers["Content-Security-Policy"],
				ReferrerPolicy:        headers["Referrer-Policy"],
			}))
			app.Get("/plain", plain)
			return listen(app, l)
		},
	}}
}

func listen(app *fiber.App, l net.Listener) error {
	return app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
}

func fiberAlbums(c fiber.Ctx) error {
	in := struct {
		Artist int    `uri:"id" validate:"min=1"`
		Limit  int    `query:"limit" validate:"min=1,max=100"`
		Sort   string `query:"sort" validate:"oneof=title year"`
	}{Limit: defaultLimit, Sort: defaultSort}
	// The first source leaves fields empty that the second fills, so only the second checks.
	if err := c.Bind().SkipValidation(true).URI(&in); err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	if err := c.Bind().SkipValidation(false).Query(&in); err != nil {
		return fiber.NewError(fiber.StatusUnprocessableEntity, err.Error())
	}
	return c.JSON(albums(in.Artist, in.Limit, in.Sort))
}
