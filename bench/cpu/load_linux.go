package cpu

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// A load is one thread that keeps all its connections busy by epoll. Nothing between it and the kernel costs more than
// finding the end of an answer, so that one core of it keeps one core of any server busy.

// stall is how long a server may answer nothing at all before a run fails.
const stall = 10 * time.Second

// Request returns the bytes of a work's request.
func Request(w peers.Work) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", w.Method(), w.Target())
	w.Headers().Write(&b)
	if body := w.Body(); body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + w.Body())
	return []byte(b.String())
}

// Load is a set of keep-alive connections to one server. It is for one goroutine.
type Load struct {
	batch   []byte // a full pipeline of requests
	request int    // bytes of one
	conns   []*connection
	byFD    map[int32]*connection
	poll    int
	body    int // bytes of content of every answer; -1 before the first
	waits   []time.Duration
}

type connection struct {
	fd     int
	buf    []byte // what was read and is not yet a whole answer
	unread int    // answers that are due
	sent   time.Time
}

// Dial opens connections to a loopback address. Each carries up to pipeline requests at once.
func Dial(addr netip.AddrPort, request []byte, connections, pipeline int) (*Load, error) {
	if !addr.Addr().IsLoopback() || !addr.Addr().Is4() {
		return nil, fmt.Errorf("%s is no IPv4 loopback address: load is sent to this machine only", addr)
	}
	if connections < 1 || pipeline < 1 {
		return nil, errors.New("a load needs at least one connection and one request at a time")
	}
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create: %w", err)
	}
	l := &Load{batch: bytes.Repeat(request, pipeline), request: len(request), byFD: map[int32]*connection{}, poll: poll, body: -1}
	for range connections {
		if err := l.connect(addr); err != nil {
			l.Close()
			return nil, fmt.Errorf("connecting to %s: %w", addr, err)
		}
	}
	return l, nil
}

func (l *Load) connect(addr netip.AddrPort) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c := &connection{fd: fd, buf: make([]byte, 0, 64<<10)}
	l.conns = append(l.conns, c)
	l.byFD[int32(fd)] = c
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	return unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// Close closes the connections.
func (l *Load) Close() {
	for _, c := range l.conns {
		unix.Close(c.fd)
	}
	unix.Close(l.poll)
}

// Run sends n requests over all connections and returns when all are answered. It fails if an answer is not a 200,
// if it has another length than the first answer had, or if the server closes a connection or falls silent.
func (l *Load) Run(n int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unsent, due := n, n
	l.waits = l.waits[:0]
	for _, c := range l.conns {
		if err := l.send(c, &unsent); err != nil {
			return err
		}
	}
	events := make([]unix.EpollEvent, len(l.conns))
	for due > 0 {
		ready, err := unix.EpollWait(l.poll, events, int(stall.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		if ready == 0 {
			return fmt.Errorf("%d of %d requests are unanswered, and the server is silent for %v", due, n, stall)
		}
		for _, e := range events[:ready] {
			c := l.byFD[e.Fd]
			answered, err := l.receive(c)
			if err != nil {
				return err
			}
			due -= answered
			if c.unread == 0 {
				l.waits = append(l.waits, time.Since(c.sent))
				if err := l.send(c, &unsent); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Wait returns how long a share of the last run's requests waited at most, like 0.99 of them, from when a connection sent its
// requests to when it had all their answers. There must have been a run.
func (l *Load) Wait(share float64) time.Duration {
	slices.Sort(l.waits)
	return l.waits[min(int(share*float64(len(l.waits))), len(l.waits)-1)]
}

// send sends a pipeline of requests, or as many as are left.
func (l *Load) send(c *connection, unsent *int) error {
	count := min(*unsent, len(l.batch)/l.request)
	if count == 0 {
		return nil
	}
	bytes := l.batch[:count*l.request]
	c.sent = time.Now()
	written, err := unix.Write(c.fd, bytes)
	if err == nil && written < len(bytes) {
		err = errors.New("the socket's buffer is full: use a shorter pipeline")
	}
	if err != nil {
		return fmt.Errorf("sending a request: %w", err)
	}
	*unsent -= count
	c.unread = count
	return nil
}

// receive reads what has arrived and returns how many answers are complete with it.
func (l *Load) receive(c *connection) (answered int, err error) {
	if len(c.buf) == cap(c.buf) {
		return 0, fmt.Errorf("an answer is larger than %d bytes", cap(c.buf))
	}
	read, err := unix.Read(c.fd, c.buf[len(c.buf):cap(c.buf)])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("receiving an answer: %w", err)
	case read == 0:
		return 0, fmt.Errorf("the server closed a connection with %d answers due", c.unread)
	}
	c.buf = c.buf[:len(c.buf)+read]
	rest := c.buf
	for len(rest) > 0 {
		a, err := readAnswer(rest)
		if err != nil {
			return 0, err
		}
		if a.size == 0 {
			break
		}
		if l.body < 0 {
			l.body = a.body
		}
		if a.body != l.body {
			return 0, fmt.Errorf("an answer of %d bytes, the first had %d", a.body, l.body)
		}
		if answered == c.unread {
			return 0, errors.New("more answers than requests")
		}
		answered++
		rest = rest[a.size:]
	}
	c.unread -= answered
	c.buf = c.buf[:copy(c.buf, rest)]
	return answered, nil
}
