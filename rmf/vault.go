package rmf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
	"github.com/ishaa-framework/ishaa/store"
)

// vault keeps states, the counters of nodes and the ledger, under keys of one application:
//
//	rmf/APP/state/EXPERIMENT            the state, replaced by compare-and-swap alone
//	rmf/APP/node/EXPERIMENT/NODE        what a node counted; only it writes there, and what it counts only grows
//	rmf/APP/ledger/EXPERIMENT/VERSION   the decision that led to a version of the state
//	rmf/APP/lease                       who advances epochs
type vault struct {
	kv     keyValue
	prefix string
}

// keyValue is what a vault needs of a store.
type keyValue interface {
	Get(ctx context.Context, key string) ([]byte, error)
	GetMany(ctx context.Context, keys ...string) (map[string][]byte, error)
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error)
	Scan(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// reportTTL is how long the counters of a node that is gone are kept.
const reportTTL = 60 * 24 * time.Hour

func (m *Realities) openVault() (*vault, error) {
	v := &vault{prefix: "rmf/" + m.app.Name() + "/"}
	switch {
	case m.options.Store != nil:
		v.kv = m.options.Store
		// What the engine counts is no data that answers depend on: it is no write to those who remember answers.
		if wrapped, ok := m.options.Store.(interface{ Unwrap() store.Store }); ok {
			v.kv = wrapped.Unwrap()
		}
	case m.options.Dir != "":
		if err := os.MkdirAll(m.options.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("rmf: the folder of the state: %w", err)
		}
		v.kv = folder(m.options.Dir)
	default:
		v.kv = store.NewMemory(store.MemoryOptions{})
	}
	return v, nil
}

// lasting reports whether other processes see what is kept.
func (m *Realities) lasting() bool { return m.options.Store != nil || m.options.Dir != "" }

// short makes a name fit for a key.
func short(experiment string) string { return fmt.Sprintf("%016x", Lot(experiment)) }

func (v *vault) stateKey(experiment string) string { return v.prefix + "state/" + short(experiment) }

// state returns the state and its bytes, nil where there is none.
func (v *vault) state(ctx context.Context, experiment string) (*state, []byte, error) {
	raw, err := v.kv.Get(ctx, v.stateKey(experiment))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var kept record
	if err := json.Unmarshal(raw, &kept); err != nil || kept.State == nil || kept.State.Experiment != experiment {
		return nil, nil, fmt.Errorf("rmf: the state of %s in the store is not one (%v); delete the key %s to begin anew", experiment, err, v.stateKey(experiment))
	}
	if kept.State.Trials == nil {
		kept.State.Trials = map[string]*trial{}
	}
	return kept.State, raw, nil
}

// record is a state with the decision that led to it, so that both are there or neither.
type record struct {
	State *state          `json:"state"`
	Entry *evidence.Entry `json:"entry,omitempty"` // the latest
	Of    uint64          `json:"of,omitempty"`    // the version that the entry led to
}

// swap replaces a state and reports whether it did. The entry, which may be nil, goes into the ledger.
func (v *vault) swap(ctx context.Context, old []byte, st *state, entry *evidence.Entry) (raw []byte, done bool, err error) {
	next := record{State: st, Entry: entry, Of: st.Version}
	if entry == nil && old != nil {
		var before record
		if err := json.Unmarshal(old, &before); err == nil {
			next.Entry, next.Of = before.Entry, before.Of
		}
	}
	if raw, err = json.Marshal(next); err != nil {
		return nil, false, err
	}
	done, err = v.kv.CompareAndSwap(ctx, v.stateKey(st.Experiment), old, raw, 0)
	if done && err == nil && entry != nil {
		err = v.enter(ctx, raw)
	}
	return raw, done, err
}

// enter copies the decision of a record into the ledger, unless it is there: a process may have died in between.
func (v *vault) enter(ctx context.Context, raw []byte) error {
	var kept record
	if err := json.Unmarshal(raw, &kept); err != nil || kept.Entry == nil {
		return err
	}
	line, err := json.Marshal(kept.Entry)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%sledger/%s/%016d", v.prefix, short(kept.State.Experiment), kept.Of)
	_, err = v.kv.CompareAndSwap(ctx, key, nil, line, 0)
	return err
}

// entries reads the ledger of an experiment.
func (v *vault) entries(ctx context.Context, experiment string) ([]evidence.Entry, error) {
	values, err := v.all(ctx, v.prefix+"ledger/"+short(experiment)+"/")
	var list []evidence.Entry
	for _, value := range values {
		var e evidence.Entry
		if err := json.Unmarshal(value, &e); err != nil {
			return nil, fmt.Errorf("rmf: the ledger of %s: %w", experiment, err)
		}
		list = append(list, e)
	}
	return list, err
}

// all returns the values below a prefix, in the order of their keys.
func (v *vault) all(ctx context.Context, prefix string) ([][]byte, error) {
	var keys []string
	for key, err := range v.kv.Scan(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := v.kv.GetMany(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var values [][]byte
	for _, key := range keys {
		if value, ok := found[key]; ok {
			values = append(values, value)
		}
	}
	return values, nil
}

// lease is who advances epochs, and until when by the clock of whoever looks.
type lease struct {
	Node  string    `json:"node"`
	Until time.Time `json:"until"`
}

// lead takes or renews the lease and reports whether the node has it. Should two nodes believe that they do, since
// their clocks differ, compare-and-swap lets one of them decide.
func (v *vault) lead(ctx context.Context, node string, now time.Time, span time.Duration) (bool, error) {
	key := v.prefix + "lease"
	raw, err := v.kv.Get(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	var held lease
	if err == nil && json.Unmarshal(raw, &held) == nil && held.Node != node && now.Before(held.Until) {
		return false, nil
	}
	if err != nil {
		raw = nil
	}
	if held.Node == node && now.Add(span/2).Before(held.Until) {
		return true, nil
	}
	mine, err := json.Marshal(lease{node, now.Add(span)})
	if err != nil {
		return false, err
	}
	return v.kv.CompareAndSwap(ctx, key, raw, mine, 0)
}

// folder is a keyValue of files, for one machine: a file a key, replaced whole, under one lock.
type folder string

// lockPatience is how long a write waits for its turn.
const lockPatience = 5 * time.Second

func (f folder) path(key string) string {
	return filepath.Join(string(f), b64.EncodeToString([]byte(key))+".json")
}

// locked runs do while no other process, nor another goroutine, does the same.
func (f folder) locked(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	name := filepath.Join(string(f), "lock")
	for {
		unlock, err := tryLock(name)
		if err != nil {
			return fmt.Errorf("rmf: the folder of the state: %w", err)
		}
		if unlock != nil {
			return errors.Join(do(), unlock())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("rmf: %s is held by another process: %w", name, ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Get returns a key's value, or store.ErrNotFound.
func (f folder) Get(_ context.Context, key string) ([]byte, error) {
	data, err := os.ReadFile(f.path(key))
	if errors.Is(err, os.ErrNotExist) {
		return nil, store.ErrNotFound
	}
	return data, err
}

// GetMany returns those that are there.
func (f folder) GetMany(ctx context.Context, keys ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	for _, key := range keys {
		data, err := f.Get(ctx, key)
		switch {
		case err == nil:
			found[key] = data
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
	}
	return found, nil
}

// Set writes a value; files have no time to live.
func (f folder) Set(ctx context.Context, key string, value []byte, _ time.Duration) error {
	return f.locked(ctx, func() error { return f.write(key, value) })
}

func (f folder) write(key string, value []byte) error {
	temporary, err := os.CreateTemp(string(f), "new-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(value)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), f.path(key))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}

// CompareAndSwap replaces a value that is still old.
func (f folder) CompareAndSwap(ctx context.Context, key string, old, value []byte, _ time.Duration) (done bool, err error) {
	err = f.locked(ctx, func() error {
		now, err := f.Get(ctx, key)
		missing := errors.Is(err, store.ErrNotFound)
		if err != nil && !missing {
			return err
		}
		if missing != (old == nil) || !bytes.Equal(now, old) {
			return nil
		}
		done = true
		return f.write(key, value)
	})
	return done && err == nil, err
}

// Scan gives the keys with a prefix in order.
func (f folder) Scan(_ context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		files, err := os.ReadDir(string(f))
		if err != nil {
			yield("", err)
			return
		}
		var keys []string
		for _, file := range files {
			name, ok := strings.CutSuffix(file.Name(), ".json")
			key, err := b64.DecodeString(name)
			if ok && err == nil && strings.HasPrefix(string(key), prefix) {
				keys = append(keys, string(key))
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			if !yield(key, nil) {
				return
			}
		}
	}
}
