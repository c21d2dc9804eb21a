package middleware

import (
	"compress/gzip"
	"io"
	"sync"
)

// Gzip is the content coding gzip at a level of package compress/gzip, 1 to 9; 0
// is the default, 5: within a percent of 9 at a third of its time. Encoders are
// reused.
func Gzip(level int) Encoding {
	if level == 0 {
		level = 5
	}
	if level < gzip.BestSpeed || level > gzip.BestCompression {
		mistake("Gzip: level %d: give 1 to 9, or 0 for the default", level)
	}
	pool := &sync.Pool{}
	return Encoding{Name: "gzip", New: func(w io.Writer) Encoder {
		z, _ := pool.Get().(*gzip.Writer)
		if z == nil {
			z, _ = gzip.NewWriterLevel(w, level) // the level was checked
		} else {
			z.Reset(w)
		}
		return &gzipEncoder{z, pool}
	}}
}

type gzipEncoder struct {
	*gzip.Writer
	pool *sync.Pool
}

// Close writes the end of the body and gives the writer back.
func (e *gzipEncoder) Close() error {
	z := e.Writer
	if z == nil {
		return nil
	}
	e.Writer = nil
	err := z.Close()
	z.Reset(io.Discard) // not to keep the connection alive
	e.pool.Put(z)
	return err
}
