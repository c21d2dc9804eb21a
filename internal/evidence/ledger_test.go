package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 5, time.FixedZone("", 3600))

type guardStep struct {
	State  GuardState
	Window Epoch
}

var knownJudges = []Judge{
	JudgeOf("trial", Rule.Decide),
	JudgeOf("guard", func(r GuardRule, s guardStep) (GuardState, error) { return r.Next(s.State, s.Window) }),
	JudgeOf("bandit", func(names []string, b Bandit) (int, error) { return b.Pick(names...), nil }),
}

// decideMany writes a ledger as an application would.
func decideMany(t *testing.T, l *Ledger, seed uint64, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	s := State{Epochs: []Epoch{{Share: .5, Metrics: make([]Counts, 4)}}}
	g := guardStep{}
	for i := range n {
		at := noon.Add(time.Duration(i) * time.Second)
		e := &s.Epochs[0]
		k := binomial(r, 500, .5)
		e.Assigned.Candidate += k
		e.Assigned.Stable += 500 - k
		for m := range e.Metrics {
			bad := binomial(r, k, .01)
			e.Metrics[m].plus(Counts{bad, k - bad, 2, 498 - k})
		}
		s.Elapsed += time.Second
		_, err := l.Decide(at, "trial", "GET /<a>&b", simulated, s)
		g.Window = Epoch{Share: .95, Metrics: []Counts{{r.Uint64N(9), 95, 0, 5}}}
		entry, err2 := l.Decide(at, "guard", "über", GuardRule{Metrics: simulated.Metrics[:1]}, g)
		_, err3 := l.Decide(at, "bandit", "", changes, Bandit{Seed: seed, Draws: uint64(i)})
		_, err4 := l.Note(at, "person", "GET /", map[string]any{"rollback": true, "by": "line\nbreak \u2028"})
		if err := errors.Join(err, err2, err3, err4, json.Unmarshal(entry.Outcome, &g.State)); err != nil {
			t.Fatal(err)
		}
	}
}

// Replaying a ledger gives the same ledger; the same decisions in the same order give it too.
func TestReplay(t *testing.T) {
	for seed := range uint64(3) {
		var files [2][]byte
		for i := range files {
			path := filepath.Join(t.TempDir(), "ledger.jsonl")
			l, err := OpenLedger(path, knownJudges...)
			if err != nil {
				t.Fatal(err)
			}
			decideMany(t, l, seed, 3)
			entries, err := l.Entries()
			if err != nil || len(entries) != 12 {
				t.Fatalf("%d entries, %v", len(entries), err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if files[i], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
			again, err := Replay(entries, knownJudges...)
			if err != nil || !bytes.Equal(again, files[i]) {
				t.Fatalf("the replay is not the ledger: %v", err)
			}
			for n, line := range strings.Split(strings.TrimSpace(string(again)), "\n") {
				if !json.Valid([]byte(line)) {
					t.Fatalf("line %d is not JSON: %s", n+1, line)
				}
			}
		}
		if !bytes.Equal(files[0], files[1]) {
			t.Fatal("the same decisions give two ledgers")
		}
	}
}

func TestReplayOfAnotherDecision(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "l"))
	decideMany(t, l, 1, 2)
	entries, err := l.Entries()
	if err != nil {
		t.Fatal(err)
	}
	entries[4].Evidence = bytes.Replace(entries[4].Evidence, []byte(`"cb":`), []byte(`"cb":9`), 1)
	var differs *ReplayError
	if _, err := Replay(entries, knownJudges...); !errors.As(err, &differs) || differs.Entry.Seq != 5 {
		t.Errorf("changed evidence gives %v", err)
	}
	if _, err := Replay(entries, knownJudges[1:]...); err == nil || !strings.Contains(err.Error(), `"trial"`) {
		t.Errorf("a missing judge gives %v", err)
	}
	for _, wrong := range []struct {
		rule, evidence any
		kind           string
	}{{1, 2, "trial"}, {simulated, "x", "trial"}, {simulated, State{Epochs: []Epoch{{Share: 2}}}, "trial"}, {1, 1, "nobody"}, {func() {}, 1, "trial"}, {1, func() {}, "trial"}} {
		if _, err := l.Decide(noon, wrong.kind, "", wrong.rule, wrong.evidence); err == nil {
			t.Errorf("%v is decided", wrong)
		}
	}
	if _, err := l.Note(noon, "", "", func() {}); err == nil {
		t.Error("a function is noted")
	}
	if after, _ := l.Entries(); len(after) != 8 {
		t.Errorf("refused decisions left %d entries", len(after)-8)
	}
}

func openLedger(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := OpenLedger(path, knownJudges...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// memoryFile is a file without a disk.
type memoryFile struct{ data []byte }

func (f *memoryFile) Write(p []byte) (int, error) { f.data = append(f.data, p...); return len(p), nil }
func (f *memoryFile) Truncate(size int64) error   { f.data = f.data[:size]; return nil }
func (f *memoryFile) Sync() error                 { return nil }
func (f *memoryFile) Close() error                { return nil }

func (f *memoryFile) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(f.data).ReadAt(p, at)
}

// A crash at any byte costs the last entry at most, and the ledger goes on as if the entry had never been begun.
func TestTornTail(t *testing.T) {
	whole := &memoryFile{}
	l, err := recoverLedger(whole, nil, knownJudges)
	if err != nil {
		t.Fatal(err)
	}
	decideMany(t, l, 3, 1)
	entries, err := l.Entries()
	if err != nil || len(entries) != 4 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, garbage := range []string{"", "\x00\x00\x00\x00", "\x00\x00\n\x00", "garbage\n"} {
		for cut := range len(whole.data) + 1 {
			torn := append(bytes.Clone(whole.data[:cut]), garbage...)
			file := &memoryFile{torn}
			l, err := recoverLedger(file, torn, nil)
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			start := bytes.LastIndexByte(whole.data[:cut], '\n') + 1
			if l.Dropped() != int64(len(torn)-start) {
				t.Fatalf("cut at %d: %d bytes dropped, expected %d", cut, l.Dropped(), len(torn)-start)
			}
			for _, e := range entries[bytes.Count(whole.data[:cut], []byte("\n")):] {
				if _, err := l.append(e); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(file.data, whole.data) {
				t.Fatalf("cut at %d: the ledger went on differently", cut)
			}
		}
	}
}

// Damage before the end is an error that names the place; the entries before it can be read.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, path)
	decideMany(t, l, 3, 3)
	l.Close()
	data, _ := os.ReadFile(path)
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines = lines[:len(lines)-1]
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	flipped := bytes.Clone(data)
	flipped[len(lines[0])+100] ^= 1
	rewritten := bytes.Clone(data)
	copy(rewritten[len(lines[0])+sumStart:], "00000000")
	for name, c := range map[string]struct {
		data []byte
		line int
	}{
		"a bit":           {flipped, 2},
		"a checksum":      {rewritten, 2},
		"a lost line":     {join(append([][]byte{lines[0]}, lines[2:]...)...), 2},
		"a lost first":    {join(lines[1:]...), 1},
		"swapped":         {join(lines[1], lines[0], lines[2]), 1},
		"twice":           {join(lines[0], lines[0], lines[1]), 2},
		"zeros inside":    {join(lines[0], make([]byte, 50), []byte("\n"), lines[1]), 2},
		"an entry inside": {join(lines[0], lines[3], lines[1]), 2},
	} {
		var corrupt *CorruptError
		entries, err := ReadLedger(c.data)
		if !errors.As(err, &corrupt) || corrupt.Line != c.line || len(entries) != c.line-1 {
			t.Errorf("%s: %d entries, %v, expected damage at line %d", name, len(entries), err, c.line)
		}
		os.WriteFile(path, c.data, 0o600)
		if _, err := OpenLedger(path); !errors.As(err, &corrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: opened with %v", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, c.data) {
			t.Errorf("%s: opening changed the file", name)
		}
	}
	if _, err := OpenLedger(t.TempDir()); err == nil {
		t.Error("a folder is opened as a ledger")
	}
}

// fullDisk is a file that takes a number of bytes and no more, and does not wait for a real disk.
type fullDisk struct {
	*os.File
	room    int
	refuses bool // to truncate
	noSync  bool
}

var errFull = errors.New("no space left")

func (f *fullDisk) Write(p []byte) (int, error) {
	if len(p) <= f.room {
		f.room -= len(p)
		return f.File.Write(p)
	}
	n, _ := f.File.Write(p[:f.room])
	f.room = 0
	return n, errFull
}

func (f *fullDisk) Truncate(size int64) error {
	if f.refuses {
		return errFull
	}
	return f.File.Truncate(size)
}

func (f *fullDisk) Sync() error {
	if f.noSync {
		return errFull
	}
	return nil
}

// A failed write is an error, and leaves nothing that the next one would follow.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	disk := &fullDisk{File: file, room: 400}
	l, err := recoverLedger(disk, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	note := func() error { _, err := l.Note(noon, "note", strings.Repeat("x", 100), 1); return err }
	good := 0
	for note() == nil {
		good++
	}
	if good != 1 && good != 2 {
		t.Fatalf("%d notes on 400 bytes", good)
	}
	disk.refuses, disk.room = true, 1000
	if err := note(); !errors.Is(err, errFull) {
		t.Errorf("with half an entry that cannot be removed: %v", err)
	}
	disk.refuses, disk.noSync = false, true
	if err := note(); !errors.Is(err, errFull) {
		t.Errorf("with a disk that does not sync: %v", err)
	}
	disk.noSync = false
	if err := note(); err != nil {
		t.Error(err)
	}
	entries, err := l.Entries()
	if err != nil || len(entries) != good+1 {
		t.Errorf("%d entries, %v, expected %d", len(entries), err, good+1)
	}
	if data, _ := os.ReadFile(path); int64(len(data)) != l.size {
		t.Errorf("the file has %d bytes, the ledger %d", len(data), l.size)
	}
}

func TestLedgerFromManyGoroutines(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "l"))
	if entries, err := l.Entries(); err != nil || len(entries) != 0 {
		t.Fatalf("a new ledger has %d entries, %v", len(entries), err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 10 {
				if _, err := l.Note(noon, "note", fmt.Sprint(g, i), i); err != nil {
					t.Error(err)
				}
				if i%5 == 0 {
					if _, err := l.Entries(); err != nil && err != io.EOF {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if entries, err := l.Entries(); err != nil || len(entries) != 40 || entries[39].Seq != 40 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func FuzzLedger(f *testing.F) {
	var end tail
	var data []byte
	for i := range 3 {
		line, _, _ := end.line(Entry{At: noon, Kind: "k", Subject: "s", Rule: json.RawMessage(`{"a":1}`), Evidence: json.RawMessage(`[]`), Outcome: json.RawMessage(fmt.Sprint(i))})
		data = append(data, line...)
	}
	f.Add(data, 0, byte(0))
	f.Add(data, 40, byte(7))
	f.Add(data[:len(data)-9], 3, byte(1))
	f.Add([]byte("{}\n"), 0, byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		if len(data) > 0 {
			data[uint(at)%uint(len(data))] ^= flip
		}
		entries, end, intact, err := readLedger(data)
		if intact > len(data) || uint64(len(entries)) != end.seq {
			t.Fatalf("%d bytes of %d, %d entries, end %d", intact, len(data), len(entries), end.seq)
		}
		if err != nil {
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Offset != int64(intact) {
				t.Fatalf("%v at %d", err, intact)
			}
		}
		// What was read is written again as the very bytes it was read from.
		var again []byte
		var next tail
		for _, e := range entries {
			line, _, err := next.line(e)
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, line...)
		}
		if !bytes.Equal(again, data[:intact]) {
			t.Fatalf("%q is read as %q", data[:intact], again)
		}
	})
}

func BenchmarkLedgerRead(b *testing.B) {
	var end tail
	var data []byte
	for range 1000 {
		line, _, _ := end.line(Entry{At: noon, Kind: "trial", Outcome: json.RawMessage(`{"outcome":"promote"}`)})
		data = append(data, line...)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := ReadLedger(data); err != nil {
			b.Fatal(err)
		}
	}
}
