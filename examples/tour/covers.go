package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	_ "image/jpeg" // covers may be JPEG …
	"image/png"    // … or PNG
	"io"
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
	byAlbum map[int]cover
}

const (
	coverBytes  = 256 << 10
	coverPixels = 2000 // of each side
)

func addCovers(app *ishaa.App, c *catalog) {
	v := &covers{catalog: c, url: app.URL, byAlbum: map[int]cover{}}
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
	Album int             `path:"id"`
	File  *ishaa.FormFile `file:"cover" required:"true"`
}

func (v *covers) upload(_ context.Context, in *newCover) (*ishaa.Response, error) {
	a, err := v.catalog.album(in.Album)
	if err != nil {
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
	v.byAlbum[a.ID] = image
	v.mu.Unlock()
	back, err := v.url("album", "id", a.ID)
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
	a, err := v.catalog.album(int(r.ParamInt("id")))
	if err != nil {
		return nil, err
	}
	v.mu.RLock()
	uploaded, ok := v.byAlbum[a.ID]
	v.mu.RUnlock()
	if ok {
		return ishaa.Bytes(uploaded.contentType, uploaded.content), nil
	}
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, record(a.ID)); err != nil {
		return nil, err
	}
	return ishaa.Bytes("image/png", drawn.Bytes()), nil
}

// record draws a record whose label has a colour of its own.
func record(id int) image.Image {
	const side, hole, label, edge = 256, 5, 45, 120
	tint := color.RGBA{uint8(id * 67), uint8(id * 151), uint8(id*41 + 90), 255}
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black, color.Gray{48}, tint})
	for y := range side {
		for x := range side {
			dx, dy := x-side/2, y-side/2
			switch square := dx*dx + dy*dy; {
			case square < hole*hole || square > edge*edge: // paper
			case square < label*label:
				img.SetColorIndex(x, y, 3)
			default:
				img.SetColorIndex(x, y, 1+uint8(square/400%2)) // grooves
			}
		}
	}
	return img
}
