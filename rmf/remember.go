package rmf

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

// rememberer keeps the answers of realities with a CacheTTL: inside all of the reality's own middleware, in the memory of
// the process, under what the handler read of the request.
type rememberer struct{ m *Realities }

// Layer implements ishaa.Interceptor.
func (rememberer) Layer() ishaa.Layer { return ishaa.Innermost }

// Intercept implements ishaa.Interceptor.
func (rm rememberer) Intercept(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	c, ok := described.Of(route)
	if !ok || c.cacheTTL <= 0 {
		return next
	}
	k := &keeper{ttl: c.cacheTTL, clock: rm.m.app.Clock(), answers: map[string]keptAnswer{}}
	return func(r *ishaa.Request) (any, error) { return k.serve(r, next) }
}

const (
	keptAnswers = 512
	keptInputs  = 16
	keptBytes   = 256 << 10 // of one answer
)

// keeper is the memory of one reality. What its handler reads of a request is found out by watching it; an answer is
// kept under the values of everything that any answer so far depended on.
type keeper struct {
	ttl   time.Duration
	clock ishaa.Clock

	mu      sync.Mutex
	inputs  []ishaa.Input
	answers map[string]keptAnswer
}

type keptAnswer struct {
	answer *ishaa.Rendered
	until  time.Time
}

func (k *keeper) serve(r *ishaa.Request, next ishaa.Handler) (any, error) {
	if !safe(r.Method()) || effect.Shadow(r.Context()) || r.Header("Authorization") != "" || r.Header("Range") != "" {
		return next(r)
	}
	if answer := k.find(r); answer != nil {
		r.MarkCached()
		return answer, nil
	}
	var mu sync.Mutex
	var read []ishaa.Input
	shared := true
	r.Trace(func(in ishaa.Input, _ string) {
		mu.Lock()
		defer mu.Unlock()
		switch in.Kind {
		case ishaa.InputIdentity, ishaa.InputRaw, ishaa.InputBody:
			shared = false
		default:
			if !slices.Contains(read, in) {
				read = append(read, in)
			}
		}
	})
	answer, value, err := r.Capture(next)
	r.Trace(nil)
	switch {
	case errors.Is(err, ishaa.ErrStreamed):
		return value, nil
	case err != nil:
		return value, err
	}
	mu.Lock()
	defer mu.Unlock()
	if shared && mayBeKept(answer) {
		k.keep(r, read, answer)
	}
	return value, nil
}

func mayBeKept(answer *ishaa.Rendered) bool {
	h := answer.Header()
	control := strings.ToLower(strings.Join(h.Values("Cache-Control"), ","))
	for _, word := range []string{"private", "no-store", "no-cache"} {
		if strings.Contains(control, word) {
			return false
		}
	}
	return answer.Status() == http.StatusOK && len(h["Set-Cookie"]) == 0 && !slices.Contains(h.Values("Vary"), "*") && len(answer.Bytes()) <= keptBytes
}

func (k *keeper) find(r *ishaa.Request) *ishaa.Rendered {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.key(r)
	if !ok {
		return nil
	}
	if kept, ok := k.answers[key]; ok && k.clock.Now().Before(kept.until) {
		return kept.answer
	}
	return nil
}

// key has the method in it: an answer to HEAD has no body to give to GET.
func (k *keeper) key(r *ishaa.Request) (string, bool) {
	text := []byte(r.Method())
	for _, in := range k.inputs {
		value, ok := r.Input(in)
		if !ok || len(value) > 1024 {
			return "", false
		}
		text = append(strconv.AppendInt(append(text, ' '), int64(len(value)), 10), ':')
		text = append(text, value...)
	}
	return string(text), true
}

func (k *keeper) keep(r *ishaa.Request, read []ishaa.Input, answer *ishaa.Rendered) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, in := range read {
		if slices.Contains(k.inputs, in) {
			continue
		}
		if len(k.inputs) >= keptInputs {
			return // it reads names that clients make up
		}
		k.inputs = append(k.inputs, in)
		clear(k.answers)
	}
	now := k.clock.Now()
	if len(k.answers) >= keptAnswers {
		maps.DeleteFunc(k.answers, func(_ string, a keptAnswer) bool { return !now.Before(a.until) })
	}
	for key := range k.answers {
		if len(k.answers) < keptAnswers {
			break
		}
		delete(k.answers, key)
	}
	if key, ok := k.key(r); ok {
		k.answers[key] = keptAnswer{answer, now.Add(k.ttl)}
	}
}
