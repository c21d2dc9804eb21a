package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	_ "image/jpeg" // covers may be JPEG …
	"image/png"    // … or PNG
	"io"
	"math"
	"net/http"
	"sync"

	"github.com/ishaa-framework/ishaa"
)

// cover is an uploaded image.
type cover struct {
	contentType string
	content     []byte
}

// covers keeps one uploaded image for each album at most; the others are drawn.
type covers struct {
	catalog *catalog
	url     func(route string, pairs ...any) (string, error)
	mu      sync.RWMutex
	byAlbum map[int64]cover
}

const (
	coverBytes  = 256 << 10
	coverPixels = 2000 // of each side
)

func addCovers(app *ishaa.App, c *catalog) {
	v := &covers{catalog: c, url: app.URL, byAlbum: map[int64]cover{}}
	app.Get("/albums/<int:id>/cover", v.show, ishaa.Name("cover"), revalidated) // middleware is an option of a route
	ishaa.Post(app, "/albums/<int:id>/cover", v.upload, ishaa.BodyLimit(coverBytes+4096))
}

// revalidated is middleware for one route: caches may keep the answer and have to ask whether it is still right.
var revalidated = ishaa.Middleware{
	Name: "revalidated",
	After: func(_ *ishaa.Request, res *ishaa.Response) error {
		if res.Status() == 0 || res.Status() == http.StatusOK {
			res.Header().Set("Cache-Control", "public, no-cache")
		}
		return nil
	},
}

type newCover struct {
	Album int64           `path:"id"`
	File  *ishaa.FormFile `file:"cover" required:"true"`
}

func (v *covers) upload(ctx context.Context, in *newCover) (*ishaa.Response, error) {
	if err := v.catalog.hasAlbum(ctx, in.Album); err != nil {
		return nil, err
	}
	content, err := in.File.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	image, err := readCover(content)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	v.byAlbum[in.Album] = image
	v.mu.Unlock()
	back, err := v.url("album", "id", in.Album)
	return ishaa.Redirect(back), err
}

// readCover goes by what the file is, not by what the client says it is.
func readCover(content io.Reader) (cover, error) {
	data, err := io.ReadAll(content) // the body limit bounds it
	if err != nil {
		return cover{}, err
	}
	size, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil:
		return cover{}, ishaa.Unprocessable("cover: the file is neither PNG nor JPEG")
	case size.Width > coverPixels || size.Height > coverPixels:
		return cover{}, ishaa.Unprocessable("cover: %d × %d pixels are more than %d a side", size.Width, size.Height, coverPixels)
	}
	return cover{"image/" + format, data}, nil
}

func (v *covers) show(r *ishaa.Request) (any, error) {
	id := r.ParamInt("id")
	if err := v.catalog.hasAlbum(r.Context(), id); err != nil {
		return nil, err
	}
	v.mu.RLock()
	uploaded, ok := v.byAlbum[id]
	v.mu.RUnlock()
	if ok {
		return ishaa.Bytes(uploaded.contentType, uploaded.content), nil
	}
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, sleeve(id)); err != nil {
		return nil, err
	}
	return ishaa.Bytes("image/png", drawn.Bytes()), nil
}

// sleeve draws a cover: one of four patterns, in colours of the album's own.
func sleeve(id int64) image.Image {
	const side, cell = 256, 64
	turn := float64(id) * 137.5 // degrees: neighbours are far from each other
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{
		shade(turn, 0.30), shade(turn+35, 0.55), shade(turn+70, 0.80), shade(turn+180, 0.65),
	})
	pattern := id / 4 % 2 * 2 // which changes slower than the colours …
	if id%3 == 0 {
		pattern++ // … but now and then
	}
	for y := range side {
		for x := range side {
			var tint int
			switch pattern {
			case 0: // a record
				switch square := (x-128)*(x-128) + (y-128)*(y-128); {
				case square < 6*6 || square > 112*112:
					tint = 2
				case square < 42*42:
					tint = 3
				case square/500%5 == 0: // grooves
					tint = 1
				}
			case 1: // a sun over stripes
				tint = (x + y) / 32 % 2
				if (x-176)*(x-176)+(y-80)*(y-80) < 52*52 {
					tint = 3
				}
			case 2: // quarters of circles
				u, v := x%cell, y%cell
				if (int64(x/cell+y/cell)+id)%2 == 0 {
					u = cell - u
				}
				tint = min((u*u+v*v)/(cell*cell/3+1), 3)
			default: // waves
				tint = (y + int(14*math.Sin(float64(int64(x)+id*9)/26))) / 43 % 4
			}
			img.SetColorIndex(x, y, uint8(tint))
		}
	}
	return img
}

// shade is a colour of a hue, in degrees, as light as is said from 0 to 1.
func shade(hue, light float64) color.Color {
	part := func(offset float64) uint8 {
		wave := 0.5 + 0.5*math.Cos((hue-offset)*math.Pi/180)
		return uint8(255 * (light*0.55 + wave*0.45*light + 0.04))
	}
	return color.RGBA{part(0), part(120), part(240), 255}
}
