package peers

import (
	"io"
	"net/http"

	"github.com/gin-contrib/cors"
	"github.com/gin-contrib/requestid"
	"github.com/gin-contrib/secure"
	"github.com/gin-gonic/gin"
)

// ginPeer is Gin with the middlewares of gin-contrib for what it does not bring itself.
func ginPeer() Peer {
	gin.SetMode(gin.ReleaseMode)
	plain := func(c *gin.Context) { c.String(http.StatusOK, greeting) }
	return Peer{Name: "gin", Module: "github.com/gin-gonic/gin", Handlers: map[Work]func() http.Handler{
		Plain: func() http.Handler {
			r := gin.New()
			r.GET("/plain", plain)
			return r
		},
		Param: func() http.Handler {
			r := gin.New()
			r.GET("/users/:name", func(c *gin.Context) { c.String(http.StatusOK, "Hello, "+c.Param("name")) })
			return r
		},
		Typed: func() http.Handler {
			r := gin.New()
			r.GET("/artists/:id/albums", ginAlbums)
			return r
		},
		Five: func() http.Handler {
			headers := Secured()
			r := gin.New()
			r.Use(
				gin.RecoveryWithWriter(io.Discard),
				requestid.New(),
				gin.LoggerWithWriter(io.Discard),
				cors.New(cors.Config{AllowOrigins: []string{origin}, AllowMethods: []string{"GET", "POST"}}),
				secure.New(secure.Config{
					FrameDeny:             true,
					ContentTypeNosniff:    true,
					ContentSecurityPolicy: headers["Content-Security-Policy"],
					ReferrerPolicy:        headers["Referrer-Policy"],
				}),
			)
			r.GET("/plain", plain)
			return r
		},
	}}
}

func ginAlbums(c *gin.Context) {
	var path struct {
		Artist int `uri:"id" binding:"min=1"`
	}
	if err := c.ShouldBindUri(&path); err != nil {
		c.JSON(http.StatusUnprocessableEntity, gin.H{"error": err.Error()})
		return
	}
	var query struct {
		Limit int    `form:"limit,default=20" binding:"min=1,max=100"`
		Sort  string `form:"sort,default=title" binding:"oneof=title year"`
	}
	if err := c.ShouldBindQuery(&query); err != nil {
		c.JSON(http.StatusUnprocessableEntity, gin.H{"error": err.Error()})
		return
	}
	c.JSON(http.StatusOK, albums(path.Artist, query.Limit, query.Sort))
}
