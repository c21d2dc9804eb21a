package peers

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"

	hertzapp "github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-playground/validator/v10"
	"github.com/gofiber/fiber/v3"
	"github.com/ishaa-framework/ishaa"
	"github.com/labstack/echo/v4"
	"github.com/valyala/fasthttp"
)

// message is the answer to JSON.
type message struct {
	Message string `json:"message"`
}

// order is the body of Order, with the rules as Gin and as the validator's own users write them.
type order struct {
	Customer string `json:"customer" binding:"required,max=100" validate:"required,max=100"`
	Lines    []struct {
		SKU      string `json:"sku" binding:"required,max=40" validate:"required,max=40"`
		Quantity int    `json:"quantity" binding:"min=1,max=1000" validate:"min=1,max=1000"`
	} `json:"lines" binding:"min=1,max=50,dive" validate:"min=1,max=50,dive"`
}

// receipt is the answer to Order.
type receipt struct {
	Customer string `json:"customer"`
	Items    int    `json:"items"`
}

func (o *order) receipt() receipt {
	r := receipt{Customer: o.Customer}
	for _, line := range o.Lines {
		r.Items += line.Quantity
	}
	return r
}

// valid is the rules written by hand.
func (o *order) valid() bool {
	if o.Customer == "" || len(o.Customer) > 100 || len(o.Lines) < 1 || len(o.Lines) > 50 {
		return false
	}
	for _, line := range o.Lines {
		if line.SKU == "" || len(line.SKU) > 40 || line.Quantity < 1 || line.Quantity > 1000 {
			return false
		}
	}
	return true
}

// jsonHandlers do JSON and Order on net/http's peers.
var jsonHandlers = map[string]map[Work]func() http.Handler{
	"nethttp": {
		JSON: func() http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /json", messageByHand)
			return mux
		},
		Order: func() http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("POST /orders", orderByHand)
			return mux
		},
	},
	"chi": {
		JSON: func() http.Handler {
			r := chi.NewRouter()
			r.Get("/json", messageByHand)
			return r
		},
		Order: func() http.Handler {
			r := chi.NewRouter()
			r.Post("/orders", orderByHand)
			return r
		},
	},
	"gin": {
		JSON: func() http.Handler {
			r := gin.New()
			r.GET("/json", func(c *gin.Context) { c.JSON(http.StatusOK, message{greeting}) })
			return r
		},
		Order: func() http.Handler {
			r := gin.New()
			r.POST("/orders", func(c *gin.Context) {
				var in order
				if err := c.ShouldBindJSON(&in); err != nil {
					c.JSON(http.StatusUnprocessableEntity, gin.H{"error": err.Error()})
					return
				}
				c.JSON(http.StatusOK, in.receipt())
			})
			return r
		},
	},
	"echo": {
		JSON: func() http.Handler {
			e := echo.New()
			e.GET("/json", func(c echo.Context) error { return c.JSON(http.StatusOK, message{greeting}) })
			return e
		},
		Order: func() http.Handler {
			e := echo.New()
			e.Validator = structValidator{validator.New()}
			e.POST("/orders", func(c echo.Context) error {
				var in order
				if err := c.Bind(&in); err != nil {
					return err
				}
				if err := c.Validate(&in); err != nil {
					return echo.NewHTTPError(http.StatusUnprocessableEntity, err.Error())
				}
				return c.JSON(http.StatusOK, in.receipt())
			})
			return e
		},
	},
	"huma": {Order: humaOrder},
	"ishaa": {
		JSON: func() http.Handler {
			app := bareIshaa()
			app.Get("/json", func(*ishaa.Request) (any, error) { return message{greeting}, nil })
			return app
		},
		Order: func() http.Handler {
			app := bareIshaa()
			ishaa.Post(app, "/orders", ishaaOrder)
			return app
		},
	},
}

// taggedOrder is order with its rules in the tags that Ishaa and Huma share.
type taggedOrder struct {
	Customer string `json:"customer" required:"true" minLength:"1" maxLength:"100"`
	Lines    []struct {
		SKU      string `json:"sku" required:"true" minLength:"1" maxLength:"40"`
		Quantity int    `json:"quantity" required:"true" minimum:"1" maximum:"1000"`
	} `json:"lines" required:"true" minItems:"1" maxItems:"50"`
}

func (o *taggedOrder) receipt() *receipt {
	r := &receipt{Customer: o.Customer}
	for _, line := range o.Lines {
		r.Items += line.Quantity
	}
	return r
}

func ishaaOrder(_ context.Context, in *struct{ Body taggedOrder }) (*receipt, error) {
	return in.Body.receipt(), nil
}

func humaOrder() http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("bench", "1.0.0")
	config.CreateHooks = nil
	huma.Post(humago.New(mux, config), "/orders", func(_ context.Context, in *struct{ Body taggedOrder }) (*struct{ Body *receipt }, error) {
		return &struct{ Body *receipt }{in.Body.receipt()}, nil
	})
	return mux
}

func messageByHand(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(message{greeting}); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func orderByHand(w http.ResponseWriter, r *http.Request) {
	var in order
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	if !in.valid() {
		refuse(w, errOrder)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(in.receipt()); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// jsonServers do the same on peers with servers of their own.
var jsonServers = map[string]map[Work]func(net.Listener) error{
	"fasthttp": {
		JSON: func(l net.Listener) error {
			return (&fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { fastJSON(ctx, message{greeting}) }}).Serve(l)
		},
		Order: func(l net.Listener) error {
			return (&fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
				var in order
				if err := json.Unmarshal(ctx.PostBody(), &in); err != nil || !in.valid() {
					ctx.SetStatusCode(fasthttp.StatusUnprocessableEntity)
					return
				}
				fastJSON(ctx, in.receipt())
			}}).Serve(l)
		},
	},
	"fiber": {
		JSON: func(l net.Listener) error {
			app := fiber.New()
			app.Get("/json", func(c fiber.Ctx) error { return c.JSON(message{greeting}) })
			return listen(app, l)
		},
		Order: func(l net.Listener) error {
			app := fiber.New(fiber.Config{StructValidator: structValidator{validator.New()}})
			app.Post("/orders", func(c fiber.Ctx) error {
				var in order
				if err := c.Bind().Body(&in); err != nil {
					return fiber.NewError(fiber.StatusUnprocessableEntity, err.Error())
				}
				return c.JSON(in.receipt())
			})
			return listen(app, l)
		},
	},
	"hertz": {
		JSON: func(l net.Listener) error {
			h := newHertz(l)
			h.GET("/json", func(_ context.Context, c *hertzapp.RequestContext) { c.JSON(consts.StatusOK, message{greeting}) })
			return h.Run()
		},
		Order: func(l net.Listener) error {
			h, rules := newHertz(l), validator.New()
			h.POST("/orders", func(_ context.Context, c *hertzapp.RequestContext) {
				var in order
				if err := c.BindJSON(&in); err != nil || rules.Struct(&in) != nil {
					c.AbortWithStatus(consts.StatusUnprocessableEntity)
					return
				}
				c.JSON(consts.StatusOK, in.receipt())
			})
			return h.Run()
		},
	},
}

func fastJSON(ctx *fasthttp.RequestCtx, value any) {
	ctx.SetContentType("application/json")
	if err := json.NewEncoder(ctx).Encode(value); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
	}
}
