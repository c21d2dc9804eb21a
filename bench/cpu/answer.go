package cpu

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

var (
	endOfHead = []byte("\r\n\r\n")
	endOfLine = []byte("\r\n")
	statusOK  = []byte("HTTP/1.1 200")
)

// maxHead is the most bytes of a status line and headers that are waited for.
const maxHead = 16 << 10

// An answer is read just far enough to know where it ends and that it is the right one.
type answer struct {
	size int // bytes of the whole answer; 0 while it is incomplete
	body int // bytes of content
}

// readAnswer reads the answer at the start of b. It fails for any status but 200, for an answer whose end only the
// end of the connection would tell, and for one after which the server closes.
func readAnswer(b []byte) (answer, error) {
	end := bytes.Index(b, endOfHead)
	if end < 0 {
		if len(b) > maxHead {
			return answer{}, fmt.Errorf("no end of the headers within %d bytes", maxHead)
		}
		return answer{}, nil
	}
	if !bytes.HasPrefix(b, statusOK) {
		line, _, _ := bytes.Cut(b, endOfLine)
		return answer{}, fmt.Errorf("answered %q, want a 200", line)
	}
	length, chunked, err := framing(b[:end])
	if err != nil {
		return answer{}, err
	}
	start := end + len(endOfHead)
	if chunked {
		return readChunks(b, start)
	}
	if len(b) < start+length {
		return answer{}, nil
	}
	return answer{size: start + length, body: length}, nil
}

// framing finds in a head how the content ends.
func framing(head []byte) (length int, chunked bool, err error) {
	length = -1
	for len(head) > 0 {
		var line []byte
		line, head, _ = bytes.Cut(head, endOfLine)
		if len(line) == 0 {
			continue
		}
		switch line[0] {
		case 'C', 'c', 'T', 't':
		default:
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return 0, false, fmt.Errorf("Content-Length %q is not a number of bytes", value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(value, []byte("close")):
			return 0, false, errors.New("the server closes the connection after the answer")
		}
	}
	if length < 0 && !chunked {
		return 0, false, errors.New("the answer has neither Content-Length nor chunks")
	}
	return length, chunked, nil
}

// readChunks reads chunked content that starts at an offset of b, and the trailers after it.
func readChunks(b []byte, at int) (answer, error) {
	body := 0
	for {
		line, _, found := bytes.Cut(b[at:], endOfLine)
		if !found {
			return answer{}, nil
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return answer{}, fmt.Errorf("chunk size %q is not a hexadecimal number", line)
		}
		if size == 0 { // its line and the trailers end like a head
			end := bytes.Index(b[at:], endOfHead)
			if end < 0 {
				return answer{}, nil
			}
			return answer{size: at + end + len(endOfHead), body: body}, nil
		}
		at += len(line) + len(endOfLine) + int(size) + len(endOfLine)
		if at > len(b) {
			return answer{}, nil
		}
		if !bytes.Equal(b[at-len(endOfLine):at], endOfLine) {
			return answer{}, errors.New("a chunk does not end where its size says")
		}
		body += int(size)
	}
}
