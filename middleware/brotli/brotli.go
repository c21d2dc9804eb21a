// Package brotli is the content coding br (RFC 7932) for middleware.Compress. It
// is a package of its own because it brings a library.
//
//	app.Use(middleware.Compress(middleware.CompressOptions{
//		Encodings: []middleware.Encoding{brotli.Encoding(0), middleware.Gzip(0)},
//	}))
package brotli

import (
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/ishaa-framework/ishaa/middleware"
)

// Encoding returns the coding "br" at a level of 1 to 11; 0 is the default, 4,
// which suits answers that are made as they are asked for. Encoders are reused. It
// panics for another level.
func Encoding(level int) middleware.Encoding {
	if level == 0 {
		level = 4
	}
	if level < 1 || level > brotli.BestCompression {
		panic(fmt.Sprintf("brotli.Encoding: level %d: give 1 to 11, or 0 for the default", level))
	}
	pool := &sync.Pool{New: func() any { return brotli.NewWriterLevel(nil, level) }}
	return middleware.Encoding{Name: "br", New: func(w io.Writer) middleware.Encoder {
		z := pool.Get().(*brotli.Writer)
		z.Reset(w)
		return &encoder{z, pool}
	}}
}

type encoder struct {
	*brotli.Writer
	pool *sync.Pool
}

// Close writes the end of the body and gives the encoder back.
func (e *encoder) Close() error {
	z := e.Writer
	if z == nil {
		return nil
	}
	e.Writer = nil
	err := z.Close()
	z.Reset(nil) // not to keep the connection alive
	e.pool.Put(z)
	return err
}
