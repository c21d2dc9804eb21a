package server

import (
	"net/http"
	"sync/atomic"
	"time"
)

// date is the Date header as it is written. While a server accepts connections, a goroutine makes it anew each second, so that
// an answer does not ask for the time; before and after that it is made for each answer.
type date struct {
	line   atomic.Pointer[[]byte]
	users  int // Serve calls; with Server.mu
	ending chan struct{}
	ended  chan struct{}
}

func dateLine(now time.Time) []byte {
	return append(now.UTC().AppendFormat([]byte("Date: "), http.TimeFormat), "\r\n"...)
}

// append writes the Date header.
func (d *date) append(out []byte) []byte {
	if line := d.line.Load(); line != nil {
		return append(out, *line...)
	}
	return append(out, dateLine(time.Now())...)
}

// start is called when a Serve call begins, with Server.mu.
func (d *date) start() {
	if d.users++; d.users > 1 {
		return
	}
	line := dateLine(time.Now())
	d.line.Store(&line)
	d.ending, d.ended = make(chan struct{}), make(chan struct{})
	go d.tick(d.ending, d.ended)
}

// stop is called when a Serve call ends, with Server.mu. What it returns is to be called without.
func (d *date) stop() (wait func()) {
	if d.users--; d.users > 0 {
		return func() {}
	}
	close(d.ending)
	ended := d.ended
	return func() { <-ended }
}

func (d *date) tick(ending <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	timer := time.NewTimer(untilNextSecond())
	defer timer.Stop()
	for {
		select {
		case <-ending:
			d.line.Store(nil)
			return
		case now := <-timer.C:
			line := dateLine(now)
			d.line.Store(&line)
			timer.Reset(untilNextSecond())
		}
	}
}

func untilNextSecond() time.Duration {
	return time.Second - time.Duration(time.Now().Nanosecond())
}
