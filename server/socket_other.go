//go:build !linux || 386 || s390x

package server

import (
	"errors"
	"net"
)

// socket is for Linux alone. Elsewhere connections are read and written as package net does it.
type socket struct{}

func newSocket(net.Conn) *socket { return nil }

func (*socket) awaitInput() ([]byte, int, error) { return nil, 0, errors.ErrUnsupported }

func (*socket) write([]byte) error { return errors.ErrUnsupported }
