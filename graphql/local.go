package graphql

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"github.com/ishaa-framework/ishaa"
)

// state is what belongs to one operation.
type state struct {
	requests *sync.Mutex // held while dependencies are made, which changes the request
	own      sync.Mutex

	mu     sync.Mutex
	locals map[reflect.Type]any
}

type stateKey struct{}

// sharedLock is the key of a mutex that the operations of one connection share, since they have one request.
type sharedLock struct{}

func sharing(ctx context.Context) context.Context {
	return context.WithValue(ctx, sharedLock{}, new(sync.Mutex))
}

func begin(ctx context.Context) context.Context {
	s := &state{}
	s.requests = &s.own
	if shared, ok := ctx.Value(sharedLock{}).(*sync.Mutex); ok {
		s.requests = shared
	}
	return context.WithValue(ctx, stateKey{}, s)
}

// Resolve makes a dependency of the request that the operation came with, or returns the one that it already has; see
// ishaa.Resolve. Resolvers may call it from several goroutines. The operations of a WebSocket have the request that opened
// it.
func Resolve[T any](ctx context.Context) (*T, error) {
	r := ishaa.FromContext(ctx)
	if r == nil {
		return nil, errors.New("graphql.Resolve: the context is not that of a request")
	}
	if s, ok := ctx.Value(stateKey{}).(*state); ok {
		s.requests.Lock()
		defer s.requests.Unlock()
	}
	return ishaa.Resolve[T](r)
}

// Local returns the T that belongs to the operation, such as a cache of what its resolvers have loaded. It is zero when it
// is asked for first. Concurrent resolvers that change it lock it themselves.
func Local[T any](ctx context.Context) *T {
	s, ok := ctx.Value(stateKey{}).(*state)
	if !ok {
		return new(T)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := reflect.TypeFor[T]()
	if known, ok := s.locals[t].(*T); ok {
		return known
	}
	if s.locals == nil {
		s.locals = map[reflect.Type]any{}
	}
	value := new(T)
	s.locals[t] = value
	return value
}
