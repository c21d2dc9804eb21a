// Package faultproxy is a TCP proxy whose connections a test cuts, stalls and
// restores, to see what becomes of a client whose server is away. It is for tests
// only.
//
//	proxy, err := faultproxy.New("127.0.0.1:6379")
//	if err != nil {
//		t.Fatal(err)
//	}
//	defer proxy.Close()
//	client := connect(proxy.Addr())
//	proxy.Cut() // every connection breaks, new ones are refused
//	…           // what does the client say?
//	proxy.Restore()
package faultproxy

import (
	"net"
	"sync"
)

// Proxy passes connections on to one server.
type Proxy struct {
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	mode    mode
	pairs   map[*pair]struct{}
	opened  int
}

type mode int

const (
	passing mode = iota
	stalled      // nothing moves
	muted        // requests move, answers do not
	cut
	closed
)

// pair is a client's connection and the one that was made for it.
type pair struct {
	client, server net.Conn // the server's is nil until it was dialled
	dead           bool
}

// New starts a proxy on a loopback port of its own.
func New(target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, listener: listener, pairs: map[*pair]struct{}{}}
	p.changed = sync.NewCond(&p.mu)
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where the proxy listens, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Opened is how many connections clients have made.
func (p *Proxy) Opened() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened
}

// Cut breaks every connection, with a reset, and new ones as soon as they are
// made. What was on its way is lost.
func (p *Proxy) Cut() { p.set(cut) }

// Stall holds everything, as a network does that drops packets: connections stay,
// new ones are accepted, and nothing moves.
func (p *Proxy) Stall() { p.set(stalled) }

// Mute lets requests through and holds the answers: the server does what it is
// told and the client does not learn of it.
func (p *Proxy) Mute() { p.set(muted) }

// Restore lets everything pass again, beginning with what was held.
func (p *Proxy) Restore() { p.set(passing) }

// Close breaks every connection and ends the proxy.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.set(closed)
	p.running.Wait()
	return err
}

func (p *Proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == closed {
		return
	}
	p.mode = m
	if m == cut || m == closed {
		for c := range p.pairs {
			p.kill(c)
		}
	}
	p.changed.Broadcast()
}

// kill breaks a pair. The proxy is locked.
func (p *Proxy) kill(c *pair) {
	c.dead = true
	delete(p.pairs, c)
	for _, conn := range []net.Conn{c.client, c.server} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, not an orderly end
			_ = tcp.Close()
		}
	}
	p.changed.Broadcast()
}

func (p *Proxy) end(c *pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill(c)
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		c := &pair{client: conn}
		p.mu.Lock()
		p.opened++
		p.pairs[c] = struct{}{}
		if p.mode == cut || p.mode == closed {
			p.kill(c)
		}
		p.mu.Unlock()
		p.running.Go(func() { p.serve(c) })
	}
}

func (p *Proxy) serve(c *pair) {
	defer p.end(c)
	if !p.wait(c, false) {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	p.mu.Lock()
	c.server = server
	if c.dead {
		p.kill(c)
	}
	p.mu.Unlock()
	p.running.Go(func() { p.pump(c, server, c.client, true) })
	p.pump(c, c.client, server, false)
}

// wait waits until bytes may move in a direction. It is false for a dead pair.
func (p *Proxy) wait(c *pair, answers bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !c.dead && (p.mode == stalled || p.mode == muted && answers) {
		p.changed.Wait()
	}
	return !c.dead
}

// pump moves bytes until one side ends.
func (p *Proxy) pump(c *pair, from, to net.Conn, answers bool) {
	defer p.end(c)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !p.wait(c, answers) {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
