package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Ledger is the append-only record of decisions in a file: when, about what, by which rule, on what evidence, with
// which outcome. It does not record decisions that were made elsewhere; it makes them, from the rule and the evidence as
// they are written. So what the ledger says was decided is what those counters decide, today and in a replay.
//
// An entry is on the disk when Append or Decide returns. A file belongs to one process; a ledger is safe for
// concurrent use in it.
type Ledger struct {
	judges judges

	mu      sync.Mutex
	file    ledgerFile
	tail    tail
	size    int64 // of what is known to be good
	broken  bool  // there may be part of an entry behind it
	dropped int64
}

// ledgerFile is what a ledger needs of an *os.File that was opened for appending.
type ledgerFile interface {
	io.WriteCloser
	io.ReaderAt
	Truncate(size int64) error
	Sync() error
}

// Entry is a decision. Rule and Evidence are absent where a person decided.
type Entry struct {
	Seq      uint64          `json:"seq"` // from 1
	At       time.Time       `json:"at"`
	Kind     string          `json:"kind"`    // which judge, "sare.trial"
	Subject  string          `json:"subject"` // what it is about, "GET /products memo"
	Rule     json.RawMessage `json:"rule,omitempty"`
	Evidence json.RawMessage `json:"evidence,omitempty"`
	Outcome  json.RawMessage `json:"outcome"`
}

// Judge decides entries of one kind.
type Judge struct {
	kind   string
	decide func(rule, evidence json.RawMessage) (json.RawMessage, error)
}

type judges map[string]Judge

// JudgeOf makes a judge of a function of a rule and some evidence, which must depend on nothing else: no clock, no
// random number, no state. For trials it is JudgeOf("trial", Rule.Decide).
func JudgeOf[Rule, Evidence, Outcome any](kind string, decide func(Rule, Evidence) (Outcome, error)) Judge {
	return Judge{kind, func(ruleText, evidenceText json.RawMessage) (json.RawMessage, error) {
		var rule Rule
		if err := json.Unmarshal(ruleText, &rule); err != nil {
			return nil, fmt.Errorf("evidence: rule of a decision %q: %w", kind, err)
		}
		var evidence Evidence
		if err := json.Unmarshal(evidenceText, &evidence); err != nil {
			return nil, fmt.Errorf("evidence: evidence of a decision %q: %w", kind, err)
		}
		outcome, err := decide(rule, evidence)
		if err != nil {
			return nil, err
		}
		return json.Marshal(outcome)
	}}
}

func judgesOf(list []Judge) judges {
	all := judges{}
	for _, j := range list {
		all[j.kind] = j
	}
	return all
}

// OpenLedger opens the ledger at a path, or makes one, for the kinds of decisions that the judges know. What a crash
// left of the last entry is cut off; Dropped tells how much. A ledger that was changed in the middle is not opened: the
// error is a *CorruptError that says where.
func OpenLedger(path string, list ...Judge) (*Ledger, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("evidence: open ledger: %w", err)
	}
	data, err := io.ReadAll(file)
	if err == nil {
		var l *Ledger
		if l, err = recoverLedger(file, data, list); err == nil {
			return l, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("evidence: ledger %s: %w", path, err), file.Close())
}

func recoverLedger(file ledgerFile, data []byte, list []Judge) (*Ledger, error) {
	_, end, intact, err := readLedger(data)
	if err != nil {
		return nil, err
	}
	l := &Ledger{judges: judgesOf(list), file: file, tail: end, size: int64(intact), dropped: int64(len(data) - intact)}
	if l.dropped > 0 {
		if err := file.Truncate(l.size); err != nil {
			return nil, fmt.Errorf("cut off %d bytes of an unfinished entry: %w", l.dropped, err)
		}
	}
	return l, nil
}

// Dropped returns the number of bytes that were cut off when the ledger was opened: an entry that a crash left
// unfinished, whose Append had not returned.
func (l *Ledger) Dropped() int64 { return l.dropped }

// Decide decides by the judge of a kind, appends the decision and returns it. Nothing is appended where the judge gives
// an error.
func (l *Ledger) Decide(at time.Time, kind, subject string, rule, evidence any) (Entry, error) {
	e := Entry{At: at, Kind: kind, Subject: subject}
	var err error
	if e.Rule, err = json.Marshal(rule); err != nil {
		return Entry{}, fmt.Errorf("evidence: rule of a decision %q: %w", kind, err)
	}
	if e.Evidence, err = json.Marshal(evidence); err != nil {
		return Entry{}, fmt.Errorf("evidence: evidence of a decision %q: %w", kind, err)
	}
	if e.Outcome, err = l.judges.decide(e); err != nil {
		return Entry{}, err
	}
	return l.append(e)
}

// Note appends what a person decided, or what merely happened.
func (l *Ledger) Note(at time.Time, kind, subject string, outcome any) (Entry, error) {
	text, err := json.Marshal(outcome)
	if err != nil {
		return Entry{}, fmt.Errorf("evidence: outcome of a note %q: %w", kind, err)
	}
	return l.append(Entry{At: at, Kind: kind, Subject: subject, Outcome: text})
}

func (all judges) decide(e Entry) (json.RawMessage, error) {
	judge, ok := all[e.Kind]
	if !ok {
		return nil, fmt.Errorf("evidence: no judge for decisions of the kind %q: give OpenLedger or Replay one", e.Kind)
	}
	return judge.decide(e.Rule, e.Evidence)
}

func (l *Ledger) append(e Entry) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		if err := l.file.Truncate(l.size); err != nil {
			return Entry{}, fmt.Errorf("evidence: ledger cannot be mended after a failed write: %w", err)
		}
		l.broken = false
	}
	next := l.tail
	line, e, err := next.line(e)
	if err != nil {
		return Entry{}, err
	}
	// Until the disk has said yes, the entry does not exist.
	l.broken = true
	if _, err := l.file.Write(line); err != nil {
		return Entry{}, fmt.Errorf("evidence: append to ledger: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return Entry{}, fmt.Errorf("evidence: append to ledger: %w", err)
	}
	l.broken = false
	l.tail = next
	l.size += int64(len(line))
	return e, nil
}

// Entries reads all entries back.
func (l *Ledger) Entries() ([]Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	data := make([]byte, l.size)
	if _, err := l.file.ReadAt(data, 0); err != nil && !(err == io.EOF && l.size == 0) {
		return nil, fmt.Errorf("evidence: read ledger: %w", err)
	}
	return ReadLedger(data)
}

// Close closes the file.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// Replay decides all entries again and returns the ledger that comes out, byte by byte the one that the entries were
// read from. The first entry whose decision is another one today gives a *ReplayError. Notes are copied.
func Replay(entries []Entry, list ...Judge) ([]byte, error) {
	all := judgesOf(list)
	var out []byte
	var end tail
	for _, e := range entries {
		if e.Rule != nil {
			outcome, err := all.decide(e)
			if err != nil {
				return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
			}
			if string(outcome) != string(e.Outcome) {
				return nil, &ReplayError{Entry: e, Outcome: outcome}
			}
		}
		line, _, err := end.line(e)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
		}
		out = append(out, line...)
	}
	return out, nil
}

// ReplayError is a decision that comes out differently from how it was recorded: the rules of this program are not
// those that made it, or the entry was changed.
type ReplayError struct {
	Entry   Entry
	Outcome json.RawMessage // today
}

// Error names the entry and both outcomes.
func (e *ReplayError) Error() string {
	return fmt.Sprintf("evidence: entry %d (%s, %s) was decided %s, the same evidence now gives %s",
		e.Entry.Seq, e.Entry.Kind, e.Entry.Subject, e.Entry.Outcome, e.Outcome)
}
