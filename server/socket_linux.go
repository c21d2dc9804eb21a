//go:build !386 && !s390x

package server

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// socket reads requests from a connection and writes answers to it by system calls that never wait. So the scheduler is not
// told of them, as it has to be of calls that may wait: that costs as much as reading a small request's head. Where there is
// nothing to read, or no room to write, the runtime waits as for any connection, and deadlines hold.
//
// One goroutine at a time may read, and one write.
type socket struct {
	conn    net.Conn
	raw     syscall.RawConn
	reading func(fd uintptr) bool
	writing func(fd uintptr) bool

	in     []byte
	read   int
	inErr  error
	out    []byte
	outErr error
}

// newSocket returns nil for what is no socket of package net.
func newSocket(conn net.Conn) *socket {
	var raw syscall.RawConn
	var err error
	switch conn := conn.(type) {
	case *net.TCPConn:
		raw, err = conn.SyscallConn()
	case *net.UnixConn:
		raw, err = conn.SyscallConn()
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	s := &socket{conn: conn, raw: raw}
	s.reading, s.writing = s.tryRead, s.tryWrite
	return s
}

// awaitInput waits until there is something to read and returns how much of it is in a buffer of its own choice. It holds none
// while it waits.
func (s *socket) awaitInput() (in []byte, n int, err error) {
	s.read, s.inErr = 0, nil
	if err = s.raw.Read(s.reading); err == nil {
		err = s.inErr
	}
	in, s.in = s.in, nil
	if err == nil && s.read == 0 {
		err = io.EOF
	}
	return in, s.read, err
}

func (s *socket) tryRead(fd uintptr) (done bool) {
	s.in = newReadBuffer()
	for {
		n, errno := transfer(syscall.SYS_RECVFROM, fd, s.in, syscall.MSG_DONTWAIT)
		switch errno {
		case 0:
			received(fd)
			s.read = n
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			freeReadBuffer(s.in)
			s.in = nil
			return false
		default:
			s.inErr = s.failure("read", errno)
			return true
		}
	}
}

// write writes all of p.
func (s *socket) write(p []byte) error {
	s.out, s.outErr = p, nil
	err := s.raw.Write(s.writing)
	s.out = nil
	if err == nil {
		err = s.outErr
	}
	return err
}

func (s *socket) tryWrite(fd uintptr) (done bool) {
	sending(fd)
	for len(s.out) > 0 {
		n, errno := transfer(syscall.SYS_SENDTO, fd, s.out, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
		switch errno {
		case 0:
			s.out = s.out[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			s.outErr = s.failure("write", errno)
			return true
		}
	}
	return true
}

// transfer receives or sends. MSG_DONTWAIT makes sure that it does not wait even where somebody has made the socket one that
// does, as os.File.Fd does of a net.TCPConn's file.
func transfer(call, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
	return int(n), errno
}

// failure is the error that package net would give.
func (s *socket) failure(op string, errno syscall.Errno) error {
	local := s.conn.LocalAddr()
	return &net.OpError{Op: op, Net: local.Network(), Source: local, Addr: s.conn.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}
