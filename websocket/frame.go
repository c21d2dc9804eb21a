package websocket

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Frames of RFC 6455 §5.2.

const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	finBit  = 0x80
	rsv1    = 0x40 // the message is compressed (RFC 7692 §6)
	rsvBits = 0x70
	maskBit = 0x80

	maxHeader  = 14  // two bytes, eight of length, four of mask
	maxControl = 125 // bytes in a control frame
)

// appendHeader appends the head of a whole, unmasked frame.
func appendHeader(dst []byte, first byte, size int) []byte {
	dst = append(dst, first|finBit)
	switch {
	case size <= maxControl:
		return append(dst, byte(size))
	case size <= 0xFFFF:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(dst, 127), uint64(size))
}

// frameSize is the size of the frame that begins with p, an unmasked one whose head
// is whole.
func frameSize(p []byte) (size uint64, ok bool) {
	if len(p) < 2 {
		return 0, false
	}
	switch n := p[1] &^ maskBit; {
	case n <= maxControl:
		return 2 + uint64(n), true
	case n == 126 && len(p) >= 4:
		return 4 + uint64(binary.BigEndian.Uint16(p[2:])), true
	case n == 127 && len(p) >= 10:
		return 10 + binary.BigEndian.Uint64(p[2:]), true
	}
	return 0, false
}

// inspector reads along with what a client sends and finds everything in it that
// RFC 6455 forbids, before anybody acts on it: frames that are not masked, that have
// reserved bits or opcodes, that are longer than they need to be or come out of
// turn, text that is not UTF-8 (of compressed messages that is checked later), close
// frames with codes that nobody may send, and messages that are too long by what
// their frames say.
type inspector struct {
	deflate bool   // permessage-deflate was agreed upon
	limit   uint64 // of a message, in bytes; 0 is none

	head      [maxHeader]byte
	have      int // bytes of head
	need      int // bytes that head is to have
	left      uint64
	mask      [4]byte
	maskAt    int
	first     byte // of the frame
	control   [maxControl]byte
	controlAt int

	open       bool // a message that goes on
	text       bool
	compressed bool
	size       uint64 // of the message so far
	check      textCheck
}

// read looks at the next bytes. It returns how many of them may be passed on, and
// what is wrong with the rest.
func (f *inspector) read(p []byte) (good int, wrong *CloseError) {
	for good < len(p) {
		if f.left > 0 {
			n := int(min(uint64(len(p)-good), f.left))
			if wrong := f.payload(p[good : good+n]); wrong != nil {
				return good, wrong
			}
			good += n
			continue
		}
		if f.need == 0 {
			f.need = 2
		}
		f.head[f.have] = p[good]
		f.have++
		if f.have == 2 {
			f.need = headSize(f.head[1])
			if wrong := f.begin(); wrong != nil {
				return good, wrong
			}
		}
		if f.have == f.need {
			if wrong := f.headed(); wrong != nil {
				return good, wrong
			}
		}
		good++
	}
	return good, nil
}

// headSize is the size of a frame's head, by its second byte.
func headSize(second byte) int {
	size := 2
	switch second &^ maskBit {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if second&maskBit != 0 {
		size += 4
	}
	return size
}

// begin looks at the first two bytes of a frame.
func (f *inspector) begin() *CloseError {
	f.first = f.head[0]
	opcode := f.first & 0xF
	switch {
	case f.first&(rsvBits&^rsv1) != 0:
		return protocolError("a reserved bit is set")
	case f.head[1]&maskBit == 0:
		return protocolError("a frame is not masked")
	case opcode == opText, opcode == opBinary:
		switch {
		case f.open:
			return protocolError("a message begins within another")
		case f.first&rsv1 != 0 && !f.deflate:
			return protocolError("a reserved bit is set")
		}
		f.open, f.text, f.compressed = true, opcode == opText, f.first&rsv1 != 0
		f.size, f.check = 0, textCheck{}
		return nil
	case f.first&rsv1 != 0:
		return protocolError("a reserved bit is set")
	case opcode == opContinuation:
		if !f.open {
			return protocolError("a continuation of no message")
		}
		return nil
	case opcode == opClose, opcode == opPing, opcode == opPong:
		f.controlAt = 0
		switch {
		case f.first&finBit == 0:
			return protocolError("a control frame is fragmented")
		case f.head[1]&^maskBit > maxControl:
			return protocolError("a control frame is too long")
		}
		return nil
	}
	return protocolError(fmt.Sprintf("opcode %d is reserved", opcode))
}

// headed looks at the rest of a head.
func (f *inspector) headed() *CloseError {
	length := uint64(f.head[1] &^ maskBit)
	switch length {
	case 126:
		if length = uint64(binary.BigEndian.Uint16(f.head[2:])); length <= maxControl {
			return protocolError("a length takes more bytes than it needs")
		}
	case 127:
		switch length = binary.BigEndian.Uint64(f.head[2:]); {
		case length>>63 != 0:
			return protocolError("a length is negative")
		case length <= 0xFFFF:
			return protocolError("a length takes more bytes than it needs")
		}
	}
	copy(f.mask[:], f.head[f.have-4:])
	f.have, f.need, f.maskAt, f.left = 0, 0, 0, length
	if f.first&0x8 == 0 {
		if f.size += length; f.limit > 0 && f.size > f.bound() {
			return tooBig(f.limit)
		}
	}
	if length == 0 {
		return f.ended()
	}
	return nil
}

// bound is how many bytes the frames of a message may have. Deflate makes what
// cannot be compressed a little longer (RFC 1951 §3.2.4).
func (f *inspector) bound() uint64 {
	if f.compressed {
		return f.limit + f.limit/1000 + 64
	}
	return f.limit
}

// payload looks at bytes of a frame's payload.
func (f *inspector) payload(p []byte) *CloseError {
	f.left -= uint64(len(p))
	switch {
	case f.first&0x8 != 0:
		f.controlAt += f.unmask(f.control[f.controlAt:], p)
	case f.text && !f.compressed:
		var plain [512]byte
		for rest := p; len(rest) > 0; {
			n := f.unmask(plain[:], rest)
			if rest = rest[n:]; !f.check.add(plain[:n]) {
				return invalidText()
			}
		}
	}
	if f.left == 0 {
		return f.ended()
	}
	return nil
}

// unmask copies as much as fits, in the clear.
func (f *inspector) unmask(dst, src []byte) int {
	n := min(len(dst), len(src))
	at := f.maskAt
	for i := range n {
		dst[i] = src[i] ^ f.mask[at&3]
		at++
	}
	f.maskAt = at & 3
	return n
}

// ended is the end of a frame.
func (f *inspector) ended() *CloseError {
	if f.first&0x8 != 0 {
		if f.first&0xF == opClose {
			return checkClose(f.control[:f.controlAt])
		}
		return nil
	}
	if f.first&finBit == 0 {
		return nil
	}
	f.open = false
	if f.text && !f.compressed && !f.check.ended() {
		return invalidText()
	}
	return nil
}

// checkClose looks at the payload of a close frame (RFC 6455 §5.5.1, §7.4).
func checkClose(p []byte) *CloseError {
	switch {
	case len(p) == 0:
		return nil
	case len(p) == 1:
		return protocolError("a close code is cut short")
	}
	if code := Status(binary.BigEndian.Uint16(p)); !code.sendable() {
		return protocolError(fmt.Sprintf("nobody may send the close code %d", code))
	}
	if !utf8.Valid(p[2:]) {
		return invalidText()
	}
	return nil
}
