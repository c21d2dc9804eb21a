package ishaatest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryConnCarriesBytes(t *testing.T) {
	client, server := connect(newMemoryListener().addr)
	sent := make([]byte, 5*flowSize+17)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range sent {
		sent[i] = byte(rng.Uint32())
	}
	go func() {
		defer client.Close()
		for rest := sent; len(rest) > 0; {
			n := min(1+rng.IntN(2*flowSize), len(rest))
			if _, err := client.Write(rest[:n]); err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
	}()
	got, err := io.ReadAll(server)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("read %d bytes of %d, %v", len(got), len(sent), err)
	}
	if client.LocalAddr().String() != server.RemoteAddr().String() || server.LocalAddr().String() != client.RemoteAddr().String() {
		t.Error("the ends do not agree on their addresses")
	}
}

// What becomes of both ends' reads and writes when one closes.
func TestMemoryConnClose(t *testing.T) {
	one := make([]byte, 1)
	t.Run("the client", func(t *testing.T) {
		client, server := connect(newMemoryListener().addr)
		_, _ = client.Write([]byte("x"))
		client.Close()
		if _, err := client.Read(one); !errors.Is(err, net.ErrClosed) {
			t.Errorf("its read gives %v", err)
		}
		if _, err := client.Write(one); !errors.Is(err, net.ErrClosed) {
			t.Errorf("its write gives %v", err)
		}
		if got, err := io.ReadAll(server); string(got) != "x" || err != nil {
			t.Errorf("the server reads %q, %v", got, err)
		}
		if _, err := server.Write(one); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the server's write gives %v", err)
		}
	})
	t.Run("the server", func(t *testing.T) {
		client, server := connect(newMemoryListener().addr)
		_, _ = server.Write([]byte("x"))
		server.Close()
		if n, err := client.Write(make([]byte, 3*flowSize)); n != 3*flowSize || err != nil {
			t.Errorf("the client's write gives %d, %v: what is on its way is lost silently", n, err)
		}
		if got, err := io.ReadAll(client); string(got) != "x" || err != nil {
			t.Errorf("the client reads %q, %v", got, err)
		}
	})
}

// Everything that waits ends when its deadline passes or its connection closes.
func TestMemoryConnDeadlines(t *testing.T) {
	full := func(conn net.Conn) error {
		for {
			if _, err := conn.Write(make([]byte, flowSize)); err != nil {
				return err
			}
		}
	}
	empty := func(conn net.Conn) error {
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	for _, test := range []struct {
		name string
		wait func(net.Conn) error
		set  func(conn net.Conn, t time.Time) error
	}{
		{"read", empty, net.Conn.SetReadDeadline},
		{"read, by both", empty, net.Conn.SetDeadline},
		{"write", full, net.Conn.SetWriteDeadline},
		{"write, by both", full, net.Conn.SetDeadline},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, other := connect(newMemoryListener().addr)
				start := time.Now()
				set := func(at time.Time) {
					if err := test.set(conn, at); err != nil {
						t.Fatal(err)
					}
				}
				set(start.Add(time.Minute))
				set(start.Add(time.Second)) // replaces the first
				if err := test.wait(conn); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
					t.Errorf("after %s: %v", time.Since(start), err)
				}
				if err := test.wait(conn); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
					t.Errorf("again, after %s: %v", time.Since(start), err)
				}
				set(time.Time{})
				go func() {
					time.Sleep(time.Hour)
					set(start) // in the past: wakes who waits
				}()
				if err := test.wait(conn); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour+time.Second {
					t.Errorf("woken after %s: %v", time.Since(start), err)
				}
				set(time.Time{})
				go func() {
					time.Sleep(time.Hour)
					conn.Close()
				}()
				if err := test.wait(conn); !errors.Is(err, net.ErrClosed) {
					t.Errorf("closed: %v", err)
				}
				other.Close()
			})
		})
	}
}

func TestMemoryListener(t *testing.T) {
	listener := newMemoryListener()
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	if _, err := listener.dial(ctx); !errors.Is(err, reason) {
		t.Errorf("dial with a context that has ended: %v", err)
	}
	go func() {
		conn, err := listener.dial(context.Background())
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); len(got) != 0 || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	listener.Close()
	listener.Close()
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	if _, err := listener.dial(context.Background()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial after Close: %v", err)
	}
}
