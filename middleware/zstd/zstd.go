// Package zstd is the content coding zstd (RFC 8878, RFC 9659) for
// middleware.Compress. It is a package of its own because it brings a library.
//
//	app.Use(middleware.Compress(middleware.CompressOptions{
//		Encodings: []middleware.Encoding{zstd.Encoding(), middleware.Gzip(0)},
//	}))
package zstd

import (
	"io"
	"sync"

	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/klauspost/compress/zstd"
)

// window is how far back an encoder looks, and so what it and the client keep in
// memory. RFC 9659 lets clients refuse more than 8 MiB; answers are smaller.
const window = 512 << 10

// Encoding returns the coding "zstd" at the library's default speed. Encoders are
// reused and compress on the goroutine that writes.
func Encoding() middleware.Encoding {
	pool := &sync.Pool{New: func() any {
		z, err := zstd.NewWriter(nil,
			zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic("zstd: " + err.Error()) // the options are constants, held by a test
		}
		return z
	}}
	return middleware.Encoding{Name: "zstd", New: func(w io.Writer) middleware.Encoder {
		z := pool.Get().(*zstd.Encoder)
		z.Reset(w)
		return &encoder{z, pool}
	}}
}

type encoder struct {
	*zstd.Encoder
	pool *sync.Pool
}

// Close writes the end of the body and gives the encoder back.
func (e *encoder) Close() error {
	z := e.Encoder
	if z == nil {
		return nil
	}
	e.Encoder = nil
	err := z.Close()
	z.Reset(nil) // not to keep the connection alive
	e.pool.Put(z)
	return err
}
