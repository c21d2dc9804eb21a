package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

// A ledger is a text file, one JSON object a line, for grep and jq as well as for this package:
//
//	{"sum":"8d0b6f1c","prev":"00000000","seq":1,"at":"2026-01-02T03:04:05Z","kind":"trial", …}
//
// sum is the CRC-32C of everything that follows it up to the end of the line; prev is the sum of the line before. So a
// line vouches for itself, and a line that was lost, added or moved breaks the chain. They are checks against disks and
// editors, not signatures.
//
// A crash can leave the end of the file unfinished, or filled with zeros where blocks were allocated and not written.
// Whatever follows the last good line is such a torn tail if no good line comes after it, and is cut off. A bad line
// with a good one after it was good when the later one was written: that is damage, and is not papered over.

const (
	sumStart  = len(`{"sum":"`)
	sumEnd    = sumStart + 8
	bodyStart = sumEnd + len(`",`)
	prevEnd   = bodyStart + len(`"prev":"00000000",`)
)

// tail is the end of a ledger, to which the next line is chained. Its zero value is that of an empty one.
type tail struct {
	seq uint64
	sum [8]byte
}

func (t *tail) prev() string {
	if t.seq == 0 {
		return "00000000"
	}
	return string(t.sum[:])
}

// line writes an entry as the next line, with its number, and moves the tail behind it.
func (t *tail) line(e Entry) ([]byte, Entry, error) {
	e.Seq = t.seq + 1
	e.At = e.At.UTC()
	text, err := json.Marshal(e)
	if err != nil {
		return nil, e, fmt.Errorf("evidence: entry of the kind %q: %w", e.Kind, err)
	}
	line := make([]byte, 0, prevEnd+len(text))
	line = append(line, `{"sum":"00000000","prev":"`...)
	line = append(line, t.prev()...)
	line = append(line, `",`...)
	line = append(line, text[1:]...)
	t.sum = checksum(line[bodyStart:])
	t.seq = e.Seq
	copy(line[sumStart:], t.sum[:])
	return append(line, '\n'), e, nil
}

func checksum(body []byte) (sum [8]byte) {
	n := crc32.Checksum(body, castagnoli)
	hex.Encode(sum[:], []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	return sum
}

// vouches says whether a line, without its end, has the sum that it names.
func vouches(line []byte) bool {
	if len(line) <= prevEnd || !bytes.HasPrefix(line, []byte(`{"sum":"`)) {
		return false
	}
	sum := checksum(line[bodyStart:])
	return bytes.Equal(line[sumStart:sumEnd], sum[:]) && string(line[sumEnd:bodyStart]) == `",`
}

// CorruptError is damage in a ledger that a crash does not explain.
type CorruptError struct {
	Line   int   // from 1
	Offset int64 // bytes
	Reason string
}

// Error says where the damage is and what to do.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("evidence: ledger is damaged at line %d, byte %d: %s; put it aside, or cut it off there", e.Line, e.Offset, e.Reason)
}

// ReadLedger reads a ledger, a torn tail excepted. Damage gives a *CorruptError and the entries before it.
func ReadLedger(data []byte) ([]Entry, error) {
	entries, _, _, err := readLedger(data)
	return entries, err
}

// readLedger also gives the end, and the number of bytes up to it.
func readLedger(data []byte) (entries []Entry, end tail, intact int, err error) {
	for intact < len(data) {
		corrupt := &CorruptError{Line: len(entries) + 1, Offset: int64(intact)}
		line, rest, whole := bytes.Cut(data[intact:], []byte("\n"))
		if !whole || !vouches(line) {
			for later := range bytes.Lines(rest) {
				if text, ok := bytes.CutSuffix(later, []byte("\n")); ok && vouches(text) {
					corrupt.Reason = "the line does not have its checksum, and good lines follow"
					return entries, end, intact, corrupt
				}
			}
			return entries, end, intact, nil
		}
		e, next, err := end.read(line)
		if err != nil {
			corrupt.Reason = err.Error()
			return entries, end, intact, corrupt
		}
		entries = append(entries, e)
		end = next
		intact += len(line) + 1
	}
	return entries, end, intact, nil
}

// read takes a line that vouches for itself and must be the next.
func (t tail) read(line []byte) (Entry, tail, error) {
	if want := `"prev":"` + t.prev() + `",`; string(line[bodyStart:prevEnd]) != want {
		return Entry{}, t, errors.New("it does not follow the line before it: a line was lost, added or moved")
	}
	var e Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return Entry{}, t, err
	}
	if e.Seq != t.seq+1 {
		return Entry{}, t, fmt.Errorf("it has number %d, expected %d", e.Seq, t.seq+1)
	}
	again := t
	written, _, err := again.line(e)
	if err != nil {
		return Entry{}, t, err
	}
	if !bytes.Equal(written[:len(written)-1], line) {
		return Entry{}, t, errors.New("it is not written as entries are")
	}
	return e, again, nil
}
