package ishaa

import "context"

// Key names a value that one part of an application hands to another within a
// request: middleware sets it, handlers and dependencies read it. A Key is
// made once, usually as a package variable; two keys are different even when
// they share a name.
//
//	var currentUser = ishaa.NewKey[*User]("user")
//
//	currentUser.Set(r, user)      // in a Before hook
//	user := currentUser.Get(r)    // in a handler
//
// Reading a key is an input of the answer. Unless the key is declared Traced,
// engines treat what it holds as an identity: an answer that read it is never
// shared between requests.
type Key[T any] struct {
	name   string
	traced func(T) string
}

// NewKey returns a new key. The name shows in traces and error messages.
func NewKey[T any](name string) *Key[T] { return &Key[T]{name: name} }

// Traced declares that text says all there is to know about the key's value,
// so that answers which read it may be told apart by that text. It returns
// the key, to be used where the key is declared.
func (k *Key[T]) Traced(text func(T) string) *Key[T] {
	k.traced = text
	return k
}

// Name returns the name that the key was made with.
func (k *Key[T]) Name() string { return k.name }

// Set stores a value for the rest of the request.
func (k *Key[T]) Set(r *Request, value T) {
	r.record(Input{Kind: InputAct, Name: k.name}, "")
	for stored := r.values; stored != nil; stored = stored.next {
		if stored.key == any(k) {
			stored.value = value
			return
		}
	}
	r.values = &keyValue{k, value, r.values}
}

// Get returns the value, or T's zero value when none was set.
func (k *Key[T]) Get(r *Request) T {
	value, _ := k.Lookup(r)
	return value
}

// Lookup returns the value and whether one was set.
func (k *Key[T]) Lookup(r *Request) (T, bool) {
	var value T
	stored, ok := r.value(k)
	if ok {
		value, _ = stored.(T) // a nil interface has no dynamic type to assert
	}
	if r.recorder != nil {
		k.record(r, value, ok)
	}
	return value, ok
}

// From is Lookup for code that has only the context, such as typed handlers.
// It reports false for a context that belongs to no request.
func (k *Key[T]) From(ctx context.Context) (T, bool) {
	if r := FromContext(ctx); r != nil {
		return k.Lookup(r)
	}
	var none T
	return none, false
}

func (k *Key[T]) record(r *Request, value T, ok bool) {
	in := Input{Kind: InputValue, Name: k.name, key: k}
	if k.traced == nil {
		in.Kind = InputIdentity
	}
	r.record(in, k.text(value, ok))
}

// text is the value as engines compare it; a key that is not traced has none.
func (k *Key[T]) text(value T, ok bool) string {
	switch {
	case !ok:
		return ""
	case k.traced == nil:
		return ""
	}
	return "=" + k.traced(value)
}

// inputText reads the key from a request without recording it.
func (k *Key[T]) inputText(r *Request) string {
	stored, ok := r.value(k)
	if !ok {
		return ""
	}
	value, _ := stored.(T)
	return k.text(value, true)
}

type keyValue struct {
	key   any
	value any
	next  *keyValue
}

// value finds what a Key stored. Requests carry a handful of values at most,
// so a list beats a map.
func (r *Request) value(key any) (any, bool) {
	for stored := r.values; stored != nil; stored = stored.next {
		if stored.key == key {
			return stored.value, true
		}
	}
	return nil, false
}

// clone copies a list of values: setting one changes it in place.
func (kv *keyValue) clone() *keyValue {
	var first *keyValue
	for end := &first; kv != nil; kv = kv.next {
		*end = &keyValue{key: kv.key, value: kv.value}
		end = &(*end).next
	}
	return first
}
