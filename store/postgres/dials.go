package postgres

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// dials makes the connections and keeps hold of them. The driver says goodbye to a
// connection that failed for up to 15 seconds and its pool counts it as in use
// meanwhile, which would make an outage longer than it is: so no deadline is
// further away than the store's own, and closing the store breaks what is left.
type dials struct {
	timeout time.Duration

	mu     sync.Mutex
	open   map[*bounded]struct{}
	killed bool
}

func newDials(timeout time.Duration) *dials {
	return &dials{timeout: timeout, open: map[*bounded]struct{}{}}
}

var errKilled = errors.New("the store is closed")

func (d *dials) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: d.timeout, KeepAlive: 15 * time.Second}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	b := &bounded{Conn: conn, dials: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.killed {
		conn.Close()
		return nil, errKilled
	}
	d.open[b] = struct{}{}
	// For the handshake, until connected takes it back; a connection that only
	// cancels a statement keeps it.
	return b, conn.SetDeadline(time.Now().Add(d.timeout))
}

func connected(_ context.Context, conn *pgconn.PgConn) error {
	return conn.Conn().SetDeadline(time.Time{})
}

// kill breaks all connections and lets no more be made.
func (d *dials) kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.killed = true
	for b := range d.open {
		b.Conn.Close()
	}
}

// bounded is a connection whose deadlines are near.
type bounded struct {
	net.Conn
	dials *dials
}

// SetDeadline brings a deadline nearer.
func (b *bounded) SetDeadline(t time.Time) error {
	if limit := time.Now().Add(b.dials.timeout); !t.IsZero() && t.After(limit) {
		t = limit
	}
	return b.Conn.SetDeadline(t)
}

// Close closes the connection.
func (b *bounded) Close() error {
	b.dials.mu.Lock()
	delete(b.dials.open, b)
	b.dials.mu.Unlock()
	return b.Conn.Close()
}
